"""Everything that the servers say of themselves in ``/varz``."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from natsctl.tui.screens.listing import ListScreen
from natsctl.tui.views.variables import Variable, variables
from natsctl.tui.widgets.table import Column

__all__ = ["VariablesScreen"]


class VariablesScreen(ListScreen[Variable]):
    """Lists the variables of all servers; sorted by name, those of several servers stand side by side."""

    CAN_OPEN = False
    BINDING_GROUP_TITLE = "Server variables"

    def columns(self) -> Sequence[Column[Variable]]:
        """Name and value."""
        return [
            *self.server_columns(),
            Column("name", "VARIABLE", lambda row: row.name, max_width=48),
            Column("value", "VALUE", lambda row: row.value, max_width=None),
            Column("exact", "EXACTLY", lambda row: row.exact, is_right=True),
        ]

    def rows(self) -> Sequence[Variable]:
        """All variables in the order of the servers' answers."""
        return variables(*self.board.snapshots)

    def key(self, row: Variable) -> Hashable:
        """A variable is told apart by server and name."""
        return row.server, row.name

    def summary(self, rows: Sequence[Variable]) -> str:
        """How many there are."""
        return f"{len(rows)} server variables"
