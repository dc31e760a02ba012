"""The connections that closed lately, and why: put together by client and reason, or one by one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

import msgspec
from textual import on
from textual.binding import Binding, BindingType

from natsctl.monitoring.figures import format_count, format_size
from natsctl.monitoring.snapshot import Query
from natsctl.tui.board import Board
from natsctl.tui.formats import span
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.screens.listing import ListScreen
from natsctl.tui.views.client import address, plural
from natsctl.tui.views.closed import ClosedConnection, ClosedGroup, closed_connections, closed_groups
from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["ClosedConnectionsScreen", "ClosedScreen"]

UNKNOWN = float("inf")


def _ago(row: ClosedConnection) -> str:
    return "" if row.ago_s is None else f"{span(row.ago_s)} ago"


def _look(row: ClosedConnection) -> str:
    return "error" if row.is_trouble else ""


def _count(read: int, board: Board) -> str:
    """How many closed connections were read, and of how many a server remembers when those are more."""
    total = sum(snapshot.closed.total for snapshot in board.snapshots if snapshot.closed)
    text = plural(max(read, total), "closed connection")
    return f"the last {read} of {text}" if read < total else text


class ClosedScreen(ListScreen[ClosedGroup]):
    """Lists what closed in groups, trouble first."""

    BINDING_GROUP_TITLE = "Closed connections"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "each", "One by one", id="closed.each", tooltip="Show each closed connection"),
    ]

    def query_for(self, server: str) -> Query:
        """Ask also for closed connections."""
        return msgspec.structs.replace(super().query_for(server), closed=True)

    def columns(self) -> Sequence[Column[ClosedGroup]]:
        """What happened, to whom, how often and when last."""
        return [
            Column("n", "TIMES", lambda row: str(len(row.connections)), lambda row: len(row.connections), True, True),
            Column("client", "CLIENT", lambda row: row.client),
            Column("reason", "REASON", lambda row: row.reason, max_width=40, look=lambda row: _look(row.last)),
            Column("last", "LAST", lambda row: _ago(row.last), lambda row: row.last.ago_s or 0.0),
        ]

    def rows(self) -> Sequence[ClosedGroup]:
        """The groups of all servers."""
        return closed_groups(closed_connections(*self.board.snapshots))

    def key(self, row: ClosedGroup) -> Hashable:
        """A group is a client and a reason."""
        return row.client, row.reason

    def summary(self, rows: Sequence[ClosedGroup]) -> str:
        """Begin with the worst."""
        if not rows:
            return "no closed connections"
        worst = f": {rows[0].sentence}" if rows[0].last.is_trouble else ""
        return f"{_count(sum(len(row.connections) for row in rows), self.board)}{worst}"

    @on(LineTable.Opened)
    def _open_group(self, event: LineTable.Opened) -> None:
        self.app.push_screen(ClosedConnectionsScreen(self.board, event.row))

    def action_each(self) -> None:
        """List each closed connection."""
        self.app.push_screen(ClosedConnectionsScreen(self.board))


class ClosedConnectionsScreen(ListScreen[ClosedConnection]):
    """Lists closed connections one by one, the last first.

    Args:
        board: What is known.
        group: Only those of this client and reason.
    """

    BINDING_GROUP_TITLE = "Closed connections"

    def __init__(self, board: Board, group: ClosedGroup | None = None) -> None:
        super().__init__(board)
        self._group = group

    def query_for(self, server: str) -> Query:
        """Ask also for closed connections."""
        return msgspec.structs.replace(super().query_for(server), closed=True)

    def columns(self) -> Sequence[Column[ClosedConnection]]:
        """Who, why, when, and what it did."""
        raw = self.board.settings.raw
        return [
            *self.server_columns(),
            Column("cid", "CID", lambda row: str(row.conn.cid), lambda row: row.conn.cid, is_right=True),
            Column("client", "CLIENT", lambda row: row.client),
            Column("reason", "REASON", lambda row: row.reason, max_width=40, look=_look),
            Column("ago", "CLOSED", _ago, lambda row: UNKNOWN if row.ago_s is None else row.ago_s),
            Column(
                "lasted",
                "LASTED",
                lambda row: "" if row.lasted_s is None else span(row.lasted_s),
                lambda row: -1.0 if row.lasted_s is None else row.lasted_s,
                falls=True,
            ),
            Column("host", "HOST", lambda row: address(self.board.host(row.conn.ip), row.conn.port)),
            Column(
                "msgs_to",
                "MSGS_TO",
                lambda row: format_count(row.conn.out_msgs, raw=raw),
                lambda row: row.conn.out_msgs,
                True,
                True,
            ),
            Column(
                "msgs_from",
                "MSGS_FROM",
                lambda row: format_count(row.conn.in_msgs, raw=raw),
                lambda row: row.conn.in_msgs,
                True,
                True,
            ),
            Column(
                "pending",
                "PENDING",
                lambda row: format_size(row.conn.pending_bytes, raw=raw),
                lambda row: row.conn.pending_bytes,
                True,
                True,
            ),
        ]

    def rows(self) -> Sequence[ClosedConnection]:
        """The closed connections of all servers."""
        group = self._group
        return [
            row
            for row in closed_connections(*self.board.snapshots)
            if group is None or (row.client, row.reason) == (group.client, group.reason)
        ]

    def key(self, row: ClosedConnection) -> Hashable:
        """A closed connection is told apart as an open one."""
        return row.url, row.conn.cid, row.conn.start

    def summary(self, rows: Sequence[ClosedConnection]) -> str:
        """How many, and of what group."""
        if self._group:
            return f"{plural(len(rows), 'closed connection')}: {self._group.sentence}"
        return _count(len(rows), self.board)

    @on(LineTable.Opened)
    def _open_connection(self, event: LineTable.Opened) -> None:
        row: ClosedConnection = event.row
        self.app.push_screen(ConnectionScreen(self.board, row.url, row.conn.cid, row.conn.start))
