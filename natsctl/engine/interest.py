"""What other servers are told of: the interest in an account, counted by where it comes from.

A ledger exists only for an account that has links, so that SUB and UNSUB cost nothing more without them. It hears of
each interest that comes or goes, and tells every link what changed in the sum that link may know. That is also what
keeps messages from going in circles: a message that came over a link goes to those whose interest that link was told.

Source: nats-server ``route.go`` (updateRouteSubscriptionMap), ``leafnode.go`` (updateSmap, sendLeafNodeSubUpdate).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

from natsctl.engine.api import LinkKind

__all__ = ["Interest", "Ledger", "Linked", "Origin", "Teller", "hears_of"]


class Origin(IntEnum):
    """Where an interest comes from."""

    CLIENT = 0
    ROUTE = 1
    SPOKE = 2
    HUB = 3
    MARK = 4
    """Nobody: it lets leafnodes find loops."""
    NOBODY = 5
    """The broker itself, of which no other server hears."""


_HEARS = {
    LinkKind.ROUTE: (Origin.CLIENT, Origin.SPOKE),
    LinkKind.SPOKE: (Origin.CLIENT, Origin.ROUTE, Origin.SPOKE, Origin.HUB, Origin.MARK),
    LinkKind.HUB: (Origin.CLIENT, Origin.SPOKE, Origin.MARK),
}


def hears_of(kind: LinkKind, origin: Origin) -> bool:
    """Whether links of a kind are told interest of this origin, and may therefore send messages to it."""
    return origin in _HEARS[kind]


class Teller(Protocol):
    """A link, as a ledger needs it."""

    kind: LinkKind
    origin: Origin

    def weight_of(self, account: str, subject: bytes, queue: bytes | None) -> int:
        """How much the peer itself wants of this."""

    def tell(self, account: str, subject: bytes, queue: bytes | None, weight: int) -> None:
        """Tell the peer that so many want this now; 0 for nobody."""


class Interest(Protocol):
    """An entry of a sublist, as a ledger needs it; ``weight`` is 0 for one of this server."""

    subject: bytes
    queue: bytes | None
    weight: int

    @property
    def origin(self) -> Origin:
        """Where it comes from."""


class Ledger:
    """The interest in one account, and the links that hear of it.

    Args:
        account: Its name.
        entries: What its sublist holds.
        mark: A subject that leafnodes are told for the sake of loops; empty for none.
    """

    __slots__ = ("_account", "_counts", "_links")

    def __init__(self, account: str, entries: Iterable[Interest], mark: bytes = b"") -> None:
        self._account = account
        self._counts: dict[tuple[bytes, bytes | None], list[int]] = {}
        self._links: list[Teller] = []
        for entry in entries:
            self.change(entry.origin, entry.subject, entry.queue, entry.weight or 1)
        if mark:
            self.change(Origin.MARK, mark, None, 1)

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._links)

    def connect(self, link: Teller) -> None:
        """Tell a link all it may know, and from now on what changes."""
        self._links.append(link)
        for (subject, queue), counts in sorted(self._counts.items(), key=_in_order):
            self._tell(link, subject, queue, 0, self._sum(link, subject, queue, counts))

    def disconnect(self, link: Teller) -> None:
        """Tell a link no more."""
        if link in self._links:
            self._links.remove(link)

    def change(self, origin: Origin, subject: bytes, queue: bytes | None, delta: int, *, source: object = None) -> None:
        """Count interest that came (or went), and tell everybody but the link it came over."""
        if origin is Origin.NOBODY:
            return
        key = (subject, queue)
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0] * Origin.NOBODY
        counts[origin] += delta
        for link in tuple(self._links):  # one that cannot be told any more leaves
            if link is not source and hears_of(link.kind, origin):
                after = self._sum(link, subject, queue, counts)
                self._tell(link, subject, queue, after - delta, after)
        if not any(counts):
            self._counts.pop(key, None)

    def _sum(self, link: Teller, subject: bytes, queue: bytes | None, counts: list[int]) -> int:
        total = sum(counts[origin] for origin in _HEARS[link.kind])
        if hears_of(link.kind, link.origin):  # of others of its kind, but not of itself
            total -= link.weight_of(self._account, subject, queue)
        return total

    def _tell(self, link: Teller, subject: bytes, queue: bytes | None, before: int, after: int) -> None:
        # Of a queue group the number counts, of plain interest only whether there is any.
        if before != after and (queue is not None or not (before and after)):
            link.tell(self._account, subject, queue, after)


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


def _in_order(item: tuple[tuple[bytes, bytes | None], list[int]]) -> tuple[bytes, bytes]:
    (subject, queue), _ = item
    return subject, queue or b""
