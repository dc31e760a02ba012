"""Certificates of a test's own, and a client that speaks TLS and NATS by hand."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

from natsctl.config.options import TlsCertificate, TlsOptions
from natsctl.pki.authority import Authority
from natsctl.pki.keys import DEFAULT_KEY, KeyPolicy
from natsctl.pki.profiles import Profile
from natsctl.pki.request import Request
from tests.support.certs import make_authority, write_pair
from tests.support.frames import split_frames
from tests.support.wire import PATIENCE_S, connect_line

__all__ = ["HALF_HELLO", "Pair", "Pki", "TlsClient", "first_record"]

HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""What a hostile client sends before it says nothing more."""

_READ_BYTES = 262144


def first_record(context: ssl.SSLContext) -> bytes:
    """A whole ClientHello, for a client that then does nothing more."""
    hello = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="127.0.0.1")
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return hello.read()


class Pair(NamedTuple):
    """Paths of a certificate and its key."""

    certificate: Path
    key: Path


class Pki:
    """A CA in a folder, and what it signs.

    Attributes:
        ca: Path of its certificate.
        server: A certificate for 127.0.0.1 and localhost.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = make_authority(datetime.now(UTC) - timedelta(hours=1))
        self.ca = folder / "ca.pem"
        write_pair(self._authority, self.ca)
        self.server = self.issue("server", "127.0.0.1", "localhost")

    def issue(self, name: str, *hosts: str, cn: str = "leaf", key: KeyPolicy = DEFAULT_KEY) -> Pair:
        """Make a certificate that serves on both sides."""
        profile = Profile(("signing", "server auth", "client auth"), timedelta(days=1))
        secret = key.generate()
        request = Request(cn=cn, hosts=list(hosts))
        signed = self._authority.issue(request, secret, profile, datetime.now(UTC) - timedelta(hours=1))
        leaf = Authority(signed, secret)
        path = self._folder / f"{name}.pem"
        write_pair(leaf, path)
        return Pair(path, path.with_name(f"{name}-key.pem"))

    def options(self, *pairs: Pair, **fields: Any) -> TlsOptions:
        """Options of a broker that shows these certificates, or the server's."""
        shown = [TlsCertificate(str(pair.certificate), str(pair.key)) for pair in pairs or [self.server]]
        return TlsOptions(certificates=shown, ca_file=str(self.ca), **fields)

    def block(self, more: str = "") -> str:
        """The same as a line of a configuration file."""
        files = f"cert_file: '{self.server.certificate}', key_file: '{self.server.key}', ca_file: '{self.ca}'"
        return f"tls {{ {files}, {more} }}\n"

    def trust(self, shown: Pair | None = None) -> ssl.SSLContext:
        """The context of a client, perhaps with a certificate of its own."""
        context = ssl.create_default_context(cafile=self.ca)
        if shown is not None:
            context.load_cert_chain(*shown)
        return context


class TlsClient:
    """One connection, in clear until :meth:`encrypt`.

    Attributes:
        info: The first INFO.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames: list[bytes] = []
        self._rest = b""
        self.info: dict[str, Any] = {}

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Open the socket and wait for nothing."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def open(
        cls, port: int, context: ssl.SSLContext, *, first: bool = False, name: str = "127.0.0.1", **fields: object
    ) -> Self:
        """Read INFO, encrypt (or the other way round) and send a CONNECT with these fields; none without fields.

        Raises:
            OSError: The server refused.
        """
        client = await cls.connect(port)
        if first:
            await client.encrypt(context, name)
        await client.greeting()
        if not first:
            await client.encrypt(context, name)
        if fields:
            await client.send(connect_line(**fields))
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def greeting(self) -> dict[str, Any]:
        """Read INFO."""
        line = await self.read()
        assert line.startswith(b"INFO "), line
        self.info = json.loads(line[5:])
        return self.info

    async def encrypt(self, context: ssl.SSLContext, name: str = "127.0.0.1") -> None:
        """Do the handshake."""
        async with asyncio.timeout(PATIENCE_S):
            await self._writer.start_tls(context, server_hostname=name)

    @property
    def tls(self) -> ssl.SSLObject:
        """What the handshake came to."""
        found = self._writer.get_extra_info("ssl_object")
        assert isinstance(found, ssl.SSLObject)
        return found

    async def send(self, data: bytes) -> None:
        """Write bytes."""
        self._writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
            await self._writer.drain()

    def send_past_encryption(self, data: bytes) -> None:
        """Write bytes to the socket as they are."""
        os.write(self._writer.get_extra_info("socket").fileno(), data)

    async def read(self) -> bytes:
        """The next frame; empty at the end.

        Raises:
            OSError: The server broke off.
        """
        while not self._frames:
            async with asyncio.timeout(PATIENCE_S):
                chunk = await self._reader.read(_READ_BYTES)
            if not chunk:
                return b""
            self._frames, self._rest = split_frames(self._rest + chunk)
        return self._frames.pop(0)

    async def sync(self) -> list[bytes]:
        """The frames up to the PONG of a PING."""
        await self.send(b"PING\r\n")
        frames = []
        while (frame := await self.read()) != b"PONG":
            assert frame, "closed by the server"
            frames.append(frame)
        return frames

    async def end(self) -> list[bytes]:
        """What still comes until the server closes, or breaks off."""
        frames = []
        with suppress(OSError):
            while frame := await self.read():
                frames.append(frame)
        return frames

    def abort(self) -> None:
        """Leave without a word; an orderly end of TLS would wait for what was never read."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Leave."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
