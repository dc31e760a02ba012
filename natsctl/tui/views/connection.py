"""Everything about one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import ConnInfo
from natsctl.monitoring.rates import Rates
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.views.client import address, called
from natsctl.tui.views.subscriptions import QueueGroup, Subscription, queue_groups, subscriptions

__all__ = ["ConnectionDetails", "connection_details", "identity", "tls"]

DEFAULT_ACCOUNT = "$G"
"""Not told as an account, but as the name tag of its connections."""
MAX_CERTS = 4
MAX_MATES = 8


@dataclass(frozen=True, slots=True)
class ConnectionDetails:
    """One connection, as far as it is known.

    Attributes:
        cid: Its number.
        state: Whether it is open, closed, or on none of the pages that were read.
        conn: What was read of it; None when ``state`` is ``unlisted``.
        rates: How fast it is; None until measured.
        max_pending: The limit of its pending bytes, 0 where the server does not tell.
        subscriptions: Its subscriptions, busiest first.
        groups: The queue groups it is a member of, with all members that were read.
    """

    cid: int
    state: Literal["open", "closed", "unlisted"]
    conn: ConnInfo | None = None
    rates: Rates | None = None
    max_pending: int = 0
    subscriptions: tuple[Subscription, ...] = ()
    groups: tuple[QueueGroup, ...] = ()

    @property
    def pending_share(self) -> float | None:
        """How much of ``max_pending`` is used, from 0 to 1; None where that is not known."""
        if self.conn is None or self.max_pending <= 0:
            return None
        return min(1.0, self.conn.pending_bytes / self.max_pending)

    def group_of(self, sub: Subscription) -> QueueGroup | None:
        """The queue group that a subscription belongs to."""
        return next((group for group in self.groups if sub in group.members), None)

    def share(self, sub: Subscription) -> str:
        """How much of what its queue group received it has received; "" outside of a group."""
        group = self.group_of(sub)
        return f"{sub.msgs / group.msgs:.0%}" if group and group.msgs else ""

    def mates(self, sub: Subscription) -> str:
        """Who else is in its queue group."""
        group = self.group_of(sub)
        if group is None:
            return ""
        others = [member.client for member in group.members if member != sub]
        named = ", ".join(others[:MAX_MATES]) or "nobody"
        return f"{named}, {len(others) - MAX_MATES} more" if len(others) > MAX_MATES else named


def connection_details(snapshot: Snapshot, cid: int, start: str) -> ConnectionDetails:
    """Collect what a snapshot knows of a connection; best of one whose subscriptions were asked for in detail.

    Args:
        snapshot: What was read.
        cid: The number of the connection.
        start: When it began: after a restart of the server the number is another's.
    """
    conn = _found(snapshot.connz.connections if snapshot.connz else [], cid, start)
    if conn is None:
        closed = _found(snapshot.closed.connections if snapshot.closed else [], cid, start)
        return ConnectionDetails(cid, "closed" if closed else "unlisted", closed)
    everybodys = subscriptions(snapshot)
    own = [sub for sub in everybodys if sub.cid == cid]
    return ConnectionDetails(
        cid,
        "open",
        conn,
        rates=snapshot.connection_rates.get(cid),
        max_pending=snapshot.varz.max_pending if snapshot.varz else 0,
        subscriptions=tuple(sorted(own, key=lambda sub: (-(sub.msgs_per_s or 0.0), -sub.msgs, sub.subject))),
        groups=tuple(group for group in queue_groups(everybodys) if any(member.cid == cid for member in group.members)),
    )


def identity(conn: ConnInfo) -> list[tuple[str, str]]:
    """Who a client is and since when, as labels and texts; what it did not tell is left out."""
    software = " ".join(part for part in (conn.lang, conn.version) if part)
    kind = conn.kind if conn.type in ("", "nats") else f"{conn.kind} ({conn.type})"
    pairs = (
        ("client", called(conn)),
        ("address", address(conn.ip, conn.port)),
        ("user", conn.authorized_user),
        ("account", conn.account),
        ("mqtt", conn.mqtt_client),
        ("library", software),
        ("kind", kind),
        ("tags", ", ".join(conn.tags)),
        ("name tag", conn.name_tag if conn.name_tag != (conn.account or DEFAULT_ACCOUNT) else ""),
        ("issuer", conn.issuer_key),
        ("proxy", conn.proxy.key if conn.proxy else ""),
        ("since", conn.start),
        ("until", conn.stop),
        ("reason", conn.reason),
        ("uptime", conn.uptime),
        ("idle", conn.idle),
        ("rtt", conn.rtt),
        ("stalls", str(conn.stalls) if conn.stalls else ""),
    )
    return [(label, printable(text)) for label, text in pairs if text]


def tls(conn: ConnInfo) -> str:
    """How a connection is encrypted, and with which certificates the client proved who it is."""
    if not conn.tls_version:
        return "none"
    parts = [f"TLS {conn.tls_version}", conn.tls_cipher_suite, "handshake first" if conn.tls_first else ""]
    parts += [f"certificate of {cert.subject}" for cert in conn.tls_peer_certs[:MAX_CERTS]]
    return printable(", ".join(part for part in parts if part))


def _found(conns: list[ConnInfo], cid: int, start: str) -> ConnInfo | None:
    return next((conn for conn in conns if conn.cid == cid and conn.start == start), None)
