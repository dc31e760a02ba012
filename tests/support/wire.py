"""A client that writes raw bytes and reads frames, over a socket."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any, Self

from tests.support.frames import split_frames

__all__ = ["PATIENCE_S", "WireClient", "connect_line"]

PATIENCE_S = 15.0
"""How long a test waits for what must come; no test waits for what must not."""

_READ_BYTES = 262144


def connect_line(**fields: object) -> bytes:
    """Write a CONNECT: quiet, with headers, and what is given on top."""
    document = {"verbose": False, "pedantic": False, "headers": True, "protocol": 1} | fields
    return b"CONNECT " + json.dumps(document).encode() + b"\r\n"


class WireClient:
    """One connection; it reads only when asked, so a test can be a slow consumer."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.info: dict[str, Any] = {}
        self.closed = False
        self.frames: list[bytes] = []  # read, and not yet asked for
        self._rest = b""

    @classmethod
    async def open(cls, port: int, *, receive_buffer: int = 0, **fields: object) -> Self:
        """Connect, read INFO, and send CONNECT with the fields given; without fields, none is sent.

        Args:
            port: On 127.0.0.1.
            receive_buffer: What the kernel may hold for this client; 0 leaves it to the kernel.
            **fields: As for :func:`connect_line`.
        """
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client = cls(sock)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        greeting = await client.read()
        assert greeting.startswith(b"INFO "), greeting
        client.info = json.loads(greeting[5:])
        if fields:
            await client.send(connect_line(**fields))
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def send(self, data: bytes) -> None:
        """Write bytes; a server that has closed already is no error here."""
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self) -> bool:
        """Wait for output and keep its frames; False when the server has closed."""
        if self.closed:
            return False
        try:
            async with asyncio.timeout(PATIENCE_S):
                chunk = await asyncio.get_running_loop().sock_recv(self.socket, _READ_BYTES)
        except ConnectionError:
            chunk = b""
        self.closed = not chunk
        frames, self._rest = split_frames(self._rest + chunk)
        self.frames += frames
        return bool(chunk)

    async def read(self) -> bytes:
        """The next frame.

        Raises:
            EOFError: The server closed before it came.
        """
        while not self.frames:
            if not await self.receive():
                raise EOFError("closed by the server")
        return self.frames.pop(0)

    async def read_until(self, last: bytes) -> list[bytes]:
        """The frames up to, and without, the one given."""
        frames = []
        while (frame := await self.read()) != last:
            frames.append(frame)
        return frames

    async def sync(self) -> list[bytes]:
        """The frames up to now, those before the PONG of a PING; the server's own PINGs are left out."""
        await self.send(b"PING\r\n")
        return [frame for frame in await self.read_until(b"PONG") if frame != b"PING"]

    async def read_to_end(self) -> list[bytes]:
        """The frames up to the server's close."""
        while await self.receive():
            pass
        assert not self._rest, self._rest
        frames, self.frames = self.frames, []
        return frames

    async def leave(self) -> None:
        """Say that nothing more comes, and wait for the server to close."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        while await self.receive():
            pass
        self.close()

    def close(self) -> None:
        """Leave at once."""
        self.closed = True
        self.socket.close()
