"""The record layer: a transport to the connection, a protocol to the socket.

asyncio has one of its own (``start_tls``); it is left out because it computes handshakes on the loop and cannot look at
the first byte.

Task: everything here runs on the broker's loop.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Any, Protocol

from natsctl.broker.tls.negotiation import Negotiation
from natsctl.errors import ClosedReason

__all__ = ["Receiver", "TlsTransport"]


class Receiver(Protocol):
    """What is encrypted: a connection of a client, or one of monitoring."""

    def get_buffer(self, sizehint: int, /) -> memoryview:
        """Lend room for what is decrypted."""

    def buffer_updated(self, nbytes: int, /) -> None:
        """Take in what was decrypted."""

    def pause_writing(self) -> None:
        """Write no more for now."""

    def resume_writing(self) -> None:
        """Write again."""

    def connection_lost(self, exc: Exception | None, /) -> None:
        """The socket is gone."""

    def drop(self, reason: ClosedReason, /) -> None:
        """Close: what came cannot be decrypted."""

    def abort(self, reason: ClosedReason, /) -> None:
        """Close at once: nothing can be encrypted."""


class TlsTransport(asyncio.BufferedProtocol, asyncio.Transport):
    """Encrypts what a connection writes and decrypts what it reads.

    Args:
        transport: The socket's.
        connection: Whose.
        tls: After its handshake.
        negotiation: That handshake, with the records that came behind it.
        read_buffer: For what the socket brings, shared by all connections.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        connection: Receiver,
        tls: ssl.SSLObject,
        negotiation: Negotiation,
        read_buffer: memoryview,
    ) -> None:
        super().__init__()
        self._transport = transport
        self._connection = connection
        self._tls = tls
        self._incoming = negotiation.incoming
        self._outgoing = negotiation.outgoing
        self._read_buffer = read_buffer
        self._is_reading = True
        self._is_decrypting = False

    # ---- what the loop calls

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend room for one read."""
        return self._read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in records."""
        self._incoming.write(self._read_buffer[:nbytes])
        self._decrypt()

    def eof_received(self) -> None:
        """The peer has said all: let the transport close."""

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._is_reading = False
        self._connection.connection_lost(exc)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell of the socket, and that it is encrypted."""
        return self._tls.context if name == "sslcontext" else self._transport.get_extra_info(name, default)

    # ---- input

    def start(self) -> None:
        """Read, beginning with what came behind the handshake."""
        self._decrypt()
        if self._is_reading:
            self._transport.resume_reading()

    def _decrypt(self) -> None:
        if self._is_decrypting:
            return
        self._is_decrypting = True
        try:
            while self._is_reading and not self._transport.is_closing():
                view = self._connection.get_buffer(-1)
                n_bytes, is_dry = self._fill(view)
                if self._outgoing.pending:
                    self._refuse_renegotiation()
                    break
                if n_bytes:
                    self._connection.buffer_updated(n_bytes)
                if is_dry:
                    break
        except ssl.SSLError:
            self._send_records()  # the alert that says so
            self._connection.drop(ClosedReason.READ_ERROR)
        finally:
            self._is_decrypting = False

    def _fill(self, view: memoryview) -> tuple[int, bool]:
        """Decrypt into a view; how many bytes, and whether no whole record is left."""
        room, filled, read = len(view), 0, self._tls.read
        try:
            while filled < room:
                n_bytes = read(room - filled, view[filled:])
                if not n_bytes:  # the peer says that it has said all
                    self.close()
                    return filled, True
                filled += n_bytes  # type: ignore[operator]  # with a buffer it gives a number
        except ssl.SSLWantReadError:
            return filled, True
        except ssl.SSLError:
            if not filled:
                raise
        return filled, False

    def _refuse_renegotiation(self) -> None:
        """OpenSSL has written while it read: a warning that it goes into no second handshake, and no other thing.

        It would go on, and let the peer ask again and again.
        """
        self._send_records()
        self._connection.drop(ClosedReason.READ_ERROR)

    def pause_reading(self) -> None:
        """Leave what comes in the socket, and what came encrypted."""
        self._is_reading = False
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on, but not from within the call that another connection's input came by: all share one buffer."""
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._is_reading and not self._transport.is_closing():
            self.start()

    # ---- output

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Encrypt and send."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._tls.write(view) :]
        except ssl.SSLError:
            self._connection.abort(ClosedReason.WRITE_ERROR)
            return
        self._send_records()

    def _send_records(self) -> None:
        if self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def get_write_buffer_size(self) -> int:
        """Bytes of records that the socket has not taken; a little more than they were before encryption."""
        return self._transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say when writing is paused."""
        self._transport.set_write_buffer_limits(high, low)

    # ---- the end

    def _say_goodbye(self) -> None:
        """Tell the peer that nothing was cut off."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._send_records()

    def write_eof(self) -> None:
        """Say that all is said; the peer may still be read."""
        self._say_goodbye()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what is written, and close."""
        if not self._transport.is_closing():
            self._say_goodbye()
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()
