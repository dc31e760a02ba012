"""A screen that is one table with a search; what the table lists, its subclasses say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from natsctl.tui.board import Board
from natsctl.tui.screens.base import TopScreen
from natsctl.tui.views.search import Searchable, matching
from natsctl.tui.widgets.plain_table import PlainTable
from natsctl.tui.widgets.prompt import Prompt
from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["ListScreen"]

Row = TypeVar("Row", bound=Searchable)


class ListScreen(TopScreen, Generic[Row]):
    """A screen of rows."""

    CAN_OPEN: ClassVar[bool] = True
    """Whether there is more to show of a row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,f", "search", "Search", id="list.search", tooltip="Show only rows with these words"),
    ]

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._needle = ""

    @abstractmethod
    def columns(self) -> Sequence[Column[Row]]:
        """What is shown of a row."""

    @abstractmethod
    def rows(self) -> Sequence[Row]:
        """Everything there is to list."""

    @abstractmethod
    def key(self, row: Row) -> Hashable:
        """Tell rows apart."""

    @abstractmethod
    def summary(self, rows: Sequence[Row]) -> str:
        """Sum up the rows, before the search leaves some out."""

    def compose_body(self) -> ComposeResult:
        """Put the prompt below the table."""
        kind = LineTable if self.CAN_OPEN else PlainTable
        yield kind(self.columns(), self.key)
        yield Prompt()

    def show(self) -> None:
        """List what the search lets through."""
        snapshots = self.board.snapshots
        everything = self.rows()
        rows = matching(everything, self._needle)
        columns = self.columns()
        if [column.key for column in columns] != [column.key for column in self.table.columns]:
            self.table.columns = columns
        self.table.show(rows, is_stale=bool(snapshots) and all(snapshot.is_stale for snapshot in snapshots))
        summary = self.summary(everything)
        if self._needle:
            summary += f'; {len(rows)} match "{self._needle}"'
        self.say(summary)

    @property
    def is_searching(self) -> bool:
        """Whether a search leaves out rows."""
        return bool(self._needle)

    def action_search(self) -> None:
        """Search as the user types."""
        self.query_one(Prompt).ask("search:", self._needle, lambda text: "", as_typed=self._search_for)

    def _search_for(self, needle: str) -> None:
        self._needle = needle
        self.show()

    def action_back(self) -> None:
        """End the search, else go back to the screen below."""
        if self.is_searching:
            self._search_for("")
        else:
            super().action_back()

    def server_columns(self) -> list[Column[Row]]:
        """A column for the server where there are several; rows must have a ``server``."""
        if len(self.board.servers) < 2:
            return []
        return [Column("server", "SERVER", lambda row: str(getattr(row, "server", "")))]
