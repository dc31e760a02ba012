"""Reads what a server sends, a run of like messages at a time.

A *run* is messages with the same control line, or with numbered subjects of one kind, which lie one behind the other:
a single pattern finds its end, and Python does nothing for each message. What does not fit is a run of one.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from natsctl.errors import ClosedReason, WireError

__all__ = ["FrameReader", "Run"]

_FIRST_BUFFER_BYTES = 16 * 1024
_BUFFER_BYTES = 512 * 1024
"""What the buffer of a busy connection grows to; one of a thousand idle ones stays small."""
_MAX_LINE_BYTES = 64 * 1024
_MAX_FRAME_BYTES = 128 * 1024 * 1024
"""Twice what a nats-server can be configured to let through."""


@dataclass(frozen=True, slots=True)
class Run:
    """Messages in a row, of equal length.

    Attributes:
        data: The reader's buffer; valid until the handler returns.
        line: The control line of the first one.
        start: Where its payload begins, behind the headers.
        stride: From there to the next payload.
        n: How many.
        size: Bytes of each payload.
        header_size: Bytes of the headers of each.
    """

    data: bytearray
    line: bytes
    start: int
    stride: int
    n: int
    size: int
    header_size: int


class FrameReader:
    """Cuts the bytes of one connection into runs and other lines.

    Args:
        on_run: Takes each run.
        on_line: Takes each other control line: PING, PONG, ``-ERR …``.
        subjects: A pattern of subjects that count as alike; without it only equal control lines do.
        joins: False to have each message by itself.

    Attributes:
        received_ns: When the bytes at hand were received (monotonic).
    """

    def __init__(
        self,
        on_run: Callable[[Run], None],
        on_line: Callable[[bytes], None],
        *,
        subjects: bytes = b"",
        joins: bool = True,
    ) -> None:
        self._on_run = on_run
        self._on_line = on_line
        self._subjects = subjects
        self._joins = joins
        self._buffer = bytearray(_FIRST_BUFFER_BYTES)
        self._filled = 0
        self._wanted = 0
        self._last_line = b""
        self.received_ns = 0

    def reset(self) -> None:
        """Forget the rest of a connection that was lost."""
        self._filled = 0

    def read_from(self, source: socket.socket) -> int:
        """Receive once and hand out what is complete; the number of bytes received, 0 at the end.

        Raises:
            WireError: What came is not the protocol.
            OSError: As the socket does.
        """
        with memoryview(self._buffer) as view:
            n_bytes = source.recv_into(view[self._filled :])
        if n_bytes:
            self.received_ns = time.monotonic_ns()
            self._filled += n_bytes
            if self._filled == len(self._buffer) < _BUFFER_BYTES:
                self._wanted = max(self._wanted, 2 * self._filled)
            self._keep(self._hand_out())
        return n_bytes

    def _keep(self, used: int) -> None:
        """Move what is not used yet to the front, and make room for all of its frame."""
        rest = self._filled - used
        if used and rest:
            self._buffer[:rest] = self._buffer[used : self._filled]
        self._filled = rest
        if self._wanted > len(self._buffer):
            self._buffer += bytes(self._wanted - len(self._buffer))

    def _hand_out(self) -> int:
        """Hand out everything complete; gives where the rest begins."""
        at = 0
        while (end := self._buffer.find(b"\r\n", at, self._filled)) >= 0:
            line = bytes(self._buffer[at:end])
            if line.startswith((b"MSG ", b"HMSG ")):
                following = self._hand_out_run(line, at, end + 2)
                if following is None:
                    return at
                at = following
            else:
                self._on_line(line)
                at = end + 2
        if self._filled - at > _MAX_LINE_BYTES:
            raise _not_nats(f"a control line of more than {_MAX_LINE_BYTES} bytes")
        return at

    def _hand_out_run(self, line: bytes, at: int, body: int) -> int | None:
        args = line.split()
        try:
            total = int(args[-1])
            header_size = int(args[-2]) if args[0] == b"HMSG" else 0
        except ValueError:
            raise _not_nats(f"the control line {line[:100]!r}") from None
        if not 0 <= header_size <= total <= _MAX_FRAME_BYTES or len(args) < 4:
            raise _not_nats(f"the control line {line[:100]!r}")
        end = body + total + 2
        if end > self._filled:
            self._wanted = end - at
            return None
        n, stride = 1, end - at
        # A line that comes for the first time is not worth a pattern of its own.
        if self._joins and (self._subjects or line == self._last_line):
            found = _pattern(self._alike(line, args), total).match(self._buffer, end, self._filled)
            if found is not None:
                n += (found.end() - end) // stride
        self._last_line = line
        self._on_run(Run(self._buffer, line, body + header_size, stride, n, total - header_size, header_size))
        return at + n * stride

    def _alike(self, line: bytes, args: list[bytes]) -> bytes:
        if not self._subjects:
            return re.escape(line)
        return re.escape(args[0]) + b" " + self._subjects + b" " + re.escape(b" ".join(args[2:]))


@lru_cache(maxsize=1024)
def _pattern(line: bytes, total: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?s:%s\r\n.{%d}\r\n)*+" % (line, total))


def _not_nats(what: str) -> WireError:
    return WireError(ClosedReason.PARSE_ERROR, log=f"the server does not speak NATS: {what}")
