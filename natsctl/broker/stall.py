"""The fast producer stall: who sends to a connection that is nearly full waits for it, a little.

It costs nobody else anything. Whoever is behind has output left for the while that the producer waits; as soon as one
of those who receive from it has none, the wait is over. So a producer is held to the pace of its receivers where all of
them are behind, and not at all where some keep up: beside those, a slow one is cut at its limit.

Source: nats-server ``client.go`` (stalledWait): ten milliseconds at most for each batch that was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

__all__ = ["Stall"]

_STALL_S = 0.010
_STALL_BYTES = 65536
"""What nats-server reads at once; a larger batch waits as long as its parts would."""


class Stall:
    """One connection's part in stalls: as a producer that waits, and as a receiver that is waited for.

    Args:
        on_end: Called when a wait is over, with whether it ran into its time limit.
    """

    __slots__ = ("_full", "_on_end", "_producers", "_receivers", "_timer", "patience_s")

    def __init__(self, on_end: Callable[[bool], None]) -> None:
        self._on_end = on_end
        self._full: set[Stall] | None = None
        self._receivers: set[Stall] | None = None
        self._producers: set[Stall] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.patience_s = 0.0
        """How long the last wait could take."""

    def wait_for(self, full: Iterable[Stall], others: Iterable[Stall], n_bytes: int) -> None:
        """Wait until the full ones have drained, or one of the receivers has nothing left.

        Args:
            full: Those who are nearly full.
            others: Who received beside them, and has output left as well.
            n_bytes: Size of the batch they got.
        """
        self._full = set(full)
        self._receivers = self._full.union(others)
        for receiver in self._receivers:
            if receiver._producers is None:
                receiver._producers = set()
            receiver._producers.add(self)
        self.patience_s = _STALL_S * max(1, n_bytes // _STALL_BYTES)
        self._timer = asyncio.get_running_loop().call_later(self.patience_s, self._end, True)

    def release(self, *, is_empty: bool = False) -> None:
        """Let those go on who wait for this connection alone: it has drained, or is gone.

        Args:
            is_empty: Whether it has nothing left, so that nobody may wait for others either.
        """
        for producer in tuple(self._producers or ()):
            if producer._full is not None:
                producer._full.discard(self)
                if is_empty or not producer._full:
                    producer._end(timed_out=False)

    @property
    def is_waiting(self) -> bool:
        """Whether this connection waits for others."""
        return self._timer is not None

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for this connection."""
        return bool(self._producers)

    def stop(self) -> None:
        """Wait no more, and keep nobody waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._leave()
        self.release()
        self._producers = None

    def _end(self, timed_out: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._leave()
            self._on_end(timed_out)

    def _leave(self) -> None:
        for receiver in self._receivers or ():
            if receiver._producers is not None:
                receiver._producers.discard(self)
        self._full = self._receivers = None
