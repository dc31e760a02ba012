"""Numbered messages as fast as sockets take them, and readers that check every byte of what must come."""

from __future__ import annotations

import asyncio
import sys
import time

from tests.support.wire import WireClient

__all__ = ["BLOCK", "Flood", "Follower"]

BLOCK = 1000
"""Messages that are made, sent and checked at once."""
_READ_BYTES = 1 << 20
_PING = b"PING\r\n"


def _block(form: bytes, number: int) -> bytes:
    return form.replace(b"#####", b"%05d" % number)


class Follower:
    """A subscriber that must get the whole flood, each message once and in order.

    Attributes:
        until: How many there will be, once that is known.
    """

    def __init__(self, client: WireClient, subject: bytes, size: int) -> None:
        self.client = client
        self.until = sys.maxsize
        filling = b"x" * (size - 8)
        self._form = b"".join(b"MSG %b 1 %d\r\n#####%03d%b\r\n" % (subject, size, n, filling) for n in range(BLOCK))
        self._expected = _block(self._form, 0)
        self._number = 0
        self._at = 0
        self._ping = b""  # the part of one that has come
        self._frame_bytes = len(self._form) // BLOCK

    @classmethod
    async def open(cls, port: int, subject: bytes, size: int) -> Follower:
        """Subscribe."""
        client = await WireClient.open(port, protocol=0)
        await client.send(b"SUB %b 1\r\n" % subject)
        assert await client.sync() == []
        return cls(client, subject, size)

    @property
    def received(self) -> int:
        """Whole messages so far."""
        return self._number * BLOCK + self._at // self._frame_bytes

    async def follow(self) -> None:
        """Read and check until the last message has come."""
        while self.received < self.until:
            await self.read()

    async def read(self) -> None:
        """Read once and check."""
        data = await asyncio.get_running_loop().sock_recv(self.client.socket, _READ_BYTES)
        assert data, "cut by the server"
        data = (self._ping + data).replace(_PING, b"")
        ping = data.rfind(b"P", -len(_PING))  # no message has a P
        data, self._ping = (data[:ping], data[ping:]) if ping >= 0 else (data, b"")
        at = 0
        while at < len(data):
            expected = self._expected[self._at : self._at + len(data) - at]
            assert data.startswith(expected, at), f"{data[at : at + 80]!r} instead of {expected[:80]!r}"
            at += len(expected)
            self._at += len(expected)
            if self._at == len(self._expected):
                self._number += 1
                self._at = 0
                self._expected = _block(self._form, self._number)


class Flood:
    """A publisher of numbered messages.

    Attributes:
        sent: Messages so far.
    """

    def __init__(self, client: WireClient, subject: bytes, size: int) -> None:
        self._client = client
        filling = b"x" * (size - 8)
        self._form = b"".join(b"PUB %b %d\r\n#####%03d%b\r\n" % (subject, size, n, filling) for n in range(BLOCK))
        self.sent = 0
        self._began = time.monotonic()

    async def send(self, rate: float = 0.0) -> None:
        """Send a block, when its time has come.

        Units: ``rate`` messages per second; 0: at once.
        """
        if rate:
            await asyncio.sleep(max(0.0, self._began + self.sent / rate - time.monotonic()))
        await asyncio.get_running_loop().sock_sendall(self._client.socket, _block(self._form, self.sent // BLOCK))
        self.sent += BLOCK
