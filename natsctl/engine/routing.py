"""The way of a message: who subscribed to what, and how a publish becomes deliveries.

Source: nats-server ``client.go`` (processMsgResults, deliverMsg, msgHeader), ``route.go`` (addSubToRouteTargets).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import choices, random
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from natsctl.engine.api import Delivery, Handler, Limits, LinkKind, SublistStats, SubscriptionView
from natsctl.engine.grammar import PublishArgs
from natsctl.engine.interest import Ledger, Origin, hears_of
from natsctl.engine.sublist import NOBODY, Match, Sublist

__all__ = ["Account", "InternalSession", "Message", "Plane", "Receiver", "Subscription", "deliver_all"]

_CRLF = b"\r\n"
_NEAR = (Origin.CLIENT, Origin.ROUTE)

SubscriptionT = TypeVar("SubscriptionT", bound="Subscription")


class Plane:
    """What all sessions of one engine share.

    Args:
        make_account: Makes an account of a name, with so many match results to remember.

    Attributes:
        touched: Client sessions and links that got output since the last collect, each once.
        touched_internal: Internal sessions that got messages since then.
    """

    __slots__ = (
        "_accounts",
        "_internal",
        "_make_account",
        "_routes",
        "handler",
        "limits",
        "now",
        "touched",
        "touched_internal",
    )

    def __init__(self, handler: Handler, limits: Limits, make_account: Callable[[str, int], Any]) -> None:
        self._make_account = make_account
        self.handler = handler
        self.limits = limits
        self.now = 0.0
        self.touched: list[Any] = []
        self.touched_internal: list[InternalSession] = []
        self._accounts: dict[str, Any] = {}
        self._internal: list[InternalSession] = []
        self._routes: list[Any] = []

    def account(self, name: str) -> Any:
        """The subject space of that name, made on first use."""
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = self._make_account(name, self.limits.cache_size)
            for route in self._routes:
                account.connect(route)
        return account

    def find_account(self, name: str) -> Any:
        """The subject space of that name, or None."""
        return self._accounts.get(name)

    def connect(self, link: Any, account: Any) -> None:
        """Let a link hear of interest: a leafnode of that in its account, a route of all."""
        if link.kind is LinkKind.ROUTE:
            self._routes.append(link)
        for each in (account,) if account is not None else tuple(self._accounts.values()):
            each.connect(link)

    def disconnect(self, link: Any) -> None:
        """Let a link hear no more."""
        if link in self._routes:
            self._routes.remove(link)
        for account in self._accounts.values():
            account.disconnect(link)

    def mark_loops(self, account: str, subject: bytes) -> None:
        """Tell leafnodes of interest in a subject that nobody has."""
        self.account(account).mark(subject)

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

    origin = Origin.NOBODY
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
    origin: Origin
    _pieces: list[bytes]
    _plane: Plane

    def deliver(self, sub: Subscription, message: Message) -> bool:
        """Take a message for one of the session's subscriptions; False when it must not or cannot have it."""


class Subscription:
    """One SUB of one session; ``max_msgs`` 0 has no end."""

    __slots__ = ("delivered", "is_held", "max_msgs", "queue", "session", "sid", "subject")

    weight = 0

    def __init__(self, session: Receiver, subject: bytes, queue: bytes | None, sid: bytes) -> None:
        self.session = session
        self.subject = subject
        self.queue = queue
        self.sid = sid
        self.is_held = True
        self.delivered = 0
        self.max_msgs = 0

    @property
    def origin(self) -> Origin:
        """Whose interest it is."""
        return self.session.origin


class LinkSubscription(Subscription):
    """What a peer wants of an account; ``weight`` is the number of members of the queue group there, or 1."""

    __slots__ = ("account", "weight")

    def __init__(self, account: Account, link: Any, subject: bytes, queue: bytes | None, weight: int) -> None:
        super().__init__(link, subject, queue, b"")
        self.account = account
        self.weight = weight


class Linked:
    """What an account tells other servers. Each engine joins it to an account of its own."""

    if not TYPE_CHECKING:  # the joined class has the slots
        __slots__ = ()
    else:
        ledger: Ledger | None
        loop_mark: bytes
        name: str
        sublist: Any
        learn: Callable[[Any, bytes, bytes | None, int], Any]

    def connect(self, link: Any) -> None:
        """Let a link hear of interest in this account."""
        if self.ledger is None:
            self.ledger = Ledger(self.name, self.sublist, self.loop_mark)
        self.ledger.connect(link)

    def disconnect(self, link: Any) -> None:
        """Let it hear no more."""
        if self.ledger is not None:
            self.ledger.disconnect(link)
            if not self.ledger:
                self.ledger = None

    def mark(self, subject: bytes) -> None:
        """Tell leafnodes of interest in a subject that nobody has."""
        self.loop_mark = subject
        if self.ledger is not None:
            self.ledger.change(Origin.MARK, subject, None, 1)

    def reweigh(self, entry: Any, weight: int) -> None:
        """Change the weight of what a link wants."""
        delta, entry.weight = weight - entry.weight, weight
        if self.ledger is not None:
            self.ledger.change(entry.origin, entry.subject, entry.queue, delta, source=entry.session)


