"""The connections there are, and the ones there were.

Task: changed only on the broker's loop.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from natsctl.broker.connection import Connection
from natsctl.errors import ClosedReason

__all__ = ["ClosedConnection", "Registry"]

_FIRST_CID = 5
"""nats-server's own internal clients take 1 to 4; scripts count on the first client's number."""


@dataclass(frozen=True, slots=True)
class ClosedConnection:
    """What stays of a connection that ended.

    Units: ``in_bytes`` and ``out_bytes`` count payloads.
    """

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
    stopped_at: datetime
    rtt_s: float
    in_msgs: int
    in_bytes: int
    out_msgs: int
    out_bytes: int


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
        session, connect = connection.session, connection.connect
        self.closed.append(
            ClosedConnection(
                cid=connection.cid,
                ip=connection.ip,
                port=connection.port,
                name=connect.name if connect is not None else "",
                lang=connect.lang if connect is not None else "",
                version=connect.version if connect is not None else "",
                account=account,
                user=connection.login.name,
                reason=reason,
                started_at=connection.started_at,
                stopped_at=connection.stopped_at or connection.started_at,
                rtt_s=connection.pinger.rtt_s,
                in_msgs=session.in_msgs,
                in_bytes=session.in_bytes,
                out_msgs=session.out_msgs,
                out_bytes=session.out_bytes,
            )
        )
