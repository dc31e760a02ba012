"""Lines and bytes from a file descriptor that may be slow, endless or hostile, without holding up the event loop.

Descriptors, not Python's streams: at its end the interpreter would wait for a thread that holds a stream's lock.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from natsctl.errors import UsageError
from natsctl.ops.blocking import BlockingThread

__all__ = ["read_lines", "read_whole"]

_CHUNK_BYTES = 64 * 1024


async def read_lines(descriptor: int, max_bytes: int) -> AsyncIterator[tuple[int, bytes]]:
    r"""Yield number, from 1, and content of each line as soon as it is there; the line end is cut off.

    Wire: lines end with ``\n`` or ``\r\n``; the last one needs no end.

    Raises:
        UsageError: A line is longer than ``max_bytes``.
    """
    thread = BlockingThread("natsctl-input")
    number, rest = 0, b""
    while chunk := await thread.call(os.read, descriptor, _CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, _checked(line.removesuffix(b"\r"), number, max_bytes)
        # A line end may be under way whose \r is here already.
        _checked(rest.removesuffix(b"\r"), number + 1, max_bytes)
    if rest:
        yield number + 1, _checked(rest, number + 1, max_bytes)


async def read_whole(descriptor: int, max_bytes: int) -> bytes:
    """Read to the end.

    Raises:
        UsageError: It has more than ``max_bytes``.
    """
    thread = BlockingThread("natsctl-input")
    content = bytearray()
    while chunk := await thread.call(os.read, descriptor, _CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise UsageError(f"the input is longer than the {max_bytes} bytes a message may have")
    return bytes(content)


def _checked(line: bytes, number: int, max_bytes: int) -> bytes:
    if len(line) > max_bytes:
        raise UsageError(f"line {number} is longer than {max_bytes} bytes")
    return line
