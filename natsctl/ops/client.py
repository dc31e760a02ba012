"""The client of nats-py, made safe against what other clients and servers may send.

nats-py ends its read loop at a subject that is no UTF-8, at a header block it cannot read and at a PONG nobody waits
for any more, and then stays silent for ever; after a failed TLS handshake it waits for an end that asyncio never tells
of; it keeps one value per header name; its flush overtakes what it should flush; it does not read why a full server
hung up; and it goes on in clear when ``tls://`` was asked for and the server offers no TLS. All of that is put right
here, in the methods nats-py calls itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import ParseResult

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.errors import Error, SecureConnWantedError

from natsctl.ops.message import HeaderBlock, Message, parse_headers

__all__ = ["RepeatedHeaders", "RobustClient", "to_message"]


class RepeatedHeaders(dict[str, str]):
    """Headers in the form nats-py sends: pairs, where a name may come up more than once."""

    def __init__(self, headers: Mapping[str, Sequence[str]]) -> None:
        super().__init__((name, values[0]) for name, values in headers.items() if values)
        self._pairs = [(name, value) for name, values in headers.items() for value in values]

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]  # nats-py only iterates over the pairs
        """Yield every name with each of its values."""
        return iter(self._pairs)


class RobustClient(Client):
    """`nats.aio.client.Client` that survives hostile messages and keeps a promise of TLS."""

    def __init__(self, *, wants_tls: bool, has_certificate: bool = False) -> None:
        super().__init__()
        self._wants_tls = wants_tls
        self._has_certificate = has_certificate
        self._transport = _Transport()

    @property
    def has_headers(self) -> bool:
        """Whether the server takes headers."""
        return bool(self._server_info.get("headers"))

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection and self._wants_tls and not info.get("tls_required"):
            if not info.get("tls_available"):
                raise SecureConnWantedError
            info["tls_required"] = True
        if initial_connection and info.get("tls_required") and info.get("tls_verify") and not self._has_certificate:
            raise _CertificateWantedError
        await super()._process_info(info, initial_connection)

    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        # nats-py writes the PING ahead of what is still pending, so that its PONG would prove nothing.
        self._pongs.append(asyncio.get_running_loop().create_future() if future is None else future)
        await self._send_command(b"PING\r\n")
        await self._flush_pending()

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            self._pongs.pop(0)
        else:
            await super()._process_pong()

    async def _process_headers(self, headers: bytes | None) -> Any:
        return parse_headers(headers) if headers else None

    def _build_message(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: Any) -> Msg:
        return Msg(
            _client=self,
            subject=subject.decode(errors="replace"),
            reply=reply.decode(errors="replace"),
            data=data,
            headers=headers,
            _sid=sid,
        )


class _CertificateWantedError(Error):
    """With TLS 1.3 the server's own word for it comes only after the handshake, and nobody reads it any more."""

    def __str__(self) -> str:
        return "nats: the server demands a client certificate"


class _Reader(asyncio.StreamReader):
    """Hands out what came before the connection broke.

    A server that is full says so and hangs up without reading; what we send it meanwhile breaks the connection.
    """

    failure: Exception | None = None

    def set_exception(self, exc: Exception) -> None:
        """Keep why the connection broke until all is read."""
        self.failure = exc
        self.feed_eof()


class _Transport(TcpTransport):
    """A transport that is not awaited after a failed TLS handshake, and is read to its end."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # nats-py has no annotation here
        self._is_broken = False
        self._plain_reader: _Reader | None = None

    def __bool__(self) -> bool:
        # nats-py puts a transport of its own in the place of one that is false.
        return True

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        self._is_broken = False
        loop = asyncio.get_running_loop()
        self._plain_reader = reader = _Reader(limit=buffer_size, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        opening = loop.create_connection(lambda: protocol, uri.hostname or "", uri.port or 0)
        transport, _ = await asyncio.wait_for(opening, connect_timeout)
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = asyncio.StreamWriter(transport, protocol, reader, loop)

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: int
    ) -> None:
        try:
            await super().connect_tls(uri, ssl_context, buffer_size, connect_timeout)
        except BaseException:
            self._is_broken = True
            raise

    async def read(self, buffer_size: int) -> bytes:
        return self._unless_broken(await super().read(buffer_size))

    async def readline(self) -> bytes:
        return self._unless_broken(await super().readline())  # type: ignore[no-untyped-call]  # the same

    def _unless_broken(self, data: bytes) -> bytes:
        if not data and self._plain_reader and self._plain_reader.failure:
            raise self._plain_reader.failure
        return data

    async def drain(self) -> None:
        try:
            await super().drain()  # type: ignore[no-untyped-call]  # the same
        except OSError:  # what is still to be read says why
            if self.at_eof():  # type: ignore[no-untyped-call]  # the same
                raise

    async def wait_closed(self) -> None:
        if not self._is_broken:
            with contextlib.suppress(OSError):  # why the connection ended was told before
                await super().wait_closed()  # type: ignore[no-untyped-call]  # the same


def to_message(msg: Msg) -> Message:
    """Take a message over from nats-py, with the time of its arrival."""
    block = msg.headers if isinstance(msg.headers, HeaderBlock) else HeaderBlock()
    return Message(
        subject=msg.subject,
        body=msg.data,
        reply=msg.reply,
        headers=block.fields,
        status=block.status,
        sid=msg.sid,
        received_at=time.time(),
        received_mono=time.monotonic(),
    )
