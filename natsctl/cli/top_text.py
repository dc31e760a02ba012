"""A snapshot as nats-top prints it: a header and a padded table, or the same with a delimiter.

Source: nats-top ``generateParagraphPlainText`` and ``generateParagraphCSV``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import ConnInfo, Varz
from natsctl.monitoring.figures import format_count, format_size
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import parse_time, to_datetime
from natsctl.units import format_duration

__all__ = ["TopText", "address"]

_GAP = 2
_MAX_TEXT = 10_000
_WIDTHS = {"HOST": 15, "CID": 6, "SUBS": 6, "LANG": 7, "VERSION": 7, "UPTIME": 8}
_WIDTH = 10


def address(host: str, port: int) -> str:
    """Write host and port as an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class TopText:
    """Writes snapshots as text.

    Attributes:
        raw: Write plain numbers in place of ``1.5K``.
        subscriptions: Add the column of subjects.
        show_url: Write where the server was read, too.
        delimiter: Write delimited cells, quoted where need be, in place of a padded table.
        host_of: Makes what is shown as host of the address.
    """

    raw: bool = False
    subscriptions: bool = False
    show_url: bool = False
    delimiter: str = ""
    host_of: Callable[[str], str] = str

    def write(self, snapshot: Snapshot) -> str:
        """Write what is known of a server that has answered at least once, with an empty line at the end."""
        assert snapshot.varz
        header = list(self._header(snapshot, snapshot.varz))
        table = self._table(snapshot.connz.connections if snapshot.connz else [])
        if self.delimiter:
            return self._delimited([*header, [], *table, []])
        return "\n".join([*map(_line, header), "", *_padded(table), "", ""])

    def _header(self, snapshot: Snapshot, varz: Varz) -> Iterator[list[str]]:
        """The lines above the table as cells; an empty cell indents."""
        version = f"NATS server version {printable(varz.version)} (uptime: {printable(varz.uptime)})"
        yield [version, *_states(snapshot)]
        name = "" if varz.server_name == varz.server_id else printable(varz.server_name)
        yield ["Server:", *filter(None, [name, snapshot.server if self.show_url else ""])]
        yield ["", "ID:", printable(varz.server_id)]
        cpu, memory = f" {varz.cpu:.1f}%", format_size(varz.mem)
        yield ["", "Load:", "CPU:", cpu, "Memory:", memory, "Slow Consumers:", str(varz.slow_consumers)]
        speed = snapshot.rates
        fed = (speed.in_msgs_per_s, speed.in_bytes_per_s) if speed else None
        yield ["", "In:", *self._traffic(varz.in_msgs, varz.in_bytes, fed)]
        sent = (speed.out_msgs_per_s, speed.out_bytes_per_s) if speed else None
        yield ["", "Out:", *self._traffic(varz.out_msgs, varz.out_bytes, sent)]
        yield []
        yield ["Connections Polled:", str(snapshot.connz.num_connections if snapshot.connz else 0)]

    def _traffic(self, msgs: int, n_bytes: int, speed: tuple[float, float] | None) -> list[str]:
        totals = ["Msgs:", format_count(msgs, raw=self.raw), "Bytes:", format_size(n_bytes, raw=self.raw)]
        msgs_per_s, bytes_per_s = (f"{speed[0]:.1f}", format_size(speed[1], raw=self.raw)) if speed else ("-", "-")
        return [*totals, "Msgs/Sec:", msgs_per_s, "Bytes/Sec:", bytes_per_s]

    def _table(self, connections: list[ConnInfo]) -> list[list[str]]:
        """The table as rows of cells, the names of the columns first."""
        columns: dict[str, Callable[[ConnInfo], object]] = {
            "HOST": lambda conn: address(self.host_of(conn.ip), conn.port),
            "CID": lambda conn: conn.cid,
            "NAME": lambda conn: conn.name,
            "SUBS": lambda conn: conn.subscriptions,
            "PENDING": lambda conn: format_size(conn.pending_bytes, raw=self.raw),
            "MSGS_TO": lambda conn: format_count(conn.out_msgs, raw=self.raw),
            "MSGS_FROM": lambda conn: format_count(conn.in_msgs, raw=self.raw),
            "BYTES_TO": lambda conn: format_size(conn.out_bytes, raw=self.raw),
            "BYTES_FROM": lambda conn: format_size(conn.in_bytes, raw=self.raw),
            "LANG": lambda conn: conn.lang,
            "VERSION": lambda conn: conn.version,
            "UPTIME": lambda conn: conn.uptime,
            "LAST_ACTIVITY": lambda conn: _go_time(conn.last_activity),
        }
        if not self.delimiter and not any(conn.name for conn in connections):
            del columns["NAME"]
        if self.subscriptions:
            between = "  " if self.delimiter else ", "
            columns["SUBSCRIPTIONS"] = lambda conn: between.join(conn.subscriptions_list)
        return [
            list(columns),
            *([printable(str(value(conn)), _MAX_TEXT) for value in columns.values()] for conn in connections),
        ]

    def _delimited(self, rows: list[list[str]]) -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([cell.strip() for cell in row[row[:1] == [""] :]] for row in rows)
        return out.getvalue()


def _line(cells: list[str]) -> str:
    """A line of the header; below the server's name each figure stands beside its label."""
    if cells and not cells[0]:
        label, *figures = cells[1:]
        pairs = [" ".join(figures[at : at + 2]) for at in range(0, len(figures), 2)]
        return f"  {label:<5} {'  '.join(pairs)}"
    return " ".join(cells)


def _padded(rows: list[list[str]]) -> list[str]:
    """The rows with columns as wide as their widest cell, and as nats-top has them at least."""
    names = rows[0]
    widths = [
        max(_WIDTHS.get(name, _WIDTH), max(cell_len(row[index]) for row in rows)) + _GAP
        for index, name in enumerate(names)
    ]
    return [
        (
            " " * _GAP
            + "".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
        for row in rows
    ]


def _states(snapshot: Snapshot) -> list[str]:
    """What else there is to say of a server: a restart, a failure."""
    states = []
    if (ago_s := snapshot.restarted_s_ago) is not None:
        states.append(f"restarted {format_duration(round(ago_s))} ago")
    if snapshot.error:
        age = f" (showing what was read {format_duration(round(snapshot.age_s, 1))} ago)" if snapshot.is_stale else ""
        states.append(snapshot.error + age)
    return states


def _go_time(text: str) -> str:
    """A time as Go prints it."""
    try:
        at_ns = parse_time(text)
    except ValueError:
        return text
    fraction = f".{at_ns % 10**9:09d}".rstrip("0").rstrip(".")
    return f"{to_datetime(at_ns):%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"
