"""INFO anew for all clients, when servers have come or gone: a few clients at a time, for messages must not wait.

Source: nats-server ``route.go`` (sendAsyncInfoToClients).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from natsctl.broker.client_events import ClientEvents
from natsctl.broker.connection import Connection
from natsctl.broker.registry import Registry

__all__ = ["News", "NewsHost"]

_CLIENTS_PER_TURN = 128


class NewsHost(Protocol):
    """What telling needs of the broker."""

    registry: Registry
    events: ClientEvents

    def flush_touched(self) -> object:
        """Flush every connection whose session got output."""


class News:
    """Who is still to be told.

    Args:
        host: The broker.
    """

    def __init__(self, host: NewsHost) -> None:
        self._host = host
        self._waiting: list[Connection] = []

    def tell(self) -> None:
        """Tell everybody; who waits for earlier news hears the latest."""
        is_idle = not self._waiting
        self._waiting = list(self._host.registry)
        if is_idle and self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        now, self._waiting = self._waiting[:_CLIENTS_PER_TURN], self._waiting[_CLIENTS_PER_TURN:]
        for connection in now:
            if connection.stopped_at is None:
                self._host.events.tell_anew(connection)
        self._host.flush_touched()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)
