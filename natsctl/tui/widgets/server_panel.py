"""One server in four lines, or in one where the screen is small."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import Varz
from natsctl.monitoring.figures import format_count, format_size
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.board import Board
from natsctl.tui.formats import clock, rate, sparkline, two_units
from natsctl.tui.views.server import grows, identity, server_name

__all__ = ["ServerPanel"]

ALERT_SAMPLES = 30
"""For how many snapshots the slow consumers stay lit after they grew."""
TRAFFIC_TEXT = 51
"""Cells of a traffic line without its sparklines."""
MAX_SPARK = 60
WIDE = 100
"""Cells that the longest figures take with all words in full."""
SHORTEST_ID = 6


class ServerPanel(Widget):
    """Shows the only server there is.

    Args:
        board: What is known.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "panel--title",
        "panel--label",
        "panel--alert",
        "panel--in",
        "panel--out",
        "panel--stale",
    }

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board

    def render(self) -> Text:
        """Draw the server."""
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        server = next(iter(self._board.servers), "")
        snapshot = self._board.snapshot(server)
        if snapshot is None or snapshot.varz is None:
            text.append(f"{server_name(None, server)}", self._look("title"))
            return text.append(
                "  waiting for an answer" if snapshot is None else "  no answer yet", self._look("label")
            )
        if self.size.height == 1:
            self._one_line(text, snapshot, snapshot.varz)
        else:
            self._title(text, snapshot, snapshot.varz)
            self._load(text, server, snapshot.varz)
            self._traffic(text, snapshot, "in")
            self._traffic(text, snapshot, "out")
            text.right_crop(1)
        if snapshot.is_stale:
            text.stylize(self._look("stale"))
        return text

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"panel--{name}")

    def _one_line(self, text: Text, snapshot: Snapshot, varz: Varz) -> None:
        rates = snapshot.rates
        text.append(f"{server_name(snapshot, snapshot.server)}", self._look("title"))
        text.append(f" {varz.connections} conns")
        text.append(f" in {rate(rates.in_msgs_per_s if rates else None)}/s", self._look("in"))
        text.append(f" out {rate(rates.out_msgs_per_s if rates else None)}/s", self._look("out"))

    def _title(self, text: Text, snapshot: Snapshot, varz: Varz) -> None:
        name = server_name(snapshot, snapshot.server)
        text.append(f"{identity(varz)}", self._look("title")).append(f"  {name}")
        self._pair(text, "up", two_units(varz.uptime))
        moment = clock(snapshot.taken_at_ns)
        room = self.size.width - text.cell_len - len("  id ") - len(moment) - 1
        if room >= SHORTEST_ID:
            server_id = printable(varz.server_id)
            self._pair(text, "id", server_id if len(server_id) <= room else f"{server_id[: room - 1]}…")
        text.append(" " * max(0, self.size.width - text.cell_len - len(moment)))
        text.append(f"{moment}\n", self._look("label"))

    def _load(self, text: Text, server: str, varz: Varz) -> None:
        text.append("CPU ", self._look("label")).append(f"{varz.cpu:5.1f}%")
        self._pair(text, "memory", format_size(varz.mem))
        is_wide = self.size.width >= WIDE
        self._pair(text, "connections" if is_wide else "conns", str(varz.connections))
        self._pair(text, "subscriptions" if is_wide else "subs", str(varz.subscriptions))
        self._pair(text, "slow consumers", "")
        is_lit = grows(self._board.series(server, "slow_consumers", ALERT_SAMPLES))
        text.append(str(varz.slow_consumers), self._look("alert") if is_lit else None)
        text.append("\n")

    def _traffic(self, text: Text, snapshot: Snapshot, way: str) -> None:
        raw, rates, varz = self._board.settings.raw, snapshot.rates, snapshot.varz
        spark = max(0, min(MAX_SPARK, (self.size.width - TRAFFIC_TEXT) // 2))
        text.append(f"{way.capitalize():<4}", self._look("label"))
        for unit, of_bytes in (("msgs", False), ("bytes", True)):
            total = getattr(varz, f"{way}_{unit}")
            per_s = getattr(rates, f"{way}_{unit}_per_s", None)
            written = format_size(total, raw=raw) if of_bytes else format_count(total, raw=raw)
            text.append(f"{written:>7} ").append(f"{unit} ", self._look("label"))
            text.append(f"{rate(per_s, of_bytes=of_bytes, raw=raw):>7}/s ", self._look(way))
            values = self._board.series(snapshot.server, f"{way}_{unit}_per_s", spark)
            text.append(sparkline(values, spark), self._look(way))
        text.append("\n")

    def _pair(self, text: Text, label: str, value: str) -> None:
        text.append(f"  {label} ", self._look("label")).append(value)
