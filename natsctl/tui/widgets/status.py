"""The lines below the header: what is wrong, when it was, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.widget import Widget

from natsctl.monitoring.times import NS
from natsctl.tui.board import Board
from natsctl.tui.formats import TIMES, clock, day, span
from natsctl.tui.views.server import Notice, notices, server_names

__all__ = ["StatusLine"]


class StatusLine(Widget):
    """The notices, at most three, and then what the screen says of itself.

    Args:
        board: What is known.
    """

    MAX_NOTICES = 3
    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--error", "status--warning", "status--accent", "status--hint"}

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._summary = ""
        self._notices: list[Notice] = []

    def say(self, summary: str) -> None:
        """Say what the screen shows, in the last line."""
        self._summary = summary
        self.refresh(layout=True)

    def show(self) -> None:
        """Draw what the board knows now."""
        self._notices = [*self._time(), *self._trouble()][: self.MAX_NOTICES]
        self.refresh(layout=True)

    def render(self) -> Text:
        """Draw the lines."""
        text = Text(end="")
        for notice in self._notices:
            text.append(notice.text, self.get_component_rich_style(f"status--{notice.look}"))
            if notice.hint:
                text.append(f" ({notice.hint})", self.get_component_rich_style("status--hint"))
            text.append("\n")
        text.append(self._summary)
        return text

    def _time(self) -> list[Notice]:
        board = self._board
        moment_ns = board.moment_ns
        if moment_ns is None:
            return []
        if player := board.source.player:
            recording = player.recording
            state = "paused" if board.is_paused else "at its end" if board.is_at_end else f"{TIMES}{player.speed:g}"
            past, length = (
                span((end_ns - recording.started_at_ns) / NS) for end_ns in (moment_ns, recording.ended_at_ns)
            )
            text = f"replay of {day(moment_ns)} {clock(moment_ns)}, {past} of {length}, {state}"
            return [Notice("accent", text, ", . step, + - speed")]
        behind = f", {span(board.behind_s)} ago" if board.behind_s >= 1 else ""
        return [Notice("accent", f"paused at {clock(moment_ns)}{behind}", ", and . step, p goes on")]

    def _trouble(self) -> list[Notice]:
        board = self._board
        found = []
        names = server_names(board.snapshots)
        for snapshot in board.snapshots:
            silent_s = board.silent_s(snapshot.server)
            overdue = [Notice("warning", f"no answer for {span(silent_s)}")] if silent_s else []
            name = f"{names[snapshot.server]}: " if board.has_several else ""
            found += [replace(notice, text=f"{name}{notice.text}") for notice in (*overdue, *notices(snapshot))]
        return found
