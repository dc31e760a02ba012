"""The way of a message: who subscribed to what, and how a publish becomes deliveries.

Source: nats-server ``client.go`` (processMsgResults, deliverMsg, msgHeader).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import random
from typing import Any, Protocol

from natsctl.engine.api import Delivery, Handler, Limits, SublistStats, SubscriptionView
from natsctl.engine.grammar import PublishArgs
from natsctl.engine.sublist import NOBODY, Match, Sublist

__all__ = ["Account", "InternalSession", "Message", "Plane", "Receiver", "Subscription", "deliver_all"]

_CRLF = b"\r\n"


class Plane:
    """What all sessions of one engine share.

    Args:
        make_account: Makes an account of a name, with so many match results to remember.

    Attributes:
        touched: Client sessions that got output since the last collect, each once.
        touched_internal: Internal sessions that got messages since then.
    """

    __slots__ = ("_accounts", "_internal", "_make_account", "handler", "limits", "now", "touched", "touched_internal")

    def __init__(self, handler: Handler, limits: Limits, make_account: Callable[[str, int], Any]) -> None:
        self._make_account = make_account
        self.handler = handler
        self.limits = limits
        self.now = 0.0
        self.touched: list[Any] = []
        self.touched_internal: list[InternalSession] = []
        self._accounts: dict[str, Any] = {}
        self._internal: list[InternalSession] = []

    def account(self, name: str) -> Any:
        """The subject space of that name, made on first use."""
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = self._make_account(name, self.limits.cache_size)
        return account

    def n_subscriptions(self, account: str | None = None) -> int:
        """Subscriptions in one account, or in all."""
        if account is not None:
            return self._accounts[account].n_subscriptions if account in self._accounts else 0
        return sum(each.n_subscriptions for each in self._accounts.values())

    def sublist_stats(self, account: str | None = None) -> SublistStats:
        """Statistics of one account's sublist, or of all together."""
        names = self._accounts if account is None else self._accounts.keys() & {account}
        total = SublistStats()
        for name in names:
            total = total.joined(SublistStats(*self._accounts[name].stats()))
        return total

    def open_internal(self, account: str) -> InternalSession:
        """Open a session of the broker itself in an account."""
        session = InternalSession(self, self.account(account))
        self._internal.append(session)
        return session

    def internal_sessions(self) -> list[InternalSession]:
        """The broker's own sessions, oldest first."""
        return self._internal

    def collect(self) -> list[Any]:
        """The client sessions with new output since the last call."""
        touched, self.touched = self.touched, []
        return touched

    def collect_internal(self) -> list[InternalSession]:
        """The internal sessions with new messages since the last call."""
        touched, self.touched_internal = self.touched_internal, []
        return touched


class InternalSession:
    """A peer inside the broker. See :class:`natsctl.engine.api.InternalSession`."""

    __slots__ = ("_account", "_inbox", "_plane", "_subs")

    easy_mark = -1
    pending_bytes = 0

    def __init__(self, plane: Plane, account: Any) -> None:
        self._plane = plane
        self._account = account
        self._inbox: list[Delivery] = []
        self._subs: list[Any] = []

    @property
    def account(self) -> str:
        """Name of the account it belongs to."""
        name: str = self._account.name
        return name

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """The subscriptions held, oldest first."""
        for sub in self._subs:
            yield SubscriptionView(sub.subject, sub.queue, sub.sid, sub.delivered, sub.max_msgs)

    def subscribe(self, subject: bytes, queue: bytes | None = None) -> None:
        """Receive messages on a subject."""
        sid = b"%d" % (len(self._subs) + 1)
        self._subs.append(self._account.subscribe(self, subject, queue, sid))

    def publish(self, subject: bytes, payload: bytes, *, reply: bytes = b"", header: bytes = b"") -> int:
        """Send a message; returns how many subscriptions it reached."""
        size = len(header) + len(payload)
        args = (subject, reply, b"%d" % len(header), b"%d" % size, len(header), size)
        reached: int = self._account.route(None, args, header + payload + b"\r\n")
        return reached

    def deliver(self, sub: Any, message: Message) -> bool:
        """Take a message."""
        if not self._inbox:
            self._plane.touched_internal.append(self)
        header, payload = message.body[: message.header_size], message.body[message.header_size : -2]
        self._inbox.append(Delivery(message.subject, message.reply, header, payload, message.source))
        return True

    def take(self) -> list[Delivery]:
        """The messages that came since the last call."""
        taken, self._inbox = self._inbox, []
        return taken


class Receiver(Protocol):
    """A session, seen by a message.

    Attributes:
        easy_mark: Pending bytes up to which it takes every message as it comes; -1 when it must look at each.
    """

    easy_mark: int
    out_bytes: int
    out_msgs: int
    pending_bytes: int
    _pieces: list[bytes]
    _plane: Plane

    def deliver(self, sub: Subscription, message: Message) -> bool:
        """Take a message for one of the session's subscriptions; False when it must not or cannot have it."""


