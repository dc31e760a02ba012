"""The first screen: all open connections of all servers in one table."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from natsctl.tui.board import Board
from natsctl.tui.screens.base import TopScreen
from natsctl.tui.screens.columns import ColumnChooser
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.views.connections import Connection, connections, has_name, has_user
from natsctl.tui.views.search import matching
from natsctl.tui.widgets.connection_columns import FIRST_HIDDEN, SERVER_OPTIONS, connection_columns, sorting
from natsctl.tui.widgets.prompt import Prompt
from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["ConnectionsScreen"]

MAX_LIMIT = 1_000_000


class ConnectionsScreen(TopScreen):
    """Shows, sorts and filters the open connections."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,f", "filter", "Filter", id="connections.filter", tooltip="Name, address, user, subject …"),
        Binding("o", "sort", "Sort", id="connections.sort", tooltip="Type what to sort by"),
        Binding("space", "per_second", "Rates", id="connections.rates", tooltip="Totals or rates per second"),
        Binding("s", "subscriptions", "Subs", id="connections.subscriptions", tooltip="Show subjects"),
        Binding("c", "columns", "Columns", id="connections.columns", tooltip="Choose columns"),
        Binding("n", "limit", "Limit", id="connections.limit", tooltip="How many connections to ask for"),
    ]

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._filter = ""
        self._hidden = set(FIRST_HIDDEN)

    def compose_body(self) -> ComposeResult:
        """Put the prompt below the table."""
        table = LineTable[Connection](self._columns([]), lambda row: row.key, dim=lambda row: row.is_stale)
        key, falls = sorting(self.board.settings.sort)
        table.sort_by(key, falls=falls)
        yield table
        yield Prompt()

    def on_mount(self) -> None:
        """Let the keys go to the table."""
        self.table.focus()

    def show(self) -> None:
        """Show the connections of all servers that the filter lets through."""
        snapshots = self.board.snapshots
        everything = connections(snapshots)
        rows = matching(everything, self._filter)
        self.table.columns = self._columns(everything)
        self.table.show(rows)
        total = sum(snapshot.connz.total for snapshot in snapshots if snapshot.connz)
        self.say(self._summary(len(rows), len(everything), total))

    def _summary(self, shown: int, read: int, total: int) -> str:
        if not any(snapshot.connz for snapshot in self.board.snapshots):
            return "no connections were read yet"
        parts = [f"{shown} of {total} connections"]
        if self._filter:
            parts.append(f'matching "{self._filter}"')
        if read < total:
            parts.append(f"{read} were read")
        parts.append("per second" if self.board.settings.per_second else "totals")
        return ", ".join(parts)

    def _columns(self, rows: Sequence[Connection]) -> list[Column[Connection]]:
        """The columns to show: those chosen, without names and users where nobody has one."""
        empty = {key for key, has_any in (("name", has_name), ("user", has_user)) if not any(map(has_any, rows))}
        hidden = self._hidden | empty
        return [column for column in connection_columns(self.board) if column.key not in hidden]

    @on(LineTable.SortChanged)
    def _sort_changed(self, event: LineTable.SortChanged) -> None:
        """Let the server choose by the same order which connections it tells of, where it can."""
        if event.control is self.table:
            self.board.change(sort=event.key if event.key in SERVER_OPTIONS else "cid")
            self.ask()

    @on(LineTable.Opened)
    def _opened(self, event: LineTable.Opened) -> None:
        """Show everything about a connection."""
        row: Connection = event.row
        self.app.push_screen(ConnectionScreen(self.board, row.url, row.conn.cid, row.conn.start))

    def action_filter(self) -> None:
        """Filter as the user types."""
        self.query_one(Prompt).ask("filter:", self._filter, lambda text: "", as_typed=self._set_filter)

    def _set_filter(self, text: str) -> None:
        self._filter = text
        self.show()

    def action_sort(self) -> None:
        """Ask what to sort by."""
        self.query_one(Prompt).ask(f"sort by [{self.table.sort_key}]:", "", self._set_sort)

    def _set_sort(self, key: str) -> str:
        if not key:
            return ""
        keys = [*(column.key for column in self.table.columns), "start"]
        if key not in keys:
            near = get_close_matches(key, keys, 3) or sorted(keys)
            return f"invalid order: {key} (try {', '.join(near)})"
        column, falls = sorting(key)
        self.table.choose(column, falls)
        return ""

    def action_limit(self) -> None:
        """Ask how many connections to ask for."""
        self.query_one(Prompt).ask(f"limit [{self.board.settings.limit}]:", "", self._set_limit)

    def _set_limit(self, text: str) -> str:
        if not text:
            return ""
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MAX_LIMIT:
            return f"invalid limit: {text} (a number from 1 to {MAX_LIMIT})"
        self.change(limit=int(text))
        return ""

    def action_subscriptions(self) -> None:
        """Show or hide the subjects of each connection."""
        self.change(subscriptions=not self.board.settings.subscriptions)

    def action_per_second(self) -> None:
        """Change between totals and rates per second."""
        self.change(per_second=not self.board.settings.per_second)

    def action_columns(self) -> None:
        """Choose columns."""
        columns = [(column.key, column.title) for column in connection_columns(self.board)]
        self.app.push_screen(ColumnChooser(columns, self._hidden), self._set_hidden)

    def _set_hidden(self, hidden: set[str] | None) -> None:
        if hidden is not None:
            self._hidden = hidden
            self.show()
