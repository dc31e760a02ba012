"""The head of every screen: one server in four lines, or several in a table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from natsctl.tui.board import Board
from natsctl.tui.widgets.server_panel import ServerPanel
from natsctl.tui.widgets.server_table import ServerTable

__all__ = ["Header"]


class Header(Vertical):
    """Shows the servers.

    Args:
        board: What is known.
    """

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board

    def compose(self) -> ComposeResult:
        """Make room for both forms; the board decides which is seen."""
        yield ServerPanel(self._board)
        yield ServerTable()

    def show(self) -> None:
        """Draw what the board knows now."""
        panel, table = self.query_one(ServerPanel), self.query_one(ServerTable)
        table.display = self._board.has_several
        panel.display = not table.display
        if table.display:
            table.show_board(self._board)
        else:
            panel.refresh()
