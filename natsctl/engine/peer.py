"""What clients and links have in common: lines of the broker, and what happens when the peer reads too slowly.

Source: nats-server ``client.go`` (queueOutbound, stalledWait).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from natsctl.engine.api import Arrow
from natsctl.engine.message import Message
from natsctl.errors import ClosedReason

__all__ = ["Peer"]


class Peer:
    """Somebody on the other side of a connection, but for its outbox, which each engine has its own way."""

    if not TYPE_CHECKING:  # the joined class has the slots
        __slots__ = ()
    else:  # what the other parts bring
        _handler: Any
        _max_pending: int
        _plane: Any
        _session: Any
        _stall_mark: int
        _tracing: bool
        closed: ClosedReason | None
        owner: Any
        pending_bytes: int
        _enqueue: Callable[[bytes], None]
        drop_output: Callable[[], None]

    def _begin_pressure(self, plane: Any) -> None:
        self._plane = plane
        self._tracing = False
        self._max_pending = plane.limits.max_pending
        self._stall_mark = self._usual_stall_mark()
        self.closed = None

    # ---- lines of the broker and the engine

    def write(self, line: bytes) -> None:
        """Queue a protocol line of the broker's."""
        if self.closed is not None:
            return
        self._enqueue(line)
        if self.pending_bytes > self._max_pending:
            self._press()

    def send_error(self, text: str) -> None:
        """Queue ``-ERR '<text>'``."""
        if self._tracing:
            self._handler.on_trace(self._session, Arrow.OUT, b"-ERR", text.encode())
        self.write(b"-ERR '%b'\r\n" % text.encode())

    # ---- traces

    def _trace_delivery(self, message: Message, frame: bytes) -> None:
        handler = self._handler
        line, _, body = frame.partition(b"\r\n")
        verb, _, args = line.partition(b" ")
        handler.on_trace(self._session, Arrow.OUT, verb, args)
        if len(body) > 2:
            handler.on_trace_payload(self._session, Arrow.OUT, body[:-2], message.header_size)

    # ---- pressure

    def _admit_over_mark(self, source: Any) -> bool:
        """Let a message in although the receiver is over its stall mark, unless it is to be dropped."""
        self._handler.on_pressure(self._session)
        if source is None or self.pending_bytes <= self._stall_mark:
            return True
        if self._plane.limits.drop_instead_of_stall:
            return False
        if source._stalled_by is None:
            source._stalled_by = {}
        if self._session not in source._stalled_by:
            source._stalled_by[self._session] = None
            source.stalls += 1
        self._set_stall_mark(self._max_pending)  # it is noted: until the source is asked, no message needs a look
        return True

    def _note_no_more(self) -> None:
        self._set_stall_mark(self._usual_stall_mark())

    def _set_stall_mark(self, n_bytes: int) -> None:
        self._stall_mark = n_bytes

    def _press(self) -> None:
        handler = self._handler
        handler.on_pressure(self._session)
        if self.pending_bytes > self._max_pending:
            self._session.close(ClosedReason.SLOW_CONSUMER_PENDING_BYTES)
            handler.on_slow_consumer(self._session)
            self.drop_output()

    def is_over_stall_mark(self) -> bool:
        """Whether senders should wait for this session."""
        return self.closed is None and self.pending_bytes > self._usual_stall_mark()

    def _usual_stall_mark(self) -> int:
        return self._max_pending // 4 * 3
