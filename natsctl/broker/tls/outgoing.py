"""From a connection that we opened to an encrypted one, or none.

TLS comes first, or after the INFO of the server, if that or the configuration demands it. Nothing that was said in
clear behind such an INFO counts: somebody on the way could have said it.

Source: nats-server ``leafnode.go`` (leafClientHandshakeIfNeeded), ``client.go`` (doTLSClientHandshake).
Task: all but the computing of handshakes runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from natsctl.broker.channel import Channel
from natsctl.broker.logs import Logger
from natsctl.broker.tls.context import outgoing_context
from natsctl.broker.tls.negotiation import Negotiation
from natsctl.broker.tls.session import TlsSession
from natsctl.broker.tls.transport import TlsTransport
from natsctl.config.options import TlsOptions
from natsctl.errors import ClosedReason, WireError

__all__ = ["Encryption", "OutgoingHandshake"]

_READ_BYTES = 262144
_MAX_GREETING_BYTES = 65536


class Encryption:
    """How servers are called over TLS: what all calls by the same options share.

    Args:
        options: The ``tls`` block, or what stands for it where there is none.
        log: Told of handshakes that failed.
    """

    def __init__(self, options: TlsOptions, log: Logger) -> None:
        self.options = options
        self.log = log
        self.context = outgoing_context(options)
        self.pins = frozenset(pin.lower() for pin in options.pinned_certs)
        self.read_buffer = memoryview(bytearray(_READ_BYTES))
        """Shared by all connections: what is read is taken over before the loop goes on."""


class OutgoingHandshake(asyncio.BufferedProtocol):
    """The protocol of a socket that we opened until it is encrypted, or known to stay in clear.

    Args:
        encryption: How it is done.
        connection: What the socket will belong to.
        server_name: Whose certificate it must be.
        wants_tls: Tells from the line of the server's INFO whether TLS comes next, and raises WireError where the
            server cannot be meant; None begins with TLS.
    """

    def __init__(
        self,
        encryption: Encryption,
        connection: Channel,
        server_name: str,
        wants_tls: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._encryption = encryption
        self._connection = connection
        self._server_name = server_name
        self._wants_tls = wants_tls
        self._transport: asyncio.Transport
        self._negotiation: Negotiation | None = None
        self._greeting = b""
        self._timer: asyncio.TimerHandle | None = None

    # ---- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or wait for INFO."""
        self._transport = cast(asyncio.Transport, transport)
        self._connection.connection_made(transport)
        self._connection.pinger.stop()  # it would speak in clear
        if self._wants_tls is None and self._connection.stopped_at is None:
            self._encrypt()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend room for one read."""
        return self._encryption.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in a piece of INFO, or of the handshake."""
        if self._connection.stopped_at is not None:
            return
        data = self._encryption.read_buffer[:nbytes]
        if self._negotiation is not None:
            self._negotiation.feed(data)
            return
        self._greeting += data
        if b"\n" in self._greeting or len(self._greeting) > _MAX_GREETING_BYTES:
            self._consider()

    def eof_received(self) -> None:
        """The server has said all: let the transport close."""

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server gave up."""
        self._drop_timer()
        negotiation, self._negotiation = self._negotiation, None
        if negotiation is not None:
            negotiation.cancel()
            self._fail("EOF" if exc is None else str(exc))
        self._connection.connection_lost(exc)

    # ---- in clear or not

    def _consider(self) -> None:
        assert self._wants_tls is not None
        line, _, rest = self._greeting.partition(b"\n")
        try:
            wants_tls = self._wants_tls(line)
        except WireError as error:
            self._connection.session.fail(error)
            return
        if not wants_tls:
            self._transport.set_protocol(self._connection)
            self._hand_over()
        elif rest:
            self._fail("the server went on in clear")
        else:
            self._encrypt()

    def _hand_over(self) -> None:
        """Give the connection what came before it was its own."""
        connection, greeting = self._connection, self._greeting
        connection.pinger.start()
        if greeting:
            connection.get_buffer(-1)[: len(greeting)] = greeting
            connection.buffer_updated(len(greeting))

    # ---- the handshake

    def _encrypt(self) -> None:
        connection, encryption = self._connection, self._encryption
        connection.debug(f"Starting TLS {connection.peer_kind.lower()} client handshake")
        self._timer = connection.loop.call_later(encryption.options.timeout_s, self._miss_deadline)
        self._negotiation = Negotiation(self._transport, encryption.context, None, self._complete, self._fail)
        self._negotiation.call(self._server_name)

    def _complete(self, tls: ssl.SSLObject) -> None:
        negotiation, self._negotiation = self._negotiation, None
        if negotiation is None or self._connection.stopped_at is not None:
            return
        self._drop_timer()
        connection, encryption = self._connection, self._encryption
        session = TlsSession.of(tls, is_first=self._wants_tls is None)
        if encryption.pins and session.public_key_sha256 not in encryption.pins:
            self._fail("certificate not pinned")
            return
        connection.debug("TLS handshake complete")
        connection.debug(f"TLS version {session.version}, cipher suite {session.suite}")
        transport = TlsTransport(self._transport, connection, tls, negotiation, encryption.read_buffer)
        self._transport.set_protocol(transport)
        connection.secure(transport, session)
        connection.greet()
        self._hand_over()
        transport.start()

    # ---- how it may end

    def _fail(self, text: str) -> None:
        connection = self._connection
        if connection.stopped_at is None:
            self._encryption.log.error(f"{connection.tag} - TLS {connection.peer_kind.lower()} handshake error: {text}")
            connection.drop(ClosedReason.TLS_HANDSHAKE_FAILURE)

    def _miss_deadline(self) -> None:
        if self._negotiation is not None:
            self._negotiation.cancel()
        self._connection.debug("TLS handshake timeout")
        self._connection.abort(ClosedReason.TLS_HANDSHAKE_FAILURE)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
