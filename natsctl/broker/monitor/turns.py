"""Whose turn it is: at most one piece of a page is made per turn of the event loop.

However many clients ask for pages, and however long these are, messages wait for one piece and not for all.

Task: used on the broker's loop only.
"""

from __future__ import annotations

import asyncio

__all__ = ["Turns"]


class Turns:
    """A queue of those who want to work on the loop, first come, first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait until all others, sockets and timers among them, had a turn; then work, but not for long."""
        async with self._lock:
            await asyncio.sleep(0)
