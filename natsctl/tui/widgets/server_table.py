"""Several servers as a table, one line each; one that vanished stays, red."""

from __future__ import annotations

from dataclasses import dataclass

from natsctl.monitoring.cluster import Peer
from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import Varz
from natsctl.monitoring.figures import format_size
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.board import Board
from natsctl.tui.formats import rate, span, sparkline, two_units
from natsctl.tui.views.server import grows, identity, server_name, server_names
from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["ServerTable"]

TREND = 12
MAX_LINES = 6
ALERT_SAMPLES = 30
NOT_READ = Varz()


@dataclass(frozen=True)
class _Server:
    key: str
    name: str
    snapshot: Snapshot | None
    trend: list[float]
    alert: bool = False
    error: str = ""

    @property
    def varz(self) -> Varz:
        return (self.snapshot and self.snapshot.varz) or NOT_READ

    @property
    def state(self) -> str:
        snapshot = self.snapshot
        if self.error or snapshot is None:
            return self.error or "waiting"
        if snapshot.error:
            return f"{span(snapshot.age_s)} old" if snapshot.is_stale else "no answer"
        return "ok"

    @property
    def look(self) -> str:
        return "error" if self.error or (self.snapshot and self.snapshot.error) else ""

    def rate(self, series: str) -> float | None:
        return getattr(self.snapshot.rates, series, None) if self.snapshot else None


def _rate_column(title: str, series: str, *, of_bytes: bool = False) -> Column[_Server]:
    return Column(
        series,
        title,
        lambda server: rate(server.rate(series), of_bytes=of_bytes),
        order=lambda server: server.rate(series) or 0.0,
        falls=True,
        is_right=True,
        look=lambda server: server.look,
    )


def _look(server: _Server) -> str:
    return server.look


def _known(server: _Server, text: str) -> str:
    return text if server.varz is not NOT_READ else ""


COLUMNS: tuple[Column[_Server], ...] = (
    Column("server", "SERVER", lambda server: server.name, max_width=24, look=_look),
    Column("state", "STATE", lambda server: server.state, max_width=20, look=_look),
    Column("conns", "CONNS", lambda server: _known(server, str(server.varz.connections)), is_right=True, look=_look),
    _rate_column("IN/s", "in_msgs_per_s"),
    _rate_column("OUT/s", "out_msgs_per_s"),
    Column("trend", "OUT", lambda server: sparkline(server.trend, TREND), look=_look),
    Column(
        "slow",
        "SLOW",
        lambda server: _known(server, str(server.varz.slow_consumers)),
        is_right=True,
        look=lambda server: "error" if server.alert else server.look,
    ),
    Column("cpu", "CPU%", lambda server: _known(server, f"{server.varz.cpu:.1f}"), is_right=True, look=_look),
    Column("mem", "MEM", lambda server: _known(server, format_size(server.varz.mem)), is_right=True, look=_look),
    _rate_column("IN B/s", "in_bytes_per_s", of_bytes=True),
    _rate_column("OUT B/s", "out_bytes_per_s", of_bytes=True),
    Column("subs", "SUBS", lambda server: _known(server, str(server.varz.subscriptions)), is_right=True, look=_look),
    Column("uptime", "UPTIME", lambda server: two_units(server.varz.uptime), is_right=True, look=_look),
    Column("version", "VERSION", lambda server: _known(server, identity(server.varz)), look=_look),
)


class ServerTable(LineTable[_Server], can_focus=False):
    """Shows all servers; those of the cluster whose monitoring was not found come last."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, lambda server: server.key)

    def show_board(self, board: Board) -> None:
        """Draw what the board knows now."""
        names = server_names(board.snapshots)
        rows = [_server(board, url, names.get(url) or server_name(None, url)) for url in board.servers] + [
            _missing(peer) for peer in board.missing
        ]
        self.styles.height = min(MAX_LINES, len(rows)) + 1
        self.show(rows)


def _server(board: Board, url: str, name: str) -> _Server:
    return _Server(
        url,
        name,
        board.snapshot(url),
        board.series(url, "out_msgs_per_s", TREND),
        alert=grows(board.series(url, "slow_consumers", ALERT_SAMPLES)),
    )


def _missing(peer: Peer) -> _Server:
    return _Server(peer.server_id, printable(peer.name or peer.server_id), None, [], error=peer.error)
