"""The open connections of all servers as rows, and what the columns make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from natsctl.monitoring.documents import ConnInfo
from natsctl.monitoring.rates import Rates
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import parse_rtt, parse_uptime
from natsctl.tui.views.server import server_names

__all__ = ["Connection", "connections", "has_name", "has_user"]

NO_RATES = Rates(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Connection:
    """One connection, and where it belongs.

    Attributes:
        url: The base URL of its server's monitoring.
        server: What its server is called.
        max_pending: The limit of its pending bytes; 0 where the server does not tell.
        conn: What was read of it.
        rates: How fast it is; None until measured.
        is_stale: It is older than it should be.
    """

    url: str
    server: str
    max_pending: int
    conn: ConnInfo
    rates: Rates | None
    is_stale: bool = False

    @property
    def key(self) -> tuple[str, int, str]:
        """Names a connection, also after its server started anew."""
        return self.url, self.conn.cid, self.conn.start

    @property
    def pending_share(self) -> float:
        """How much of ``max_pending`` is used, from 0 to 1."""
        return self.conn.pending_bytes / self.max_pending if self.max_pending > 0 else 0.0

    @property
    def measured(self) -> Rates:
        """How fast it is, or zeros to sort by."""
        return self.rates or NO_RATES

    @property
    def rtt_s(self) -> float:
        """The round-trip time in seconds; -1 until the server measured it."""
        seconds = parse_rtt(self.conn.rtt)
        return -1.0 if seconds is None else seconds

    @property
    def uptime_s(self) -> int:
        """How long it is open, in seconds."""
        return _seconds(self.conn.uptime)

    @property
    def idle_s(self) -> int:
        """How long nothing came or went, in seconds."""
        return _seconds(self.conn.idle)

    @cached_property
    def haystack(self) -> str:
        """Where a filter looks, in lower case."""
        conn = self.conn
        subjects = conn.subscriptions_list or [sub.subject for sub in conn.subscriptions_list_detail]
        texts = (conn.name, conn.ip, conn.authorized_user, conn.account, conn.mqtt_client, self.server, str(conn.cid))
        return "\n".join((*texts, *subjects)).lower()


def connections(snapshots: Sequence[Snapshot]) -> list[Connection]:
    """List the connections of servers."""
    names = server_names(snapshots)
    rows = []
    for snapshot in snapshots:
        if snapshot.connz is None:
            continue
        max_pending = snapshot.varz.max_pending if snapshot.varz else 0
        rates = snapshot.connection_rates
        rows += [
            Connection(
                snapshot.server, names[snapshot.server], max_pending, conn, rates.get(conn.cid), snapshot.is_stale
            )
            for conn in snapshot.connz.connections
        ]
    return rows


def has_name(row: Connection) -> bool:
    """Whether a client named itself."""
    return bool(row.conn.name or row.conn.mqtt_client)


def has_user(row: Connection) -> bool:
    """Whether a client logged in as somebody."""
    return bool(row.conn.authorized_user)


def _seconds(uptime: str) -> int:
    try:
        return parse_uptime(uptime)
    except ValueError:
        return 0
