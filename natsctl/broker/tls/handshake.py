"""From a new connection to an encrypted one, or a refused one.

INFO goes out in clear and the client answers with a ClientHello; or TLS comes first; or the first byte decides.

Source: nats-server ``server.go`` (createClientEx), ``client.go`` (doTLSServerHandshake).
Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable
from typing import cast

from natsctl.broker.channel import Channel
from natsctl.broker.tls.faults import NOT_TLS
from natsctl.broker.tls.negotiation import HANDSHAKE, Negotiation
from natsctl.broker.tls.security import Security
from natsctl.broker.tls.session import TlsSession
from natsctl.broker.tls.transport import TlsTransport
from natsctl.errors import ClosedReason, WireError

__all__ = ["Handshake"]


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
        self._is_first = False
        self._negotiation: Negotiation | None = None
        """What the client owes us; None while it may still do without TLS, or begin with it."""

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
        if self._negotiation is None:
            self._consider(data)
        if self._negotiation is not None:
            self._negotiation.feed(data)

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
        negotiation, self._negotiation = self._negotiation, None
        if negotiation is not None:
            negotiation.cancel()
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
        if not self._security.rate_limit.allows():
            text = "Connection throttling is active. Please try again later."
            self._connection.session.fail(WireError(ClosedReason.MAX_CONNECTIONS_EXCEEDED, wire=text))
            return
        kind = self._connection.peer_kind.lower()
        self._connection.debug(f"Starting TLS {f'{kind} server' if kind else 'client connection'} handshake")
        self._set_timer(self._security.options.timeout_s, self._miss_deadline)
        security = self._security
        self._negotiation = Negotiation(self._transport, security.context, security.threads, self._complete, self._fail)

    def _consider(self, data: memoryview) -> None:
        """See from the first byte how the client wants to speak."""
        is_tls = data[0] == HANDSHAKE
        if not self._is_greeted and not self._is_first:
            self._is_first = is_tls
            if not is_tls:
                self._greet()
        if self._negotiation is not None:
            return
        if self._security.allows_plain and not is_tls:
            self._go_on_in_clear(data)
        else:
            self._begin()

    def _go_on_in_clear(self, data: memoryview | None = None) -> None:
        """The client does without TLS, and may."""
        self._drop_timer()
        connection = self._connection
        self._transport.set_protocol(connection)
        connection.pinger.start()
        connection.admit()
        if data is not None:
            connection.get_buffer(-1)[: len(data)] = data
            connection.buffer_updated(len(data))

    # ---- the handshake

    def _complete(self, tls: ssl.SSLObject) -> None:
        negotiation, self._negotiation = self._negotiation, None
        if negotiation is None or self._connection.stopped_at is not None:
            return
        self._drop_timer()
        connection, security = self._connection, self._security
        session = TlsSession.of(tls, self._is_first)
        if security.pins and not self._is_pinned(session):
            self._fail("certificate not pinned")
            return
        connection.debug("TLS handshake complete")
        connection.debug(f"TLS version {session.version}, cipher suite {session.suite}")
        transport = TlsTransport(self._transport, connection, tls, negotiation, security.read_buffer)
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
        if connection.stopped_at is not None:
            return
        kind = f"{connection.peer_kind.lower()} " if connection.peer_kind else ""
        message = f"TLS {kind}handshake error: {text}"
        if text == NOT_TLS:
            connection.debug(message)
        else:
            self._security.log.error(f"{connection.tag} - {message}")
        connection.drop(ClosedReason.TLS_HANDSHAKE_FAILURE)

    def _miss_deadline(self) -> None:
        if self._negotiation is not None:
            self._negotiation.cancel()
        self._connection.debug("TLS handshake timeout")
        self._connection.abort(ClosedReason.TLS_HANDSHAKE_FAILURE)

    def _set_timer(self, delay_s: float, act: Callable[[], None]) -> None:
        self._drop_timer()
        self._timer = self._connection.loop.call_later(delay_s, act)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
