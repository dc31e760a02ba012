"""The connections that closed: whose, when, and why; those of the same client and reason in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from natsctl.errors import ClosedReason
from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import ConnInfo
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import NS, parse_time
from natsctl.tui.formats import TIMES
from natsctl.tui.views.client import called
from natsctl.tui.views.server import server_names

__all__ = ["ClosedConnection", "ClosedGroup", "closed_connections", "closed_groups"]


_PEACEFUL = {ClosedReason.CLIENT_CLOSED.value, ClosedReason.SERVER_SHUTDOWN.value, ""}


@dataclass(frozen=True, slots=True)
class ClosedConnection:
    """One connection that was closed, and at which server.

    Units: ``ago_s`` by the server's clock, ``lasted_s`` in seconds too; None where a time is missing.
    """

    url: str
    server: str
    conn: ConnInfo
    client: str
    reason: str
    ago_s: float | None
    lasted_s: float | None

    @property
    def is_trouble(self) -> bool:
        """Whether something other than the client's own wish, or the end of the server, closed it."""
        return self.reason not in _PEACEFUL

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""
        conn = self.conn
        texts = (self.client, self.reason, conn.ip, conn.authorized_user, conn.account, self.server, str(conn.cid))
        return "\n".join(texts).lower()


@dataclass(frozen=True, slots=True)
class ClosedGroup:
    """Connections of one client that were closed for one reason, the last of them first."""

    client: str
    reason: str
    connections: tuple[ClosedConnection, ...]

    @property
    def last(self) -> ClosedConnection:
        """The one that was closed last."""
        return self.connections[0]

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""
        return "\n".join(row.haystack for row in self.connections)

    @property
    def sentence(self) -> str:
        """The group in words: reason, times and client."""
        times = f" {TIMES}{len(self.connections)}" if len(self.connections) > 1 else ""
        return f"{self.reason or 'closed'}{times} by {self.client}"


def closed_connections(*snapshots: Snapshot) -> list[ClosedConnection]:
    """The closed connections of servers, the last first."""
    names = server_names(snapshots)
    closed = [row for snapshot in snapshots for row in _closed_at(snapshot, names[snapshot.server])]
    return sorted(closed, key=lambda row: (row.ago_s is None, row.ago_s or 0.0, -row.conn.cid))


def closed_groups(closed: list[ClosedConnection]) -> list[ClosedGroup]:
    """Put together what closed of the same client for the same reason: trouble first, then the most, then the last."""
    groups: dict[tuple[str, str], list[ClosedConnection]] = defaultdict(list)
    for row in closed:
        groups[row.client, row.reason].append(row)
    return sorted(
        (ClosedGroup(client, reason, tuple(rows)) for (client, reason), rows in groups.items()),
        key=lambda group: (not group.last.is_trouble, -len(group.connections), group.last.ago_s or 0.0),
    )


def _closed_at(snapshot: Snapshot, server: str) -> Iterator[ClosedConnection]:
    if snapshot.closed is None:
        return
    now_ns = _time_or_none(snapshot.closed.now or (snapshot.varz.now if snapshot.varz else ""))
    for conn in snapshot.closed.connections:
        yield _described(snapshot.server, server, conn, now_ns)


def _described(url: str, server: str, conn: ConnInfo, now_ns: int | None) -> ClosedConnection:
    started_ns, stopped_ns = _time_or_none(conn.start), _time_or_none(conn.stop)
    return ClosedConnection(
        url,
        server,
        conn,
        client=called(conn),
        reason=printable(conn.reason),
        ago_s=_seconds(stopped_ns, now_ns),
        lasted_s=_seconds(started_ns, stopped_ns),
    )


def _seconds(begin_ns: int | None, end_ns: int | None) -> float | None:
    return None if begin_ns is None or end_ns is None else max(0.0, (end_ns - begin_ns) / NS)


def _time_or_none(text: str) -> int | None:
    try:
        return parse_time(text)
    except ValueError:
        return None
