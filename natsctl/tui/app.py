"""The dashboard as an application: keys that work everywhere, themes, the way in and out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from natsctl.errors import NatsctlError
from natsctl.ops.watch import Source, Watch
from natsctl.tui.board import Board
from natsctl.tui.hangup import on_hang_up
from natsctl.tui.screens.base import TopScreen
from natsctl.tui.screens.closed import ClosedScreen
from natsctl.tui.screens.connections import ConnectionsScreen
from natsctl.tui.screens.help import HelpScreen
from natsctl.tui.screens.links import LinksScreen
from natsctl.tui.screens.subjects import SubjectsScreen
from natsctl.tui.screens.variables import VariablesScreen
from natsctl.tui.theme import NO_COLOUR, THEMES, first_theme

__all__ = ["TopApp", "show"]

VIEWS: dict[str, Callable[[Board], TopScreen]] = {
    "closed": ClosedScreen,
    "help": HelpScreen,
    "links": LinksScreen,
    "subjects": SubjectsScreen,
    "variables": VariablesScreen,
}
"""Screens that have a key of their own, above that of the connections. They are made once, and remember."""

SIGNAL_EXIT = 128
FIRST_SCREEN = 2
"""So many screens there are when nothing covers the connections: Textual has an empty one below all."""
STEP_S = 10
LEAP_S = 60


async def show(watch: Watch, source: Source) -> int:
    """Run the dashboard, and close the source; see :func:`natsctl.tui.run`."""
    app = TopApp(Board(watch, source))
    loop = asyncio.get_running_loop()
    terminated, hung_up = SIGNAL_EXIT + signal.SIGTERM, SIGNAL_EXIT + signal.SIGHUP
    loop.add_signal_handler(signal.SIGTERM, app.exit, None, terminated)  # the terminal must be restored first
    on_hang_up(partial(app.exit, None, hung_up), exit_code=hung_up)
    try:
        await app.run_async()
    finally:
        app.board.close()
        await source.close()
    if app.failure:
        raise app.failure
    if not app.return_code:
        app.board.check_read()
    return app.return_code or 0


class TopApp(App[None]):
    """The dashboard.

    Args:
        board: What is known. It remains the caller's, who closes it.

    Attributes:
        failure: What ended the source, or the dashboard itself where it has a bug; else None.
    """

    TITLE = "natsctl top"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it of another kind
        (0, "-tiny"),
        (10, "-short"),
    ]
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave"),
        Binding("question_mark,h", "view('help')", "Help", id="app.help", tooltip="All keys"),
        Binding("ctrl+c,ctrl+q", "quit", "Quit", show=False, priority=True, id="app.interrupt"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="app.suspend"),
        Binding("p", "pause", "Pause", id="app.pause", tooltip="Stand still, or go on"),
        Binding("1", "view('')", "Conns", id="app.connections", tooltip="Open connections"),
        Binding("2", "view('closed')", "Closed", id="app.closed", tooltip="Closed connections, and why"),
        Binding("3", "view('links')", "Links", id="app.links", tooltip="Routes and leafnodes"),
        Binding("4", "view('subjects')", "Subjects", id="app.subjects", tooltip="Who receives what"),
        Binding("5", "view('variables')", "Vars", id="app.variables", tooltip="All of /varz"),
        Binding("comma", f"step(-{STEP_S})", "Back", id="app.back", tooltip="Go back 10 seconds"),
        Binding("full_stop", f"step({STEP_S})", "Forth", id="app.forth", tooltip="Go forth 10 seconds"),
        Binding("left_square_bracket", f"step(-{LEAP_S})", "Back 1 min", show=False, id="app.leap_back"),
        Binding("right_square_bracket", f"step({LEAP_S})", "Forth 1 min", show=False, id="app.leap_forth"),
        Binding("S", "rise", "Last slow", id="app.rise", tooltip="Go back to when slow consumers last rose"),
        Binding("plus", "speed(2)", "Faster", show=False, id="app.faster"),
        Binding("minus", "speed(0.5)", "Slower", show=False, id="app.slower"),
        Binding("d", "lookup", "DNS", id="app.lookup", tooltip="Host names or addresses"),
        Binding("b", "raw", "Raw", id="app.raw", tooltip="Plain numbers"),
        Binding("t", "theme", "Theme", id="app.theme", tooltip="Dark, light, no colours"),
        Binding("ctrl+s", "save_screenshot", "SVG", id="app.screenshot", tooltip="Save a picture into a file"),
    ]

    def __init__(self, board: Board) -> None:
        first = first_theme()
        super().__init__(ansi_color=True if first == NO_COLOUR else None)
        self.board = board
        self.failure: BaseException | None = None
        self._asked: list[str] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = first

    @property
    def top_screen(self) -> TopScreen | None:
        """The screen on top, unless something else covers it, or nothing is to be drawn any more."""
        if not self.is_running:  # the widgets go before the worker that follows the source
            return None
        screen = self.screen
        return screen if isinstance(screen, TopScreen) and screen.is_attached else None

    async def on_mount(self) -> None:
        """Open the first screen, and begin to follow the source."""
        for name, view in VIEWS.items():
            self.install_screen(view(self.board), name)
        await self.push_screen(ConnectionsScreen(self.board))
        self.run_worker(self._follow(), name="follow the source")
        self.set_interval(1.0, self._draw_silence)

    async def _follow(self) -> None:
        try:
            await self.board.follow(self._take)
        except NatsctlError as failure:
            self.failure = failure
            self.exit(return_code=failure.exit_code)
        else:
            self.exit()

    def _take(self) -> None:
        screen = self.top_screen
        if screen is None:
            return
        if self._asked != self.board.servers:  # servers of the cluster join when they are found
            self._asked = self.board.servers
            screen.ask()
        if not self.board.is_paused or self.board.source.player:
            screen.draw()

    def _draw_silence(self) -> None:
        """Show how long a server is silent, as nothing comes that would."""
        if any(map(self.board.silent_s, self.board.servers)):
            self._redraw()

    def _redraw(self) -> None:
        if self.top_screen:
            self.top_screen.draw()

    async def action_view(self, name: str) -> None:
        """Show one of the screens in place of what covers the connections."""
        while len(self.screen_stack) > FIRST_SCREEN:
            await self.pop_screen()
        if name:
            await self.push_screen(name)

    def action_pause(self) -> None:
        """Stand still, or go on."""
        self.board.pause(not self.board.is_paused)
        self._redraw()

    def action_step(self, seconds: float) -> None:
        """Go back or forth in time."""
        self.board.step(seconds)
        self._redraw()

    def action_rise(self) -> None:
        """Go back to when slow consumers last became more."""
        if not self.board.go_to_rise():
            self.notify("slow consumers did not rise before, as far as is known")
        self._redraw()

    def action_speed(self, factor: float) -> None:
        """Play a recording faster or slower."""
        self.board.change_speed(factor)
        self._redraw()

    def action_lookup(self) -> None:
        """Show host names, or addresses."""
        self.board.change(lookup=not self.board.settings.lookup)
        self._redraw()

    def action_raw(self) -> None:
        """Show plain numbers, or short ones."""
        self.board.change(raw=not self.board.settings.raw)
        self._redraw()

    def action_theme(self) -> None:
        """Take the next of our own themes."""
        names = [theme.name for theme in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_save_screenshot(self) -> None:
        """Save a picture of the screen into the current directory."""
        try:
            path = Path(self.save_screenshot(path=os.getcwd())).name
        except OSError as error:
            self.notify(f"cannot save the picture: {error.strerror}", severity="error")
        else:
            self.notify(f"saved as {path}", markup=False)

    def _fatal_error(self) -> None:
        """Leave the report to the command line; Textual, which has no public way to say so, prints all variables."""
        self.failure = self.failure or sys.exception()
        self._close_messages_no_wait()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer everything that has a key in the palette as well."""
        for command in super().get_system_commands(screen):
            if command.title not in ("Quit", "Screenshot"):  # we have our own
                yield command
        for node, binding, is_enabled, tooltip in screen.active_bindings.values():
            if is_enabled and binding.description:
                run = partial(self.run_action, binding.action, node)
                yield SystemCommand(binding.description, tooltip or f"key {binding.key}", run)
