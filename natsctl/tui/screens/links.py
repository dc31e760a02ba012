"""The links between servers: routes of the cluster, leafnodes, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import msgspec

from natsctl.monitoring.figures import format_count, format_size
from natsctl.monitoring.snapshot import Query, Snapshot
from natsctl.tui.board import Board
from natsctl.tui.formats import rate, rtt
from natsctl.tui.screens.listing import ListScreen
from natsctl.tui.views.client import plural
from natsctl.tui.views.links import Link, Links
from natsctl.tui.widgets.table import Column

__all__ = ["LinksScreen"]


class LinksScreen(ListScreen[Link]):
    """Lists the links of all servers, and remembers them, to tell what is missing."""

    CAN_OPEN = False
    BINDING_GROUP_TITLE = "Cluster"

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._past: dict[str, Links] = {}
        self._shown: dict[str, tuple[Snapshot, list[Link]]] = {}

    def query_for(self, server: str) -> Query:
        """Ask also for routes and leafnodes."""
        return msgspec.structs.replace(super().query_for(server), routez=True, leafz=True)

    def columns(self) -> Sequence[Column[Link]]:
        """What the other server is, and what goes over the link."""
        raw = self.board.settings.raw
        return [
            *self.server_columns(),
            Column("kind", "KIND", lambda row: row.kind),
            Column("name", "NAME", lambda row: row.name, look=_look),
            Column("state", "STATE", _state, max_width=48, look=_look),
            Column("rtt", "RTT", lambda row: rtt(row.rtt_s), lambda row: row.rtt_s or 0.0, True, True),
            Column("in", "IN/S", lambda row: rate(_per_s(row, "in_msgs_per_s"), raw=raw), _rate_in, True, True),
            Column("out", "OUT/S", lambda row: rate(_per_s(row, "out_msgs_per_s"), raw=raw), _rate_out, True, True),
            _number("in_msgs", "IN", lambda row: row.traffic.in_msgs, format_count, raw),
            _number("out_msgs", "OUT", lambda row: row.traffic.out_msgs, format_count, raw),
            _number("in_bytes", "BYTES_IN", lambda row: row.traffic.in_bytes, format_size, raw),
            _number("out_bytes", "BYTES_OUT", lambda row: row.traffic.out_bytes, format_size, raw),
            _number("pending", "PENDING", lambda row: row.pending_bytes, format_size, raw),
            _number("subs", "SUBS", lambda row: row.subscriptions, format_count, raw),
            Column("where", "ADDRESS", lambda row: row.where),
            Column("about", "ABOUT", lambda row: "" if row.is_missing else row.about, max_width=64),
        ]

    def rows(self) -> Sequence[Link]:
        """The links of all servers."""
        snapshots = self.board.snapshots
        return [link for snapshot in snapshots for link in self._links(snapshot, snapshots)]

    def _links(self, snapshot: Snapshot, all_snapshots: list[Snapshot]) -> list[Link]:
        known, links = self._shown.get(snapshot.server, (None, []))
        if known is not snapshot:  # drawn again, it has no other rates
            links = self._past.setdefault(snapshot.server, Links()).update(snapshot, all_snapshots)
            self._shown[snapshot.server] = snapshot, links
        return links

    def key(self, row: Link) -> Hashable:
        """A link is told apart by its two ends."""
        return row.server, row.kind, row.name, row.where

    def summary(self, rows: Sequence[Link]) -> str:
        """How many links, and which are missing."""
        here = [row for row in rows if not row.is_missing]
        n_routes = sum(row.kind == "route" for row in here)
        text = f"{plural(n_routes, 'route')}, {plural(len(here) - n_routes, 'leafnode')}"
        missing = [row.name for row in rows if row.is_missing]
        unread = [peer.name or peer.server_id for peer in self.board.missing]
        if missing:
            text += f"; missing: {', '.join(missing)}"
        if unread:
            text += f"; monitoring not found: {', '.join(unread)}"
        return text


def _state(link: Link) -> str:
    if link.is_missing:
        return f"missing: {link.about}"
    pool = f" ({link.connections} connections)" if link.connections > 1 else ""
    return f"{link.direction or 'linked'}{pool}"


def _look(link: Link) -> str:
    return "error" if link.is_missing else ""


def _per_s(link: Link, series: str) -> float | None:
    return getattr(link.rates, series) if link.rates else None


def _rate_in(link: Link) -> float:
    return _per_s(link, "in_msgs_per_s") or 0.0


def _rate_out(link: Link) -> float:
    return _per_s(link, "out_msgs_per_s") or 0.0


def _number(key: str, title: str, value: Callable[[Link], int], write: Callable[..., str], raw: bool) -> Column[Link]:
    """A column of numbers, which a missing link does not have."""
    return Column(key, title, lambda row: "" if row.is_missing else write(value(row), raw=raw), value, True, True)
