"""One HTTP connection, held to limits: who is slow or never reads cannot stay, and many cannot keep others out."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["HttpConnection", "Waiting"]

_PATIENCE_S = 30.0
"""How long a request may take to come in whole, and its answer to be read."""
_MAX_CONNECTIONS = 256


class _Waiter(Protocol):
    """A connection, or a handshake that may become one."""

    transport: asyncio.Transport


class Waiting:
    """The connections in the order in which they were last answered.

    When there are too many, the one that has gone without an answer for longest is cut off: idle and slow ones before
    those that ask and read.
    """

    def __init__(self) -> None:
        self._connections: dict[_Waiter, None] = {}

    def enter(self, connection: _Waiter) -> None:
        """A connection was made."""
        if len(self._connections) >= _MAX_CONNECTIONS:
            longest = next(iter(self._connections))
            self.leave(longest)
            longest.transport.abort()
        self._connections[connection] = None

    def answered(self, connection: _Waiter) -> None:
        """A connection got an answer."""
        if connection in self._connections:
            del self._connections[connection]
            self._connections[connection] = None

    def leave(self, connection: _Waiter) -> None:
        """A connection is gone."""
        self._connections.pop(connection, None)

    def abort(self) -> None:
        """Cut all off."""
        for connection in tuple(self._connections):
            connection.transport.abort()


class HttpConnection(H11Protocol):
    """Uvicorn's protocol with a deadline for each request and its answer.

    Args:
        config: Uvicorn's settings.
        state: What all connections share.
        waiting: Where it queues.
        log: Gets what goes wrong on our side.
    """

    def __init__(self, config: Config, state: ServerState, waiting: Waiting, log: logging.Logger) -> None:
        super().__init__(config, state, {})
        self.logger = log
        self.access_log = False
        self._waiting = waiting
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin, and wait for a request."""
        super().connection_made(transport)
        self._waiting.enter(self)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        """Take in a piece of a request."""
        if self._deadline is None:
            self._set_deadline()
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # nonsense behind a request whose answer is on the way: no place for a 400
            self.transport.abort()

    def on_response_complete(self) -> None:
        """An answer was handed to the transport; idling between requests has uvicorn's own limit."""
        self._waiting.answered(self)
        self._drop_deadline()
        if self.transport.get_write_buffer_size():
            self._set_deadline()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._drop_deadline()
        self._waiting.leave(self)
        super().connection_lost(exc)

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(_PATIENCE_S, self.transport.abort)

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
