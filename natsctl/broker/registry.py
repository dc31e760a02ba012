"""The connections there are, and the ones there were.

Task: changed only on the broker's loop.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Protocol

from natsctl.broker.channel import SLOW_CONSUMER
from natsctl.broker.connection import Connection
from natsctl.broker.tls.session import TlsSession
from natsctl.engine.api import Counters, SubscriptionView
from natsctl.errors import ClosedReason

__all__ = ["ClosedConnection", "Counted", "Peer", "Registry", "Traffic"]

_FIRST_CID = 5
"""nats-server's own internal clients take 1 to 4; scripts count on the first client's number."""


_MAX_KEPT_SUBSCRIPTIONS = 128
"""Of each closed connection, so that thousands of them cannot hold millions."""


class Counted(Counters, Protocol):
    """What a session or a link counted: its traffic, and what monitoring shows besides."""

    stalls: int
    pending_bytes: int

    @property
    def n_subscriptions(self) -> int:
        """Subscriptions it has, or had in the end."""


class Peer(Protocol):
    """A client's or a leafnode's connection as monitoring sees it, open or closed.

    Units: ``last_activity`` in seconds on the loop's clock.
    """

    cid: int
    ip: str
    port: int
    account: str
    started_at: datetime
    stopped_at: datetime | None
    last_activity: float
    tls: TlsSession | None

    @property
    def kind(self) -> str:
        """``Client`` or ``Leafnode``."""

    @property
    def session(self) -> Counted:
        """Its counters."""

    @property
    def name(self) -> str:
        """What the client calls itself."""

    @property
    def lang(self) -> str:
        """Language of the client's library."""

    @property
    def version(self) -> str:
        """Version of the client's library."""

    @property
    def user(self) -> str:
        """Name it is logged in as."""

    @property
    def reason(self) -> ClosedReason | None:
        """Why it was closed."""

    @property
    def rtt_s(self) -> float:
        """Last round trip."""

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """Its subscriptions, oldest first."""


@dataclass(slots=True)
class ClosedConnection:
    """What stays of a connection that ended; see :class:`Peer`, and its session's :class:`Counted`.

    Units: ``in_bytes`` and ``out_bytes`` count payloads.
    """

    kind: str
    cid: int
    ip: str
    port: int
    name: str
    lang: str
    version: str
    account: str
    user: str
    reason: ClosedReason
    started_at: datetime
    stopped_at: datetime | None
    last_activity: float
    tls: TlsSession | None
    rtt_s: float
    in_msgs: int
    in_bytes: int
    out_msgs: int
    out_bytes: int
    stalls: int
    pending_bytes: int
    n_subscriptions: int
    kept_subscriptions: tuple[SubscriptionView, ...]
    """The oldest of its subscriptions."""

    @property
    def session(self) -> ClosedConnection:
        """Itself: what its session counted is kept here."""
        return self

    def subscriptions(self) -> Iterator[SubscriptionView]:
        """The subscriptions it had in the end, as far as they are kept."""
        return iter(self.kept_subscriptions)


@dataclass(slots=True)
class Traffic:
    """What the connections of an account have moved, the closed ones included.

    Units: bytes of payload.
    """

    in_msgs: int = 0
    in_bytes: int = 0
    out_msgs: int = 0
    out_bytes: int = 0
    stalls: int = 0
    slow_consumers: int = 0

    def add(self, other: Counted | Traffic) -> None:
        """Count what another one moved."""
        self.in_msgs += other.in_msgs
        self.in_bytes += other.in_bytes
        self.out_msgs += other.out_msgs
        self.out_bytes += other.out_bytes
        self.stalls += other.stalls


class Registry:
    """Open connections by cid, and a ring of the last closed ones.

    Args:
        max_closed: Closed connections kept.
    """

    def __init__(self, max_closed: int) -> None:
        self.open: dict[int, Connection] = {}
        self.closed: deque[ClosedConnection] = deque(maxlen=max_closed)
        self.closed_by_reason: Counter[ClosedReason] = Counter()
        self.total = 0
        """Connections accepted since the start."""
        self._next_cid = _FIRST_CID
        self._by_account: Counter[str] = Counter()
        self._ended: defaultdict[str, Traffic] = defaultdict(Traffic)

    def __iter__(self) -> Iterator[Connection]:
        """The open connections, oldest first."""
        return iter(tuple(self.open.values()))

    def next_cid(self) -> int:
        """Number a new connection."""
        cid = self._next_cid
        self._next_cid += 1
        return cid

    def add(self, connection: Connection) -> None:
        """Enter a new connection."""
        self.open[connection.cid] = connection
        self.total += 1

    def in_account(self, account: str) -> int:
        """Connections logged in to an account."""
        return self._by_account[account]

    def move(self, connection: Connection, account: str) -> None:
        """Count a connection to an account; an empty name to none."""
        if connection.account:
            self._by_account[connection.account] -= 1
        connection.account = account
        if account:
            self._by_account[account] += 1

    def close(self, connection: Connection, reason: ClosedReason) -> None:
        """Move a connection to the closed ones."""
        if self.open.pop(connection.cid, None) is None:
            return
        account = connection.account
        self.move(connection, "")
        connection.account = account
        self.closed_by_reason[reason] += 1
        ended = self._ended[connection.session.account]
        ended.add(connection.session)
        ended.slow_consumers += reason in SLOW_CONSUMER
        self.keep(connection, reason)

    def keep(self, peer: Peer, reason: ClosedReason) -> None:
        """Remember a connection that ended."""
        self.closed.append(_closed(peer, reason))

    def traffic(self) -> dict[str, Traffic]:
        """What has been moved since the start, by account."""
        found = defaultdict(Traffic, {account: replace(ended) for account, ended in self._ended.items()})
        for connection in self.open.values():
            found[connection.session.account].add(connection.session)
        return found


def _closed(peer: Peer, reason: ClosedReason) -> ClosedConnection:
    session = peer.session
    return ClosedConnection(
        kind=peer.kind,
        cid=peer.cid,
        ip=peer.ip,
        port=peer.port,
        name=peer.name,
        lang=peer.lang,
        version=peer.version,
        account=peer.account,
        user=peer.user,
        reason=reason,
        started_at=peer.started_at,
        stopped_at=peer.stopped_at,
        last_activity=peer.last_activity,
        tls=peer.tls.without_certificates() if peer.tls is not None else None,
        rtt_s=peer.rtt_s,
        in_msgs=session.in_msgs,
        in_bytes=session.in_bytes,
        out_msgs=session.out_msgs,
        out_bytes=session.out_bytes,
        stalls=session.stalls,
        pending_bytes=session.pending_bytes,
        n_subscriptions=session.n_subscriptions,
        kept_subscriptions=tuple(islice(peer.subscriptions(), _MAX_KEPT_SUBSCRIPTIONS)),
    )
