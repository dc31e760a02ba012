"""What all sessions of one engine share: the accounts, who has something to send, and the broker's own sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from natsctl.engine.api import Delivery, Handler, Limits, LinkKind, SublistStats, SubscriptionView
from natsctl.engine.interest import Origin
from natsctl.engine.message import Message

__all__ = ["InternalSession", "Plane"]


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
