"""From a new connection to an encrypted one, or a refused one.

INFO goes out in clear and the client answers with a ClientHello; or TLS comes first; or the first byte decides.
Nothing is computed before the first record of a client is there as a whole, and then in threads.

Source: nats-server ``server.go`` (createClientEx), ``client.go`` (doTLSServerHandshake).
Task: all but the computing runs on the broker's loop; while a thread computes, nothing is read.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable
from typing import cast

from natsctl.broker.channel import Channel
from natsctl.broker.tls.faults import NOT_TLS, describe
from natsctl.broker.tls.security import Security
from natsctl.broker.tls.session import TlsSession
from natsctl.broker.tls.transport import TlsTransport
from natsctl.errors import ClosedReason, WireError

__all__ = ["Handshake"]

_HANDSHAKE = 22
"""Type of the record that a ClientHello comes in."""
_RECORD_HEADER_BYTES = 5
_MAX_RECORD_BYTES = 16384


class Handshake(asyncio.BufferedProtocol):
    """The protocol of a socket until it is known how the client wants to speak.

    Args:
        security: The TLS side of the port.
        connection: What the socket will belong to.
    """

    def __init__(self, security: Security, connection: Channel) -> None:
        self._security = security
        self._connection = connection
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._is_greeted = security.options.handshake_first_s == 0
        self._is_awaited = False
        """Whether the client owes us a ClientHello, or the rest of its handshake."""
        self._is_first = False
        self._hello = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._step: asyncio.Future[None] | None = None

    # ---- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the connection greet, or wait for the client to begin."""
        self._transport = cast(asyncio.Transport, transport)
        connection, wait_s = self._connection, self._security.options.handshake_first_s
        connection.connection_made(transport)
        if connection.stopped_at is not None:
            return
        connection.pinger.stop()  # it would speak in clear
        if 0 < wait_s < math.inf:
            self._set_timer(wait_s, self._greet)
        else:
            self._is_first = not self._is_greeted
            self._await_hello()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend room for one read."""
        return self._security.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in a piece of the handshake."""
        if self._connection.stopped_at is not None:
            return
        data = self._security.read_buffer[:nbytes]
        if self._tls is not None:
            self._incoming.write(data)
            self._advance(self._tls)
        else:
            self._hello += data
            self._consider()

    def eof_received(self) -> None:
        """The peer has said all: let the transport close."""

    def pause_writing(self) -> None:
        """The socket has not taken all of INFO."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """The socket has taken it."""
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client gave up."""
        self._drop_timer()
        if self._step is not None:
            self._step.cancel()
        if self._connection.stopped_at is None:
            self._fail("EOF" if exc is None else str(exc))
        self._connection.connection_lost(exc)

    # ---- the first bytes

    def _greet(self) -> None:
        """TLS did not come first: say INFO in clear."""
        self._is_greeted = True
        self._connection.greet()
        self._await_hello()

    def _await_hello(self) -> None:
        if self._security.allows_plain:
            self._set_timer(self._security.options.timeout_s, self._go_on_in_clear)
        else:
            self._begin()

    def _begin(self) -> None:
        """From here on the client has so long to do its part."""
        self._is_awaited = True
        if not self._security.rate_limit.allows():
            text = "Connection throttling is active. Please try again later."
            self._connection.session.fail(WireError(ClosedReason.MAX_CONNECTIONS_EXCEEDED, wire=text))
            return
        self._connection.debug("Starting TLS client connection handshake")
        self._set_timer(self._security.options.timeout_s, self._miss_deadline)

    def _consider(self) -> None:
        hello = self._hello
        is_tls = hello[0] == _HANDSHAKE
        if not self._is_greeted and not self._is_first:
            self._is_first = is_tls
            if not is_tls:
                self._greet()
        if not self._is_awaited:
            if self._security.allows_plain and not is_tls:
                self._go_on_in_clear()
                return
            self._begin()
        if self._connection.stopped_at is not None:
            return
        size = int.from_bytes(hello[3:_RECORD_HEADER_BYTES], "big")
        if not is_tls or size > _MAX_RECORD_BYTES:
            self._connection.debug(f"TLS handshake error: {NOT_TLS}")
            self._connection.drop(ClosedReason.TLS_HANDSHAKE_FAILURE)
        elif len(hello) >= _RECORD_HEADER_BYTES + size:
            self._tls = self._security.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._incoming.write(hello)
            hello.clear()
            self._advance(self._tls)

    def _go_on_in_clear(self) -> None:
        """The client does without TLS, and may."""
        self._drop_timer()
        connection, hello = self._connection, self._hello
        self._transport.set_protocol(connection)
        connection.pinger.start()
        connection.admit()
        if hello:
            connection.get_buffer(-1)[: len(hello)] = hello
            connection.buffer_updated(len(hello))

    # ---- the handshake

    def _advance(self, tls: ssl.SSLObject) -> None:
        self._transport.pause_reading()
        self._step = self._connection.loop.run_in_executor(self._security.threads, tls.do_handshake)
        self._step.add_done_callback(lambda step: self._go_on(tls, step))

    def _go_on(self, tls: ssl.SSLObject, step: asyncio.Future[None]) -> None:
        error = None if step.cancelled() else step.exception()
        if step.cancelled() or self._connection.stopped_at is not None:
            return
        if self._outgoing.pending:
            self._transport.write(self._outgoing.read())
        if error is None:
            self._complete(tls)
        elif isinstance(error, ssl.SSLWantReadError):
            self._transport.resume_reading()
        else:
            self._fail(describe(error))

    def _complete(self, tls: ssl.SSLObject) -> None:
        self._drop_timer()
        connection, security = self._connection, self._security
        session = TlsSession.of(tls, self._is_first)
        if security.pins and not self._is_pinned(session):
            self._fail("certificate not pinned")
            return
        connection.debug("TLS handshake complete")
        connection.debug(f"TLS version {session.version}, cipher suite {session.suite}")
        transport = TlsTransport(self._transport, connection, tls, self._incoming, self._outgoing, security.read_buffer)
        self._transport.set_protocol(transport)
        connection.secure(transport, session)
        connection.pinger.start()
        if not self._is_greeted:
            connection.greet()
        connection.admit()
        transport.start()

    def _is_pinned(self, session: TlsSession) -> bool:
        if not session.certificates:
            self._connection.debug("Failed pinned cert test as client did not provide a certificate")
            return False
        from natsctl.pki.presented import PresentedCertificate  # loaded by now; only pins need it

        try:
            key = PresentedCertificate(session.certificates[0]).public_key_sha256
        except ValueError:
            key = "unknown"
        if key not in self._security.pins:
            self._connection.debug(f"Failed pinned cert test for key id: {key}")
        return key in self._security.pins

    # ---- how it may end

    def _fail(self, text: str) -> None:
        connection = self._connection
        self._security.log.error(f"{connection.tag} - TLS handshake error: {text}")
        connection.drop(ClosedReason.TLS_HANDSHAKE_FAILURE)

    def _miss_deadline(self) -> None:
        if self._step is not None:
            self._step.cancel()
        self._connection.debug("TLS handshake timeout")
        self._connection.abort(ClosedReason.TLS_HANDSHAKE_FAILURE)

    def _set_timer(self, delay_s: float, act: Callable[[], None]) -> None:
        self._drop_timer()
        self._timer = self._connection.loop.call_later(delay_s, act)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
