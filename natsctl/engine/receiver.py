"""The receiving half of a client session: its grant, its subscriptions, and what happens when it reads too slowly.

Source: nats-server ``client.go`` (deliverMsg, queueOutbound, stalledWait, trackRemoteReply).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from natsctl.engine.api import Arrow, Grant, Session
from natsctl.engine.routing import Message
from natsctl.errors import ClosedReason

__all__ = ["Receiving"]

_OK = b"+OK\r\n"
_MAX_OPEN_REPLIES = 4096
"""Reply subjects remembered for the right to answer; beyond it the oldest is forgotten."""


class Receiving:
    """A client as messages see it, but for its outbox and the deliveries into it, which each engine has its own way."""

    if not TYPE_CHECKING:  # the joined class has the slots
        __slots__ = ()
    else:  # what the other parts bring
        _account: Any
        _filtered: bool
        """Whether some subscription takes in subjects that must not be delivered."""
        _fluent: bool
        """Whether, as a sender, it is heard only at the end of each message: not pedantic, not traced."""
        _grant: Grant
        _is_forgotten: bool
        """Whether it was closed to the end; without memory that takes another try."""
        _max_payload: int
        _max_pending: int
        _plane: Any
        _replies: dict[bytes, list[float]] | None
        """Reply subjects it may answer on: messages sent, and when it was asked."""
        _simple: bool
        """Whether, as a receiver, it takes every message as it comes: nothing to ask, nothing to remember."""
        _stall_mark: int
        _stalled_by: dict[Session, None] | None
        _subs: dict[bytes, Any]
        _tracing: bool
        closed: ClosedReason | None
        owner: Any
        pending_bytes: int
        stalls: int
        _enqueue: Callable[[bytes], None]
        drop_output: Callable[[], None]

    def _begin_receiving(self, plane: Any, grant: Grant) -> None:
        self._plane = plane
        self._subs = {}
        self._is_forgotten = self._tracing = False
        self._stalled_by = None
        self._max_pending = plane.limits.max_pending
        self._stall_mark = self._max_pending // 4 * 3
        self.closed = None
        self.stalls = 0
        self._apply(grant)

    def _apply(self, grant: Grant) -> None:
        self._grant = grant
        self._account = self._plane.account(grant.account)
        self._max_payload = grant.max_payload if grant.max_payload >= 0 else sys.maxsize
        self._filtered = False
        answers = grant.permissions is not None and grant.permissions.responses is not None
        self._replies = {} if answers else None
        self._classify()

    def _classify(self) -> None:
        grant = self._grant
        self._fluent = not (grant.pedantic or self._tracing)
        self._simple = (
            grant.echo and grant.headers and not (self._filtered or self._tracing or self._replies is not None)
        )

    @property
    def _session(self) -> Session:
        """The whole session this is half of."""
        return cast(Session, self)

    @property
    def account(self) -> str:
        """Name of the account it belongs to."""
        return self._grant.account

    @property
    def tracing(self) -> bool:
        """Whether the handler hears of each line and payload."""
        return self._tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._tracing = on
        self._classify()

    def _forget(self, reason: ClosedReason) -> None:
        if self.closed is None:
            self.closed = reason
        self._simple = False  # a message on its way to several receivers may still come by
        for sub in self._subs.values():  # kept: monitoring shows what a closed connection had
            self._end_subscription(sub)
        self._is_forgotten = True

    def dispose(self) -> None:
        """Let go of all that leads back here."""
        self._subs.clear()
        self._stalled_by = None
        self.owner = None

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
            self._plane.handler.on_trace(self._session, Arrow.OUT, b"-ERR", text.encode())
        self.write(b"-ERR '%b'\r\n" % text.encode())

    def _ok(self) -> None:
        if self._grant.verbose and self.closed is None:
            if self._tracing:
                self._plane.handler.on_trace(self._session, Arrow.OUT, b"OK", b"")
            self.write(_OK)

    # ---- subscriptions

    def _remove(self, sub: Any) -> None:
        self._end_subscription(sub)  # first: what fails here is done again by close()
        del self._subs[sub.sid]

    def _end_subscription(self, sub: Any) -> None:
        self._account.unsubscribe(sub)
        if self._tracing:
            self._plane.handler.on_trace(self._session, Arrow.INTERNAL, b"DELSUB", sub.sid)

    def _drop_subscriptions(self) -> None:
        for sub in tuple(self._subs.values()):
            self._remove(sub)

    # ---- the right to answer

    def _may_answer(self, subject: bytes) -> bool:
        if self._replies is None:
            return False
        window = self._replies.get(subject)
        if window is None:
            return False
        responses = self._grant.permissions.responses if self._grant.permissions is not None else None
        assert responses is not None
        window[0] += 1
        used_up = 0 < responses.max_msgs < window[0]
        if used_up or 0 < responses.expires_s < self._plane.now - window[1]:
            del self._replies[subject]
            return False
        return True

    def _may_be_answered(self, reply: bytes) -> None:
        replies = self._replies
        assert replies is not None
        if len(replies) >= _MAX_OPEN_REPLIES and reply not in replies:
            del replies[next(iter(replies))]
        replies[reply] = [0, self._plane.now]

    # ---- traces

    def _trace_delivery(self, message: Message, frame: bytes) -> None:
        handler = self._plane.handler
        line, _, body = frame.partition(b"\r\n")
        verb, _, args = line.partition(b" ")
        handler.on_trace(self._session, Arrow.OUT, verb, args)
        if len(body) > 2:
            handler.on_trace_payload(self._session, Arrow.OUT, body[:-2], message.header_size)

    # ---- pressure

    def _admit_over_mark(self, source: Any) -> bool:
        """Let a message in although the receiver is over its stall mark, unless it is to be dropped."""
        self._plane.handler.on_pressure(self._session)
        if source is None or self.pending_bytes <= self._stall_mark:
            return True
        if self._plane.limits.drop_instead_of_stall:
            return False
        if source._stalled_by is None:
            source._stalled_by = {}
        if self._session not in source._stalled_by:
            source._stalled_by[self._session] = None
            source.stalls += 1
        return True

    def _press(self) -> None:
        handler = self._plane.handler
        handler.on_pressure(self._session)
        if self.pending_bytes > self._max_pending:
            self._session.close(ClosedReason.SLOW_CONSUMER_PENDING_BYTES)
            handler.on_slow_consumer(self._session)
            self.drop_output()

    def take_stalled(self) -> list[Session]:
        """The receivers over their stall mark that this session fed since the last call."""
        stalled = list(self._stalled_by or ())
        self._stalled_by = None
        return stalled

    def is_over_stall_mark(self) -> bool:
        """Whether senders should wait for this session."""
        return self.closed is None and self.pending_bytes > self._stall_mark
