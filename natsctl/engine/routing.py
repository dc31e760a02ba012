"""The way of a message: who subscribed to what, and how a publish becomes deliveries.

Source: nats-server ``client.go`` (processMsgResults, deliverMsg), ``route.go`` (addSubToRouteTargets).
"""

from __future__ import annotations

from random import choices, random
from typing import Any, Protocol, TypeVar

from natsctl.engine.api import SublistStats
from natsctl.engine.grammar import PublishArgs
from natsctl.engine.interest import Ledger, Linked, Origin, hears_of
from natsctl.engine.message import Message
from natsctl.engine.plane import Plane
from natsctl.engine.sublist import NOBODY, Match, Sublist

__all__ = ["Account", "LinkSubscription", "Receiver", "Subscription", "deliver_across", "deliver_all"]

_NEAR = (Origin.CLIENT, Origin.ROUTE)

_SubscriptionT = TypeVar("_SubscriptionT", bound="Subscription")


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

    def _hold(self, sub: _SubscriptionT) -> _SubscriptionT:
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
