"""How many handshakes may begin.

Source: nats-server ``rate_counter.go``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["RateLimit"]

_WINDOW_S = 1.0


class RateLimit:
    """Counts handshakes against a limit per second.

    Args:
        limit: Allowed per second; 0 or less allows all.
        report: Told after each second how many were refused in it.
    """

    def __init__(self, limit: int, report: Callable[[int], None]) -> None:
        self._limit = limit
        self._report = report
        self._window_end = 0.0
        self._count = 0
        self._refused = 0

    def allows(self) -> bool:
        """Count one more handshake, and say whether it may begin."""
        if self._limit <= 0:
            return True
        loop = asyncio.get_running_loop()
        if (now := loop.time()) >= self._window_end:
            self._window_end, self._count = now + _WINDOW_S, 0
        self._count += 1
        if self._count <= self._limit:
            return True
        if not self._refused:
            loop.call_at(self._window_end, self._tell)
        self._refused += 1
        return False

    def _tell(self) -> None:
        refused, self._refused = self._refused, 0
        self._report(refused)
