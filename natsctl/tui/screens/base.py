"""What all screens share: the header, the notices, the keys at the foot, and how they come by snapshots."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from natsctl.monitoring.snapshot import Query
from natsctl.tui.board import Board
from natsctl.tui.widgets.header import Header
from natsctl.tui.widgets.status import StatusLine
from natsctl.tui.widgets.table import LineTable

__all__ = ["TopScreen"]

FOOT = (
    "prompt.cancel",
    "app.help",
    "table.open",
    "connections.filter",
    "list.search",
    "connection.chart",
    "closed.each",
    "subjects.who",
    "app.connections",
    "app.closed",
    "app.links",
    "app.subjects",
    "app.variables",
    "app.pause",
    "app.quit",
)
"""The keys that the foot shows first, by the ids of their bindings: 80 columns have no room for all."""


class TopScreen(Screen[None]):
    """A screen that shows what the board knows.

    A subclass yields its own widgets from :meth:`compose_body` and fills them in :meth:`show`, which is called after
    each snapshot, each step in time and each change of settings, while the screen is on top. What it needs to know
    beyond the settings it says in :meth:`query_for`.

    Args:
        board: What is known, and how the user wants to see it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False, id="screen.back")]

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.board = board

    def compose(self) -> ComposeResult:
        """Put the body between header and footer."""
        yield Header(self.board)
        yield StatusLine(self.board)
        yield from self.compose_body()
        yield Footer(compact=True, show_command_palette=False)

    @abstractmethod
    def compose_body(self) -> ComposeResult:
        """Yield the screen's own widgets."""

    @abstractmethod
    def show(self) -> None:
        """Draw what the board knows; ``say`` a line that sums it up."""

    def query_for(self, server: str) -> Query:
        """What to ask of a server while this screen is on top."""
        return self.board.query

    @property
    def table(self) -> LineTable[Any]:
        """The table in the body; the servers in the header may be another."""
        return self.query_one("TopScreen > LineTable", LineTable)

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that work now, those that are to be seen first before the others."""
        ranks = {name: rank for rank, name in enumerate(FOOT)}
        active = super().active_bindings
        return dict(sorted(active.items(), key=lambda item: ranks.get(item[1].binding.id or "", len(FOOT))))

    def say(self, summary: str) -> None:
        """Say in one line what is shown."""
        self.query_one(StatusLine).say(summary)

    def draw(self) -> None:
        """Draw everything anew, as the board or the settings changed."""
        if not self.is_mounted:
            return
        self.query_one(Header).show()
        self.query_one(StatusLine).show()
        self.show()

    def change(self, **settings: object) -> None:
        """Change settings, ask the servers for what they make necessary, and draw."""
        self.board.change(**settings)
        self.ask()
        self.draw()

    def ask(self) -> None:
        """Ask the servers for what this screen needs now."""
        self.run_worker(self.board.ask(self.query_for), group="ask", exclusive=True)

    def on_screen_resume(self) -> None:
        """Come to the top."""
        self.ask()
        self.draw()

    @property
    def is_covering(self) -> bool:
        """Whether there is another screen of the dashboard below."""
        stack = self.app.screen_stack
        return len(stack) > 1 and isinstance(stack[-2], TopScreen)

    def action_back(self) -> None:
        """Go back to the screen below."""
        if self.is_covering:
            self.app.pop_screen()
