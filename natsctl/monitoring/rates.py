"""Rates between two readings of the same counters, by the server's own clock; never negative, never guessed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

from natsctl.monitoring.times import NS

__all__ = ["Baselines", "Rates"]

K = TypeVar("K", bound=Hashable)

MAX_BASELINES = 65_536
MIN_INTERVAL_NS = 10**6
"""Two readings nearer to each other than this are one; a rate between them would be noise."""
KEEP_NS = 60 * NS
"""How long a connection that is on no page is remembered, so that one that comes back has a rate at once."""
MAX_DELTA = 2**64


class Rates(msgspec.Struct, frozen=True, gc=False):
    """How fast counters grew.

    Units: per second, averaged over the last ``interval_s`` seconds.
    """

    in_msgs_per_s: float
    out_msgs_per_s: float
    in_bytes_per_s: float
    out_bytes_per_s: float
    interval_s: float


class Baselines(Generic[K]):
    """The last counters of many things (connections, subscriptions), to measure the next ones against.

    Bounded: at most ``MAX_BASELINES`` things, the least recently seen go first; none unseen for more than a minute.
    """

    def __init__(self) -> None:
        self._seen: dict[K, tuple[str, int, tuple[int, ...]]] = {}

    def measure(self, key: K, identity: str, now_ns: int, counters: tuple[int, ...]) -> tuple[float, ...] | None:
        """Note counters, and tell how fast they grew since they were last noted.

        Args:
            key: What is counted.
            identity: Whether it is still the same thing that bears this key.
            now_ns: When it was read, by the clock of the server.
            counters: What it counts.

        Returns:
            A rate per second for each counter, and after them the seconds measured over. None where there is nothing
            to compare with: seen for the first time, another thing by the same key, counters or clock gone back.
        """
        before = self._seen.pop(key, None)
        self._seen[key] = (identity, now_ns, counters)
        if before is None or before[0] != identity:
            return None
        elapsed_ns = now_ns - before[1]
        deltas = [new - old for new, old in zip(counters, before[2], strict=True)]
        if elapsed_ns < MIN_INTERVAL_NS or min(deltas) < 0 or max(deltas) > MAX_DELTA:
            return None
        seconds = elapsed_ns / NS
        return (*(delta / seconds for delta in deltas), seconds)

    def prune(self, now_ns: int) -> None:
        """Forget what has not been seen for long."""
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) <= MAX_BASELINES and now_ns - self._seen[oldest][1] <= KEEP_NS:
                return
            del self._seen[oldest]

    def forget(self) -> None:
        """Forget everything: what follows is another life, or another clock."""
        self._seen.clear()
