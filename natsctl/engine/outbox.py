"""The output of one session: queued in pieces, taken in chunks, counted until it has left the process."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

__all__ = ["Outbox"]

_CHUNK_BYTES = 256 * 1024
"""What :meth:`Outbox.take` gives at most: enough to amortise a write, little enough to stay exact on what is unsent."""


class Outbox:
    """Bytes on their way to a peer.

    Deliveries append to ``_pieces`` directly (a call per delivery would cost more than the append); everything else
    goes through the methods. A session that cannot be written to is compacted once per batch, so that a backlog of
    small messages costs its bytes and not an object each.
    """

    __slots__ = ("_chunks", "_pieces", "pending_bytes")

    if TYPE_CHECKING:  # what the session brings
        _plane: Any

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._chunks: deque[bytes | memoryview] | None = None
        self.pending_bytes = 0

    def _enqueue(self, data: bytes) -> None:
        if not self._pieces:
            self._plane.touched.append(self)
        self._pieces.append(data)
        self.pending_bytes += len(data)

    def has_output(self) -> bool:
        """Whether :meth:`take` would give anything."""
        return bool(self._pieces or self._chunks)

    def take(self) -> bytes | memoryview:
        """Take the oldest queued output, up to about 256 KiB; empty when there is none."""
        if not self._chunks:
            joined = b"".join(self._pieces)
            self._pieces.clear()
            if len(joined) <= _CHUNK_BYTES:
                return joined
            self._chunks = deque([joined])
        chunk = self._chunks.popleft()
        if len(chunk) > _CHUNK_BYTES:
            view = memoryview(chunk)
            self._chunks.appendleft(view[_CHUNK_BYTES:])
            chunk = view[:_CHUNK_BYTES]
        if not self._chunks:
            self._chunks = None
        return chunk

    def compact(self) -> None:
        """Join what the last batch queued; call it when the peer cannot be written to now."""
        if self._pieces:
            if self._chunks is None:
                self._chunks = deque()
            self._chunks.append(b"".join(self._pieces))
            self._pieces.clear()

    def sent(self, n_bytes: int) -> None:
        """Tell that taken output left the process."""
        self.pending_bytes -= n_bytes

    def drop_output(self) -> None:
        """Forget everything queued; ``pending_bytes`` keeps counting what was already taken."""
        unsent = sum(map(len, self._pieces)) + sum(map(len, self._chunks or ()))
        self._pieces.clear()
        self._chunks = None
        self.pending_bytes -= unsent
