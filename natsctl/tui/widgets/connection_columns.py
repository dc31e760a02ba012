"""The columns of the table of connections; their keys are nats-top's sort keys where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from natsctl.monitoring.documents import ConnInfo
from natsctl.monitoring.figures import format_count, format_size
from natsctl.tui.board import Board
from natsctl.tui.formats import bar, rate, rtt, two_units
from natsctl.tui.views.client import address
from natsctl.tui.views.connections import Connection
from natsctl.tui.widgets.table import Column

__all__ = ["FIRST_HIDDEN", "SERVER_OPTIONS", "connection_columns", "sorting"]

FIRST_HIDDEN = frozenset({"account", "kind", "tls", "last", "stalls"})
"""What is not shown until it is chosen."""

SERVER_OPTIONS = frozenset(
    {"cid", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "last", "idle", "uptime", "rtt"}
)
"""Columns by which a server can choose the connections it tells of, when they are more than the limit."""

PENDING_BAR = 5
WARNING_SHARE = 0.25
ERROR_SHARE = 0.75

Texts = Callable[[Connection], str]


def sorting(option: str) -> tuple[str, bool | None]:
    """Find the column for a sort option, and whether it falls; None for the column's own direction."""
    return ("uptime", True) if option == "start" else (option, None)


def connection_columns(board: Board) -> list[Column[Connection]]:
    """All columns, as the settings of a board want them."""
    columns = [*_who(board), *_load(board), *_traffic(board), *_rest()]
    if board.settings.subscriptions:
        columns.append(Column("subscriptions", "SUBSCRIPTIONS", _subjects, max_width=None))
    return columns


def _text(key: str, title: str, text: Callable[[ConnInfo], str], max_width: int = 24) -> Column[Connection]:
    return Column(key, title, lambda row: text(row.conn), max_width=max_width)


def _number(
    key: str, title: str, order: Callable[[Connection], Any], text: Texts, *, falls: bool = True
) -> Column[Connection]:
    return Column(key, title, text, order=order, falls=falls, is_right=True)


def _who(board: Board) -> list[Column[Connection]]:
    server = [Column[Connection]("server", "SERVER", lambda row: row.server, max_width=24)] if board.has_several else []
    return [
        *server,
        _text("host", "HOST", lambda conn: address(board.host(conn.ip), conn.port), 40),
        _number("cid", "CID", lambda row: row.conn.cid, lambda row: str(row.conn.cid), falls=False),
        _text("name", "NAME", lambda conn: conn.name or conn.mqtt_client),
        _text("user", "USER", lambda conn: conn.authorized_user, 16),
        _text("account", "ACCOUNT", lambda conn: conn.account),
    ]


def _load(board: Board) -> list[Column[Connection]]:
    raw = board.settings.raw
    return [
        _number(
            "subs",
            "SUBS",
            lambda row: row.conn.subscriptions,
            lambda row: format_count(row.conn.subscriptions, raw=raw),
        ),
        Column(
            "pending",
            "PENDING",
            lambda row: _pending(row, raw),
            order=lambda row: row.conn.pending_bytes,
            falls=True,
            look=_pending_look,
        ),
    ]


def _pending(row: Connection, raw: bool) -> str:
    return f"{format_size(row.conn.pending_bytes, raw=raw):>6} {bar(row.pending_share, PENDING_BAR)}"


def _pending_look(row: Connection) -> str:
    share = row.pending_share
    return "error" if share >= ERROR_SHARE else "warning" if share >= WARNING_SHARE else ""


def _traffic(board: Board) -> list[Column[Connection]]:
    """What the server sent *to* the client, and received *from* it."""
    made = []
    for key, title, field in (
        ("msgs_to", "MSGS_TO", "out_msgs"),
        ("msgs_from", "MSGS_FROM", "in_msgs"),
        ("bytes_to", "BYTES_TO", "out_bytes"),
        ("bytes_from", "BYTES_FROM", "in_bytes"),
    ):
        column = _rate_column if board.settings.per_second else _total_column
        made.append(column(key, title, field, board.settings.raw))
    return made


def _total_column(key: str, title: str, field: str, raw: bool) -> Column[Connection]:
    written = format_size if field.endswith("bytes") else format_count
    return _number(
        key, title, lambda row: getattr(row.conn, field), lambda row: written(getattr(row.conn, field), raw=raw)
    )


def _rate_column(key: str, title: str, field: str, raw: bool) -> Column[Connection]:
    series, of_bytes = f"{field}_per_s", field.endswith("bytes")
    return _number(
        key,
        f"{title}/s",
        lambda row: getattr(row.measured, series),
        lambda row: rate(getattr(row.rates, series, None), of_bytes=of_bytes, raw=raw),
    )


def _rest() -> list[Column[Connection]]:
    return [
        _number("rtt", "RTT", lambda row: row.rtt_s, lambda row: rtt(row.rtt_s if row.rtt_s >= 0 else None)),
        _number("idle", "IDLE", lambda row: row.idle_s, lambda row: two_units(row.conn.idle)),
        _number("uptime", "UPTIME", lambda row: row.uptime_s, lambda row: two_units(row.conn.uptime), falls=False),
        _text("lang", "LANG", lambda conn: conn.lang, 12),
        _text("version", "VERSION", lambda conn: conn.version, 12),
        _text("kind", "KIND", lambda conn: conn.type or conn.kind, 12),
        _text("tls", "TLS", lambda conn: conn.tls_version, 8),
        _number("stalls", "STALLS", lambda row: row.conn.stalls, lambda row: str(row.conn.stalls)),
        Column(
            "last", "LAST_ACTIVITY", lambda row: row.conn.last_activity[:19].replace("T", " "), falls=True, max_width=19
        ),
    ]


def _subjects(row: Connection) -> str:
    conn = row.conn
    return ", ".join(conn.subscriptions_list or [sub.subject for sub in conn.subscriptions_list_detail])