class Subscription:
    """One SUB of one session; ``max_msgs`` 0 has no end."""

    __slots__ = ("delivered", "is_held", "max_msgs", "queue", "session", "sid", "subject")

    def __init__(self, session: Receiver, subject: bytes, queue: bytes | None, sid: bytes) -> None:
        self.session = session
        self.subject = subject
        self.queue = queue
        self.sid = sid
        self.is_held = True
        self.delivered = 0
        self.max_msgs = 0


class Account:
    """A subject space."""

    __slots__ = ("name", "sublist")

    def __init__(self, name: str, cache_size: int) -> None:
        self.name = name
        self.sublist: Sublist[Subscription] = Sublist(cache_size)

    @property
    def n_subscriptions(self) -> int:
        """Subscriptions held now."""
        return self.sublist.count

    def subscribe(self, session: Receiver, subject: bytes, queue: bytes | None, sid: bytes) -> Subscription:
        """Let a session receive what comes on a subject, which must be valid."""
        sub = Subscription(session, subject, queue, sid)
        self.sublist.insert(sub)
        return sub

    def unsubscribe(self, sub: Subscription) -> None:
        """Let a subscription receive no more; once is enough."""
        if sub.is_held:
            self.sublist.remove(sub)
            sub.is_held = False

    def stats(self) -> SublistStats:
        """Statistics of the sublist."""
        return self.sublist.stats()

    def plain_subscriptions(self, subject: bytes) -> tuple[Subscription, ...]:
        """The subscriptions without a queue group that a message on this subject reaches."""
        return self.sublist.match(subject).plain

    def route(self, source: Any, args: PublishArgs, body: bytes) -> int:
        """Deliver a message whose body ends in CRLF; returns to how many."""
        interested = self.sublist.match(args[0])
        return 0 if interested is NOBODY else deliver_all(interested, source, args, Message(source, args, body).tail)


class Message:
    """A publish on its way to its receivers, rendered at most once in each form.

    A receiver gets ``head + sid + tail``: only the sid differs between the receivers of one message.

    Attributes:
        source: The session that published it; None when it came from inside the broker.
        size: Bytes of headers and payload together.
        body: Headers and payload with the closing CRLF, as received.
    """

    __slots__ = ("body", "head", "header_size", "reply", "size", "source", "subject", "tail")

    def __init__(self, source: Any, args: PublishArgs, body: bytes) -> None:
        self.source = source
        self.subject, self.reply, header_text, size_text, self.header_size, self.size = args
        self.body = body
        # Sizes go out as the publisher wrote them ("007").
        if self.header_size:
            self.head = b"HMSG " + self.subject + b" "
            size_text = header_text + b" " + size_text
        else:
            self.head = b"MSG " + self.subject + b" "
        if self.reply:
            self.tail = b" %b %b\r\n%b" % (self.reply, size_text, body)
        else:
            self.tail = b" " + size_text + _CRLF + body

    def without_headers(self) -> Message:
        """The same message for a receiver that knows no headers."""
        size = self.size - self.header_size
        return Message(
            self.source, (self.subject, self.reply, b"", b"%d" % size, 0, size), self.body[self.header_size :]
        )


def deliver_all(interested: Match[Subscription], source: Any, args: PublishArgs, tail: bytes) -> int:
    """Deliver to every plain subscription and to one random member of each queue group; returns to how many.

    An easy receiver takes the bytes as they are; a message is made only for one that must look at it.

    Args:
        interested: Whom the subject reaches.
        source: The session that published it; None when it came from inside the broker.
        args: What its control line said.
        tail: What follows the sid: reply, sizes, headers and payload with the closing CRLF.
    """
    subject, _, _, _, header_size, size = args
    verb = b"HMSG " if header_size else b"MSG "
    chosen = interested.plain
    for members in interested.queues:
        chosen += (members[int(random() * len(members))],)
    message = None
    reached = 0
    for sub in chosen:
        session = sub.session
        frame = b"".join((verb, subject, b" ", sub.sid, tail))
        pending = session.pending_bytes + len(frame)
        if pending <= session.easy_mark and not sub.max_msgs:
            sub.delivered += 1
            session.out_msgs += 1
            session.out_bytes += size
            session.pending_bytes = pending
            pieces = session._pieces
            if not pieces:
                session._plane.touched.append(session)
            pieces.append(frame)
            reached += 1
        else:
            if message is None:
                message = Message(source, args, tail[-size - 2 :])
            reached += session.deliver(sub, message) or _deliver_instead(sub, interested.queues, message)
    return reached


def _deliver_instead(refusing: Subscription, queues: tuple[tuple[Subscription, ...], ...], message: Message) -> bool:
    """Deliver to another member of the queue group, if the one that refused is in any; returns whether one took it."""
    for members in queues:
        if refusing in members:
            first = members.index(refusing)
            others = members[first + 1 :] + members[:first]
            return any(sub.session.deliver(sub, message) for sub in others)
    return False