class Account(Linked):
    """A subject space.

    Attributes:
        ledger: What other servers are told of; None without any.
    """

    __slots__ = ("ledger", "loop_mark", "name", "sublist")

    def __init__(self, name: str, cache_size: int) -> None:
        self.name = name
        self.sublist: Sublist[Subscription] = Sublist(cache_size)
        self.ledger: Ledger | None = None
        self.loop_mark = b""

    @property
    def n_subscriptions(self) -> int:
        """Subscriptions held now."""
        return self.sublist.count

    def subscribe(self, session: Receiver, subject: bytes, queue: bytes | None, sid: bytes) -> Subscription:
        """Let a session receive what comes on a subject, which must be valid."""
        return self._hold(Subscription(session, subject, queue, sid))

    def learn(self, link: Any, subject: bytes, queue: bytes | None, weight: int) -> LinkSubscription:
        """Let a link receive what comes on a subject, which must be valid."""
        return self._hold(LinkSubscription(self, link, subject, queue, weight))

    def _hold(self, sub: SubscriptionT) -> SubscriptionT:
        self.sublist.insert(sub)
        if self.ledger is not None:
            try:
                self.ledger.change(sub.origin, sub.subject, sub.queue, sub.weight or 1, source=sub.session)
            except BaseException:
                self.sublist.remove(sub)
                raise
        return sub

    def unsubscribe(self, sub: Subscription) -> None:
        """Let a subscription receive no more; once is enough."""
        if sub.is_held:
            self.sublist.remove(sub)
            sub.is_held = False
            if self.ledger is not None:
                self.ledger.change(sub.origin, sub.subject, sub.queue, -(sub.weight or 1), source=sub.session)

    def stats(self) -> SublistStats:
        """Statistics of the sublist."""
        return self.sublist.stats()

    def plain_subscriptions(self, subject: bytes) -> tuple[Subscription, ...]:
        """The subscriptions without a queue group that a message on this subject reaches."""
        return self.sublist.match(subject).plain

    def route(self, source: Any, args: PublishArgs, body: bytes) -> int:
        """Deliver a message whose body ends in CRLF; returns to how many."""
        interested = self.sublist.match(args[0])
        if interested is NOBODY:
            return 0
        return deliver_all(self, interested, source, args, Message(source, args, body).tail)

    def route_from(self, link: Any, args: PublishArgs, body: bytes, queues: tuple[bytes, ...]) -> int:
        """Deliver a message that came over a link, to plain subscriptions and in the queue groups it names."""
        interested = self.sublist.match(args[0])
        if interested is NOBODY:
            return 0
        return deliver_across(self, interested, Message(None, args, body), link, queues)


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

    def routed(self, account: bytes, queues: list[bytes]) -> bytes:
        """The frame for another server; ``account`` is empty for a leafnode, else it ends in a blank."""
        to = self.tail
        if queues:
            reply = b"+ %b" % self.reply if self.reply else b"|"
            to = b" %b %b%b" % (reply, b" ".join(queues), self.tail[len(self.reply) + 1 if self.reply else 0 :])
        verb = b"HMSG" if self.header_size else b"RMSG" if account else b"LMSG"
        return b"%b %b%b%b" % (verb, account, self.subject, to)

    def without_headers(self) -> Message:
        """The same message for a receiver that knows no headers."""
        size = self.size - self.header_size
        return Message(
            self.source, (self.subject, self.reply, b"", b"%d" % size, 0, size), self.body[self.header_size :]
        )


def deliver_all(account: Account, interested: Match[Subscription], source: Any, args: PublishArgs, tail: bytes) -> int:
    """Deliver to every plain subscription and to one random member of each queue group; returns to how many.

    An easy receiver takes the bytes as they are; a message is made only for one that must look at it.

    Args:
        account: Where it was published.
        interested: Whom the subject reaches.
        source: The session that published it; None when it came from inside the broker.
        args: What its control line said.
        tail: What follows the sid: reply, sizes, headers and payload with the closing CRLF.
    """
    subject, _, _, _, header_size, size = args
    if interested.is_far:
        return deliver_across(account, interested, Message(source, args, tail[-size - 2 :]), None, ())
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


def deliver_across(
    account: Account, interested: Match[Subscription], message: Message, link: Any, queues: tuple[bytes, ...]
) -> int:
    """Deliver where other servers take part: each of them gets the message at most once; returns to how many it went.

    Args:
        account: Where it was published.
        interested: Whom the subject reaches.
        message: The message.
        link: The link it came over; None when it was published here.
        queues: The queue groups a link's message names: only those are served.
    """
    targets: dict[Any, list[bytes]] = {}
    reached = 0
    for sub in interested.plain:
        if not sub.weight:
            reached += (link is None or sub.origin is not Origin.NOBODY) and sub.session.deliver(sub, message)
        elif _may_pass(link, sub.session, message):
            targets.setdefault(sub.session, [])
    for members in interested.queues:
        queue = members[0].queue
        if link is None or queue in queues:
            reached += _serve(members, message, link, targets)
    for target, served in targets.items():
        target.send(account.name, message, served)
    return reached + len(targets)


def _may_pass(link: Any, target: Any, message: Message) -> bool:
    """Whether a message may go out to a link: if it came over another one, only to those that one was told of."""
    if target is link or target.closed is not None:
        return False
    return (link is None or hears_of(link.kind, target.origin)) and target.may_send(message.subject)


def _serve(members: tuple[Subscription, ...], message: Message, link: Any, targets: dict[Any, list[bytes]]) -> bool:
    """Let one member have the message: of this server or a route, by weight; of a leafnode only if there is no other.

    Returns:
        Whether it was delivered here; a member elsewhere is named to its link.
    """
    able = [sub for sub in members if not sub.weight or _may_pass(link, sub.session, message)]
    near = [sub for sub in able if sub.origin in _NEAR]
    beyond = [sub for sub in able if sub.origin not in _NEAR]
    for among in (near, beyond):
        first = choices(range(len(among)), [sub.weight or 1 for sub in among])[0] if among else 0
        for sub in among[first:] + among[:first]:
            if sub.weight:
                targets.setdefault(sub.session, []).append(sub.queue or b"")
                return False
            if sub.session.deliver(sub, message):
                return True
    return False
