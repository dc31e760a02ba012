"""Choose which columns a table shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Label, SelectionList
from textual.widgets.selection_list import Selection

__all__ = ["ColumnChooser"]


class ColumnChooser(ModalScreen[set[str] | None]):
    """Lists all columns, those shown ticked; the result is the keys of those to hide, None to leave all as it is.

    Args:
        columns: Key and title of each column.
        hidden: The keys of those that are hidden now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,c", "take", "Done", id="columns.take", priority=True),
        Binding("escape", "cancel", "Cancel", id="columns.cancel"),
    ]

    def __init__(self, columns: Iterable[tuple[str, str]], hidden: set[str]) -> None:
        super().__init__()
        self._columns = list(columns)
        self._hidden = hidden

    def compose(self) -> ComposeResult:
        """Put the list into a box."""
        with Vertical():
            yield Label("Columns: space shows or hides, enter is done")
            yield SelectionList[str](
                *(Selection(title, key, key not in self._hidden, id=key) for key, title in self._columns), compact=True
            )
        yield Footer(compact=True, show_command_palette=False)

    def action_take(self) -> None:
        """Take what is ticked; at least one column stays."""
        shown = set(self.query_one(SelectionList).selected)
        if shown:
            self.dismiss({key for key, _ in self._columns} - shown)
        else:
            self.notify("at least one column must be shown", severity="warning")

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)
