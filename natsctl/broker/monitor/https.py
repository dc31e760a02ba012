"""Monitoring over TLS: handshakes are computed in a thread, so that whoever scrapes, or storms, holds no message up.

Source: Go's ``net/http`` for the answer to a client that forgot the s of https.
Task: all but the computing runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from natsctl.broker.listener import join_address
from natsctl.broker.logs import Logger
from natsctl.broker.monitor.http import HttpConnection, Waiting
from natsctl.broker.tls.context import monitoring_context
from natsctl.broker.tls.negotiation import Negotiation
from natsctl.broker.tls.transport import TlsTransport
from natsctl.config.options import TlsOptions
from natsctl.errors import ClosedReason

__all__ = ["Https"]

_READ_BYTES = 65536
_METHODS = (b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO")
_NOT_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


class Https:
    """What all encrypted connections of the monitoring port share.

    Args:
        options: The ``tls`` block.
        waiting: Where connections queue.
        log: Told of handshakes that fail.
        make: Gives the protocol of a new connection.
    """

    def __init__(self, options: TlsOptions, waiting: Waiting, log: Logger, make: Callable[[], HttpConnection]) -> None:
        self.context = monitoring_context(options)
        self.timeout_s = options.timeout_s
        self.waiting = waiting
        self.log = log
        self.make = make
        self.threads = ThreadPoolExecutor(1, thread_name_prefix="natsctl-https")
        self.records = memoryview(bytearray(_READ_BYTES))
        """Shared by all connections, as is the next: what is read is taken over before the loop goes on."""
        self.plain = memoryview(bytearray(_READ_BYTES))

    def accept(self) -> asyncio.BufferedProtocol:
        """Give the protocol of a new socket."""
        return _Handshake(self)

    def close(self) -> None:
        """Begin no further handshake."""
        self.threads.shutdown(wait=False, cancel_futures=True)


class _Handshake(asyncio.BufferedProtocol):
    """The protocol of a socket until it is encrypted."""

    transport: asyncio.Transport

    def __init__(self, https: Https) -> None:
        self._https = https
        self._negotiation: Negotiation | None = None
        self._timer: asyncio.TimerHandle
        self._is_begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a ClientHello."""
        self.transport = cast(asyncio.Transport, transport)
        https = self._https
        self._negotiation = Negotiation(self.transport, https.context, https.threads, self._complete, self._fail)
        https.waiting.enter(self)
        self._timer = asyncio.get_running_loop().call_later(https.timeout_s, self._fail, "i/o timeout")

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend room for one read."""
        return self._https.records

    def buffer_updated(self, nbytes: int) -> None:
        """Take in a piece of the handshake."""
        data = self._https.records[:nbytes]
        if not self._is_begun and bytes(data[:5]) in _METHODS:
            self.transport.write(_NOT_HTTP)
            self._fail("client sent an HTTP request to an HTTPS server")
        elif self._negotiation is not None:
            self._is_begun = True
            self._negotiation.feed(data)

    def eof_received(self) -> None:
        """The peer has said all: let the transport close."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The client gave up, or was cut off."""
        self._fail("EOF" if exc is None else str(exc))

    def _complete(self, tls: ssl.SSLObject) -> None:
        negotiation = self._end()
        if negotiation is None:
            return
        https = self._https
        reader = _Reader(https.make(), https.plain)
        transport = TlsTransport(self.transport, reader, tls, negotiation, https.records)
        self.transport.set_protocol(transport)
        reader.start(transport)
        transport.start()

    def _fail(self, text: str) -> None:
        negotiation = self._end()
        if negotiation is None:
            return
        negotiation.cancel()
        peer = self.transport.get_extra_info("peername") or ("", 0)
        self._https.log.error(f"monitoring: TLS handshake error from {join_address(*peer[:2])}: {text}")
        self.transport.close()

    def _end(self) -> Negotiation | None:
        """Give the handshake that has ended now; None if it had before."""
        self._timer.cancel()
        self._https.waiting.leave(self)
        negotiation, self._negotiation = self._negotiation, None
        return negotiation


class _Reader:
    """Hands to uvicorn's protocol what was decrypted."""

    def __init__(self, connection: HttpConnection, buffer: memoryview) -> None:
        self._connection = connection
        self._buffer = buffer

    def start(self, transport: asyncio.Transport) -> None:
        """Let the connection begin."""
        self._connection.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend room for what is decrypted."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was decrypted."""
        self._connection.data_received(bytes(self._buffer[:nbytes]))

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._connection.connection_lost(exc)
        del self._connection  # it holds the transport, and that holds us

    def drop(self, _reason: ClosedReason) -> None:
        """What came cannot be decrypted; whoever sent it has heard so."""
        self._connection.transport.close()

    def abort(self, _reason: ClosedReason) -> None:
        """Nothing can be encrypted any more."""
        self._connection.transport.abort()
