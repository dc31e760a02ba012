"""Choose which columns a table shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Label

from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["ColumnChooser"]


@dataclass(frozen=True)
class _Choice:
    key: str
    title: str
    is_shown: bool


class ColumnChooser(ModalScreen[set[str] | None]):
    """Lists all columns, those shown ticked; the result is the keys of those to hide, None to leave all as it is.

    Args:
        columns: Key and title of each column.
        hidden: The keys of those that are hidden now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "switch", "Show or hide", id="columns.toggle"),
        Binding("enter,c", "take", "Done", id="columns.take", priority=True),
        Binding("escape", "cancel", "Cancel", id="columns.cancel"),
    ]

    def __init__(self, columns: Iterable[tuple[str, str]], hidden: set[str]) -> None:
        super().__init__()
        self._choices = [_Choice(key, title, key not in hidden) for key, title in columns]

    def compose(self) -> ComposeResult:
        """Put the list into a box."""
        with Vertical():
            yield Label("Columns")
            yield LineTable[_Choice](
                (
                    Column("shown", "SHOWN", lambda choice: "  ✓" if choice.is_shown else "", look=lambda _: "good"),
                    Column("title", "COLUMN", lambda choice: choice.title, max_width=None),
                ),
                lambda choice: choice.key,
            )
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """List the columns."""
        self._table.show(self._choices)
        self._table.styles.height = len(self._choices) + 1

    @property
    def _table(self) -> LineTable[_Choice]:
        return self.query_one(LineTable)

    @on(LineTable.Opened)
    def action_switch(self) -> None:
        """Show or hide the column the cursor is on."""
        chosen = self._table.row
        self._choices = [
            replace(choice, is_shown=not choice.is_shown) if choice is chosen else choice for choice in self._choices
        ]
        self._table.show(self._choices)

    def action_take(self) -> None:
        """Take what is ticked; at least one column stays."""
        hidden = {choice.key for choice in self._choices if not choice.is_shown}
        if len(hidden) < len(self._choices):
            self.dismiss(hidden)
        else:
            self.notify("at least one column must be shown", severity="warning")

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)
