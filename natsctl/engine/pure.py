"""The pure engine: the reference data plane, in plain Python.

Follow a message: :class:`~natsctl.engine.session.ClientSession` cuts the bytes into operations,
:class:`~natsctl.engine.routing.Account` asks its sublist who is interested, and each delivery lands in the
:class:`~natsctl.engine.outbox.Outbox` of a :class:`PureSession`, from where the broker takes it.
"""

from __future__ import annotations

from typing import Any

from natsctl.engine import grammar
from natsctl.engine.api import Grant, Handler, Limits, LinkHandler, LinkKind
from natsctl.engine.link import LinkSession
from natsctl.engine.message import Message
from natsctl.engine.outbox import Outbox
from natsctl.engine.plane import Plane
from natsctl.engine.receiver import Receiving
from natsctl.engine.routing import Account, Subscription, deliver_all
from natsctl.engine.session import ClientSession
from natsctl.engine.sublist import NOBODY
from natsctl.errors import ClosedReason

__all__ = ["PureEngine", "PureLink", "PureSession"]

_CRLF = b"\r\n"
_RESERVED_FIRST = b"$_"
_match_publish = grammar.PUBLISH.match


class PureSession(ClientSession, Receiving, Outbox):
    """One client. See :class:`natsctl.engine.api.Session` for the public face."""

    __slots__ = (
        "_account",
        "_announced",
        "_asks",
        "_filtered",
        "_fluent",
        "_grant",
        "_held",
        "_introduced",
        "_is_forgotten",
        "_max_payload",
        "_max_pending",
        "_need",
        "_ping_watch",
        "_plane",
        "_replies",
        "_rest",
        "_simple",
        "_stall_mark",
        "_stalled_by",
        "_subs",
        "_tracing",
        "closed",
        "easy_mark",
        "granted",
        "in_bytes",
        "in_msgs",
        "out_bytes",
        "out_msgs",
        "owner",
        "pings",
        "stalls",
    )

    def __init__(self, plane: Plane, owner: Any, grant: Grant | None) -> None:
        Outbox.__init__(self)
        self.owner = owner
        self.out_msgs = self.out_bytes = 0
        self._begin_receiving(plane, grant or Grant(max_payload=-1))
        self._begin(grant is not None)

    def feed(self, data: bytes | memoryview) -> None:
        """Take in bytes as they arrived, cut anywhere; they are copied once."""
        if self.closed is not None:
            return
        rest = self._rest
        known = len(rest)
        if known + len(data) < self._need:
            if isinstance(rest, bytes):
                rest = self._rest = bytearray(rest)
            rest += data
            return
        whole = b"".join((rest, data)) if known else bytes(data)
        self._rest = b""
        end = self._carry_out(whole, known)
        if end < len(whole) and self.closed is None:
            self._rest = whole[end:]

    def _classify(self) -> None:
        super()._classify()
        # Whether, as a sender, it must be allowed or told something about each message.
        self._asks = self._grant.permissions is not None or self._grant.verbose
        self.easy_mark = self._stall_mark if self._simple else -1

    def _set_stall_mark(self, n_bytes: int) -> None:
        super()._set_stall_mark(n_bytes)
        self.easy_mark = n_bytes if self._simple else -1

    def _forget(self, reason: ClosedReason) -> None:
        self.easy_mark = -1
        super()._forget(reason)

    def landing(self) -> None:
        """Nowhere: every read goes through :meth:`feed`."""

    def landed(self, n_bytes: int) -> None:
        """Nothing lands."""

    def _drop_input(self) -> None:
        self._rest = b""

    def _take_whole(self, data: bytes, at: int) -> int:
        """Publish as long as whole and faultless PUBs and HPUBs follow; returns where something else begins."""
        max_line = self._plane.limits.max_control_line
        while self.closed is None:
            found = _match_publish(data, at)
            if found is None:
                break
            _, subject, _, reply, header_text, size_text = found.groups()
            start, size = found.end(), int(size_text)
            stop = start + size + 2
            header_size = 0 if header_text is None else int(header_text)
            if (
                data[stop - 2 : stop] != _CRLF  # nor is it where the payload has not all come
                or size > self._max_payload
                or start - at > max_line
                or (header_size and (header_size > size or not self._grant.headers))
            ):
                break
            at = stop
            self.in_msgs += 1
            self.in_bytes += size
            if reply is not None or self._asks or subject[0] in _RESERVED_FIRST:
                if not self._admits_publish(subject, reply or b""):
                    continue
                self._ok()
            interested = self._account.sublist.match(subject)
            reached = 0
            if interested is not NOBODY:
                args = (subject, reply or b"", header_text or b"", size_text, header_size, size)
                reached = deliver_all(self._account, interested, self, args, data[found.start(3) - 1 : stop])
            if reply is not None and not reached and self._grant.no_responders:
                self._tell_no_responders(subject, reply)
        return at

    def deliver(self, sub: Subscription, message: Message) -> bool:
        """Take a message for one of the session's subscriptions; False when it must not or cannot have it."""
        if not self._simple:
            if not self._admits(message):
                return False
            if message.header_size and not self._grant.headers:
                message = message.without_headers()
        if self.pending_bytes > self._stall_mark and not self._admit_over_mark(message.source):
            return False
        sub.delivered += 1
        if sub.delivered == sub.max_msgs:
            self._remove(sub)
        frame = message.head + sub.sid + message.tail
        if not self._simple:
            self._note_delivery(message, frame)
        self.out_msgs += 1
        self.out_bytes += message.size
        pieces = self._pieces
        if not pieces:
            self._plane.touched.append(self)
        pieces.append(frame)
        self.pending_bytes += len(frame)
        if self.pending_bytes > self._max_pending:
            self._press()
        return True

    def _admits(self, message: Message) -> bool:
        if self.closed is not None or (message.source is self and not self._grant.echo):
            return False
        permissions = self._grant.permissions
        return not self._filtered or permissions is None or permissions.may_deliver(message.subject)

    def _note_delivery(self, message: Message, frame: bytes) -> None:
        if self._replies is not None and message.reply:
            self._may_be_answered(message.reply)
        if self._tracing:
            self._trace_delivery(message, frame)


