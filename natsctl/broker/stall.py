"""The fast producer stall: who sends to a connection that is nearly full waits for it, a little.

Source: nats-server ``client.go`` (stalledWait): ten milliseconds at most for each batch that was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

__all__ = ["STALL_S", "Stall"]

STALL_S = 0.010


class Stall:
    """One connection's part in stalls: as a producer that waits, and as a receiver that is waited for.

    Args:
        on_end: Called when a wait is over, with whether it ran into its time limit.
    """

    __slots__ = ("_on_end", "_timer", "_waited_for_by", "_waits_for")

    def __init__(self, on_end: Callable[[bool], None]) -> None:
        self._on_end = on_end
        self._waits_for: set[Stall] | None = None
        self._waited_for_by: set[Stall] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def wait_for(self, receivers: Iterable[Stall]) -> None:
        """Begin to wait until all receivers have drained."""
        self._waits_for = set(receivers)
        for receiver in self._waits_for:
            if receiver._waited_for_by is None:
                receiver._waited_for_by = set()
            receiver._waited_for_by.add(self)
        self._timer = asyncio.get_running_loop().call_later(STALL_S, self._end, True)

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
