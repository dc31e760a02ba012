"""The fast producer stall: who sends to a connection that is nearly full waits for it, a little.

A producer whose only receivers are nearly full is held to their pace, as nats-server does it. Where others receive
from it as well, they must not suffer for the slow one: then waiting takes at most a fifth of the time.

Source: nats-server ``client.go`` (stalledWait): ten milliseconds at most for each batch that was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

__all__ = ["Stall"]

_STALL_S = 0.010
_STALL_BYTES = 65536
"""What nats-server reads at once; a larger batch waits as long as its parts would."""
_FREE_PER_STALL = 4
"""How much longer than a stall others are served without one."""


class Stall:
    """One connection's part in stalls: as a producer that waits, and as a receiver that is waited for.

    Args:
        on_end: Called when a wait is over, with whether it ran into its time limit.
    """

    __slots__ = ("_free_until", "_on_end", "_timer", "_waited_for_by", "_waits_for", "patience_s")

    def __init__(self, on_end: Callable[[bool], None]) -> None:
        self._on_end = on_end
        self._waits_for: set[Stall] | None = None
        self._waited_for_by: set[Stall] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._free_until = 0.0
        self.patience_s = 0.0
        """How long the last wait could take."""

    def wait_for(self, receivers: Iterable[Stall], n_bytes: int, *, spare_others: bool) -> bool:
        """Begin to wait until all receivers have drained; returns whether it does.

        Args:
            receivers: Whom to wait for.
            n_bytes: Size of the batch they got.
            spare_others: Whether somebody got it who is not nearly full.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if spare_others and now < self._free_until:
            return False
        self.patience_s = _STALL_S if spare_others else _STALL_S * max(1, n_bytes // _STALL_BYTES)
        self._free_until = now + self.patience_s * (1 + _FREE_PER_STALL)
        self._waits_for = set(receivers)
        for receiver in self._waits_for:
            if receiver._waited_for_by is None:
                receiver._waited_for_by = set()
            receiver._waited_for_by.add(self)
        self._timer = loop.call_later(self.patience_s, self._end, True)
        return True

    def release(self) -> None:
        """Let those go on who wait for this connection: it has drained, or is gone."""
        producers, self._waited_for_by = self._waited_for_by, None
        for producer in producers or ():
            if producer._waits_for is not None:
                producer._waits_for.discard(self)
                if not producer._waits_for:
                    producer._end(timed_out=False)

    @property
    def is_waiting(self) -> bool:
        """Whether this connection waits for others."""
        return self._timer is not None

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for this connection."""
        return bool(self._waited_for_by)

    def stop(self) -> None:
        """Wait no more, and keep nobody waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._leave()
        self.release()

    def _end(self, timed_out: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._leave()
            self._on_end(timed_out)

    def _leave(self) -> None:
        for receiver in self._waits_for or ():
            if receiver._waited_for_by is not None:
                receiver._waited_for_by.discard(self)
        self._waits_for = None
