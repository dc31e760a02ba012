"""Lines from a stream that may be slow, endless or hostile, without holding up the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from natsctl.errors import UsageError
from natsctl.ops.blocking import BlockingThread

__all__ = ["ByteStream", "read_lines", "read_whole"]

_CHUNK_BYTES = 64 * 1024


class ByteStream(Protocol):
    """What can be read piece by piece, such as ``sys.stdin.buffer``."""

    def read1(self, size: int, /) -> bytes:
        """Read what there is, at most ``size`` bytes; empty at the end."""


async def read_lines(stream: ByteStream, max_bytes: int) -> AsyncIterator[tuple[int, bytes]]:
    r"""Yield number, from 1, and content of each line as soon as it is there; the line end is cut off.

    Wire: lines end with ``\n`` or ``\r\n``; the last one needs no end.

    Raises:
        UsageError: A line is longer than ``max_bytes``.
    """
    thread = BlockingThread("natsctl-input")
    number, rest = 0, b""
    while chunk := await thread.call(stream.read1, _CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, _checked(line.removesuffix(b"\r"), number, max_bytes)
        _checked(rest, number + 1, max_bytes + 1)  # its end may be under way as \r\n
    if rest:
        yield number + 1, _checked(rest, number + 1, max_bytes)


async def read_whole(stream: ByteStream, max_bytes: int) -> bytes:
    """Read a stream to its end.

    Raises:
        UsageError: It has more than ``max_bytes``.
    """
    thread = BlockingThread("natsctl-input")
    content = bytearray()
    while chunk := await thread.call(stream.read1, _CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise UsageError(f"the input is longer than the {max_bytes} bytes a message may have")
    return bytes(content)


def _checked(line: bytes, number: int, max_bytes: int) -> bytes:
    if len(line) > max_bytes:
        raise UsageError(f"line {number} is longer than {max_bytes} bytes")
    return line
