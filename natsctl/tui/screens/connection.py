"""Everything about one connection: who it is, what waits for it, its subscriptions, and its last minutes."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from natsctl.monitoring.figures import format_count, format_size
from natsctl.monitoring.snapshot import Query
from natsctl.tui.board import Board
from natsctl.tui.formats import bar, rate
from natsctl.tui.screens.base import TopScreen
from natsctl.tui.views.client import plural
from natsctl.tui.views.connection import ConnectionDetails, connection_details, identity, tls
from natsctl.tui.views.subscriptions import Subscription
from natsctl.tui.widgets.chart import Chart
from natsctl.tui.widgets.plain_table import PlainTable
from natsctl.tui.widgets.table import Column

__all__ = ["ConnectionScreen"]

BAR_CELLS = 8
WARNING_SHARE = 0.5
CHARTS = {
    "msgs": ("messages/s", {"delivered": "out_msgs_per_s", "published": "in_msgs_per_s"}),
    "bytes": ("bytes/s", {"delivered": "out_bytes_per_s", "published": "in_bytes_per_s"}),
    "pending": ("pending", {"bytes": "pending_bytes"}),
}
"""Charts by id: title, and lines by name with the series of the history."""
CHART_S = 900.0


class ConnectionScreen(TopScreen):
    """Shows one connection.

    Args:
        board: What is known.
        server: The base URL of its server's monitoring.
        cid: Its number.
        start: When it began; after a restart of the server the number may be another's.
    """

    BINDING_GROUP_TITLE = "Connection"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012  # Textual declares it of another kind
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (10, "-short"), (20, "-tall"), (40, "-high")]  # noqa: RUF012  # the same
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "next_chart", "Chart", id="connection.chart", tooltip="Messages, bytes or pending bytes"),
    ]
    DEFAULT_CSS = """
    ConnectionScreen #about { height: 1fr; min-height: 1; }
    ConnectionScreen #facts { width: 1fr; }
    ConnectionScreen #facts Static { width: auto; padding: 0 1; }
    ConnectionScreen #charts { width: 1fr; height: 100%; }
    ConnectionScreen Chart { border: round $secondary; height: 1fr; display: none; }
    ConnectionScreen Chart.-chosen { display: block; }
    ConnectionScreen.-high Chart { display: block; }
    ConnectionScreen.-high #about { height: 2fr; }
    ConnectionScreen.-narrow #charts, ConnectionScreen.-short #charts, ConnectionScreen.-tiny #charts { display: none; }
    ConnectionScreen.-tiny LineTable { display: none; }
    """

    def __init__(self, board: Board, server: str, cid: int, start: str) -> None:
        super().__init__(board)
        self._server = server
        self._cid = cid
        self._start = start
        self._details = ConnectionDetails(cid, "unlisted")

    def query_for(self, server: str) -> Query:
        """Ask for all subscriptions in detail, as those of others tell who shares a queue group.

        Asking for this connection alone would leave holes in the history of the others.
        """
        query = super().query_for(server)
        return msgspec.structs.replace(query, subs="detail", closed=True) if server == self._server else query

    def compose_body(self) -> ComposeResult:
        """Put facts beside charts, and subscriptions below."""
        with Horizontal(id="about"):
            with VerticalScroll(id="facts", can_focus=False):
                yield Static(markup=False)
            with VerticalScroll(id="charts", can_focus=False):
                for name, (title, _) in CHARTS.items():
                    yield Chart(title, format_count if name == "msgs" else format_size, id=name)
        yield PlainTable(self._columns(), lambda row: row.key, id="subscriptions")

    def on_mount(self) -> None:
        """Choose the first chart, and have the history kept."""
        self.board.history(self._server).pin(self._cid)
        self.query_one("#msgs").add_class("-chosen")

    def on_unmount(self) -> None:
        """Let the history go."""
        self.board.history(self._server).unpin(self._cid)

    def _columns(self) -> list[Column[Subscription]]:
        raw = self.board.settings.raw
        return [
            Column("subject", "SUBJECT", lambda row: row.subject, max_width=48, look=lambda row: "accent"),
            Column("queue", "QUEUE", lambda row: row.queue),
            Column("sid", "SID", lambda row: row.sid, is_right=True),
            Column("msgs", "MSGS", lambda row: format_count(row.msgs, raw=raw), lambda row: row.msgs, True, True),
            Column(
                "rate", "MSGS/S", lambda row: rate(row.msgs_per_s, raw=raw), lambda row: row.msgs_per_s or 0, True, True
            ),
            Column("share", "SHARE", lambda row: self._details.share(row), is_right=True),
            Column("mates", "SHARES QUEUE GROUP WITH", lambda row: self._details.mates(row), max_width=64),
            Column("max", "MAX", lambda row: str(row.max or ""), lambda row: row.max, True, True),
        ]

    def show(self) -> None:
        """Draw what is known of the connection."""
        snapshot = self.board.snapshot(self._server)
        if snapshot is None:
            return
        # What is known of it stays, when it is on no page any more.
        found = connection_details(snapshot, self._cid, self._start)
        if found.conn is not None:
            self._details = found
        self.query_one("#facts Static", Static).update(self._facts())
        self.table.show(self._details.subscriptions, is_stale=snapshot.is_stale)
        self._show_charts()
        self.say(self._summary(found))

    def _summary(self, found: ConnectionDetails) -> str:
        if found.state == "open":
            return f"connection {self._cid}: {plural(len(found.subscriptions), 'subscription')}"
        if found.state == "closed" and found.conn:
            return f"connection {self._cid} is closed: {found.conn.reason or 'no reason told'}"
        gone = "is not among the connections asked for, open or closed"
        return f"connection {self._cid} {gone}" + (", this is the last of it" if self._details.conn else "")

    def _facts(self) -> Text:
        details, text = self._details, Text(no_wrap=True)
        if details.conn is None:
            return text
        raw, conn = self.board.settings.raw, details.conn
        traffic = [
            f"{format_count(msgs, raw=raw)} messages, {format_size(n_bytes, raw=raw)} bytes"
            for msgs, n_bytes in ((conn.out_msgs, conn.out_bytes), (conn.in_msgs, conn.in_bytes))
        ]
        facts = [*identity(conn), ("tls", tls(conn)), ("delivered", traffic[0]), ("published", traffic[1])]
        text.append_text(_label("pending")).append(self._pending(details))
        for label, fact in facts:
            text.append("\n").append_text(_label(label)).append(fact)
        return text

    def _pending(self, details: ConnectionDetails) -> Text:
        conn, share = details.conn, details.pending_share
        n_bytes = conn.pending_bytes if conn else 0
        if share is None:
            return Text(format_size(n_bytes, raw=self.board.settings.raw))
        style = "bold" if share >= WARNING_SHARE else ""
        return Text(
            f"▕{bar(share, BAR_CELLS)}▏ {format_size(n_bytes)}/{format_size(details.max_pending)} {share:.0%}", style
        )

    def _show_charts(self) -> None:
        interval_s = self.board.watch.interval_s
        length = max(2, round(CHART_S / interval_s))
        for name, (_, lines) in CHARTS.items():
            past = {
                line: self.board.connection_series(self._server, self._cid, series, length)
                for line, series in lines.items()
            }
            self.query_one(f"#{name}", Chart).show(
                {line: values for line, values in past.items() if values}, interval_s
            )

    def action_next_chart(self) -> None:
        """Show the next chart, where there is room for one only."""
        charts = list(self.query(Chart))
        chosen = next(index for index, chart in enumerate(charts) if chart.has_class("-chosen"))
        charts[chosen].remove_class("-chosen")
        charts[(chosen + 1) % len(charts)].add_class("-chosen")

    def on_click(self, event: events.Click) -> None:
        """Show the next chart when one is clicked."""
        if isinstance(event.widget, Chart):
            self.action_next_chart()


def _label(label: str) -> Text:
    return Text(f"{label:<10}", "dim")
