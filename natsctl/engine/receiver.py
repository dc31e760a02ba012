"""The receiving half of a client session: its grant, its subscriptions, and what happens when it reads too slowly.

Source: nats-server ``client.go`` (deliverMsg, queueOutbound, stalledWait, trackRemoteReply).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from natsctl.engine.api import Arrow, Grant, Handler, Link, Session
from natsctl.engine.peer import Peer
from natsctl.errors import ClosedReason

__all__ = ["Receiving"]

_OK = b"+OK\r\n"
_MAX_OPEN_REPLIES = 4096
"""Reply subjects remembered for the right to answer; beyond it the oldest is forgotten."""


class Receiving(Peer):
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
        _replies: dict[bytes, list[float]] | None
        """Reply subjects it may answer on: messages sent, and when it was asked."""
        _simple: bool
        """Whether, as a receiver, it takes every message as it comes: nothing to ask, nothing to remember."""
        _stalled_by: dict[Session | Link, None] | None
        _subs: dict[bytes, Any]
        stalls: int

    def _begin_receiving(self, plane: Any, grant: Grant) -> None:
        self._subs = {}
        self._is_forgotten = False
        self._stalled_by = None
        self.stalls = 0
        self._begin_pressure(plane)
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
    def _handler(self) -> Handler:
        """Whom the session tells."""
        handler: Handler = self._plane.handler
        return handler

    @property
    def _session(self) -> Session:
        """The whole session this is a part of."""
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

    # ---- answers

    def _ok(self) -> None:
        if self._grant.verbose and self.closed is None:
            if self._tracing:
                self._handler.on_trace(self._session, Arrow.OUT, b"OK", b"")
            self.write(_OK)

    # ---- subscriptions

    def _remove(self, sub: Any) -> None:
        self._end_subscription(sub)  # first: what fails here is done again by close()
        del self._subs[sub.sid]

    def _end_subscription(self, sub: Any) -> None:
        self._account.unsubscribe(sub)
        if self._tracing:
            self._handler.on_trace(self._session, Arrow.INTERNAL, b"DELSUB", sub.sid)

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

    # ---- pressure

    def take_stalled(self) -> list[Session | Link]:
        """The receivers over their stall mark that this session fed since the last call."""
        stalled = list(self._stalled_by or ())
        self._stalled_by = None
        for receiver in stalled:
            cast(Peer, receiver)._note_no_more()
        return stalled