class PureLink(LinkSession, Outbox):
    """One connection to another server. See :class:`natsctl.engine.api.Link` for the public face."""

    __slots__ = (
        "_account",
        "_filtered",
        "_grant",
        "_handler",
        "_held",
        "_interests",
        "_max_line",
        "_max_payload",
        "_max_pending",
        "_need",
        "_plane",
        "_rest",
        "_stall_mark",
        "_tracing",
        "closed",
        "in_bytes",
        "in_msgs",
        "joined",
        "kind",
        "origin",
        "out_bytes",
        "out_msgs",
        "owner",
        "pings",
    )

    easy_mark = -1

    def __init__(self, plane: Plane, kind: LinkKind, owner: Any, handler: LinkHandler) -> None:
        Outbox.__init__(self)
        self._begin(plane, kind, owner, handler)

    def feed(self, data: bytes | memoryview) -> None:
        """Take in bytes as they arrived, cut anywhere; they are copied once."""
        if self.closed is not None:
            return
        rest = self._rest
        if self._held or len(rest) + len(data) < self._need:
            if isinstance(rest, bytes):
                rest = self._rest = bytearray(rest)
            rest += data
            return
        whole = b"".join((rest, data)) if rest else bytes(data)
        self._rest = b""
        end = self._carry_out(whole)
        if end < len(whole) and self.closed is None:
            self._rest = whole[end:]

    def _classify(self) -> None:
        """Nothing is remembered of what was decided."""

    def _take_whole(self, data: bytes, at: int) -> int:
        """Each message is an operation like any other."""
        return at

    def send(self, account: str, message: Message, queues: list[bytes]) -> None:
        """Send a message, for one member of each of these queue groups and everybody who wants it without a group."""
        if not self._grant.headers and message.header_size:
            message = message.without_headers()
        if self.pending_bytes > self._stall_mark and not self._admit_over_mark(message.source):
            return
        frame = message.routed(account.encode() + b" " if self.kind is LinkKind.ROUTE else b"", queues)
        if self._tracing:
            self._trace_delivery(message, frame)
        self.out_msgs += 1
        self.out_bytes += message.size
        self._enqueue(frame)
        if self.pending_bytes > self._max_pending:
            self._press()


class PureEngine(Plane):
    """See :class:`natsctl.engine.api.Engine`."""

    __slots__ = ()

    name = "pure"

    def __init__(self, handler: Handler, limits: Limits) -> None:
        super().__init__(handler, limits, Account)

    def open(self, owner: Any, grant: Grant | None) -> PureSession:
        """Open a client session; without a grant it must CONNECT first."""
        return PureSession(self, owner, grant)

    def open_link(self, kind: LinkKind, owner: Any, handler: LinkHandler) -> PureLink:
        """Open the session of a connection to another server."""
        return PureLink(self, kind, owner, handler)
