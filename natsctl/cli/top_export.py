"""A snapshot for programs: a JSON document of a version, or rows of CSV; numbers are never shortened."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec

from natsctl.cli.output import printable
from natsctl.monitoring.documents import ConnInfo, encode
from natsctl.monitoring.rates import Rates
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import format_time

__all__ = ["CSV_COLUMNS", "FORMAT", "csv_rows", "json_line"]

FORMAT = 1

_OF_CONNECTION = (
    "cid",
    "kind",
    "name",
    "ip",
    "port",
    "account",
    "authorized_user",
    "lang",
    "version",
    "start",
    "last_activity",
    "uptime",
    "idle",
    "rtt",
    "subscriptions",
    "pending_bytes",
    "in_msgs",
    "out_msgs",
    "in_bytes",
    "out_bytes",
)
_RATES = ("in_msgs_per_s", "out_msgs_per_s", "in_bytes_per_s", "out_bytes_per_s")

CSV_COLUMNS = ("taken_at", "server", "server_name", *_OF_CONNECTION, *_RATES, "subscriptions_list")
"""The first row: the server's own names, and rates per second."""


def json_line(snapshot: Snapshot) -> str:
    """Write a snapshot as one line of JSON.

    Wire: ``{"natsctl_top":1,"taken_at":"2026-01-02T03:04:05Z","server":"http://host:8222","age_s":0.0,"error":"",
    "hint":"","restarts":0,"rates":{...},"varz":{...},"connections":[{"cid":5,...,"rates":{...}}]}``: ``varz`` and
    the connections as the server has them, without JWTs; rates are null where two readings cannot be compared.
    """
    document = {
        "natsctl_top": FORMAT,
        "taken_at": format_time(snapshot.taken_at_ns),
        "server": snapshot.server,
        "age_s": snapshot.age_s,
        "error": snapshot.error,
        "hint": snapshot.hint,
        "restarts": snapshot.restarts,
        "rates": snapshot.rates,
        "varz": snapshot.varz,
        "connections": [_connection(conn, snapshot) for conn in snapshot.connz.connections] if snapshot.connz else [],
    }
    return encode(document, indent=0).decode() + "\n"


def csv_rows(snapshot: Snapshot, *, with_header: bool) -> str:
    """Write a row for each connection.

    Args:
        snapshot: What is known of a server.
        with_header: Write the names of the columns before them.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if with_header:
        writer.writerow(CSV_COLUMNS)
    writer.writerows(_rows(snapshot))
    return out.getvalue()


def _connection(conn: ConnInfo, snapshot: Snapshot) -> dict[str, Any]:
    known = msgspec.to_builtins(conn)
    known.pop("jwt", None)
    return {**known, "rates": snapshot.connection_rates.get(conn.cid)}


def _rows(snapshot: Snapshot) -> Iterator[list[str]]:
    taken_at = format_time(snapshot.taken_at_ns)
    name = snapshot.varz.server_name if snapshot.varz else ""
    for conn in snapshot.connz.connections if snapshot.connz else ():
        rates: Rates | None = snapshot.connection_rates.get(conn.cid)
        yield [
            taken_at,
            snapshot.server,
            printable(name),
            *(printable(str(getattr(conn, column))) for column in _OF_CONNECTION),
            *(f"{getattr(rates, rate):.3f}" if rates else "" for rate in _RATES),
            " ".join(map(printable, conn.subscriptions_list)),
        ]
