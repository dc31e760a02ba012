"""Monitoring documents as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from natsctl.cli.top_text import address
from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import (
    Accountz,
    ConnInfo,
    Connz,
    Healthz,
    LeafInfo,
    Leafz,
    RouteInfo,
    Routez,
    SubDetail,
    Subsz,
    Varz,
)
from natsctl.monitoring.figures import format_count, format_size
from natsctl.units import format_bytes, format_duration

__all__ = ["accountz_tables", "connz_tables", "healthz_tables", "leafz_tables", "routez_tables", "subsz_tables"]
__all__ += ["varz_tables"]

T = TypeVar("T")

_MAX_TEXT = 10_000
_NS = 1e-9

Column = tuple[str, Callable[[T], object], bool]
"""The title, the value, and whether it is a number."""


def varz_tables(varz: Varz) -> list[RenderableType]:
    """Show a server: who it is, what it did, what it allows."""
    limits = f"{varz.max_connections:,} connections, {format_bytes(varz.max_payload)} a message"
    ports = [
        f"clients {address(varz.host, varz.port)}",
        *(f"{kind} {port}" for kind, port in _other_ports(varz) if port),
    ]
    pings = f"every {format_duration(varz.ping_interval * _NS)}, {varz.ping_max} unanswered at most"
    ours = f"natsctl {varz.natsctl.version}, engine {varz.natsctl.engine}" if varz.natsctl else ""
    return [
        _facts(
            ("server", varz.server_name),
            ("id", varz.server_id),
            ("version", varz.version),
            ("software", ours),
            ("ports", ", ".join(ports)),
            ("uptime", varz.uptime),
            ("started", varz.start),
            ("CPU", f"{varz.cpu:.1f} % of {varz.cores} cores"),
            ("memory", format_bytes(varz.mem)),
            ("connections", f"{varz.connections:,} now, {varz.total_connections:,} since the start"),
            ("links", f"{varz.routes} routes, {varz.leafnodes} leafnodes, {varz.remotes} remote servers"),
            ("subscriptions", f"{varz.subscriptions:,}"),
            ("received", f"{varz.in_msgs:,} messages, {format_bytes(varz.in_bytes)}"),
            ("sent", f"{varz.out_msgs:,} messages, {format_bytes(varz.out_bytes)}"),
            ("slow consumers", _alarming(varz.slow_consumers)),
            ("stale connections", f"{varz.stale_connections:,}"),
            ("limits", limits),
            (
                "pending",
                f"{format_bytes(varz.max_pending)} a connection, for {format_duration(varz.write_deadline * _NS)}",
            ),
            ("pings", pings),
            ("security", _security(varz)),
            ("configured", varz.config_load_time),
        )
    ]


def connz_tables(connz: Connz) -> list[RenderableType]:
    """Show a page of connections, and how many there are beyond it."""
    connections = connz.connections
    columns: list[Column[ConnInfo]] = [
        ("CID", lambda conn: conn.cid, True),
        ("NAME", lambda conn: conn.name, False),
        ("ADDRESS", lambda conn: address(conn.ip, conn.port), False),
        ("USER", lambda conn: conn.authorized_user, False),
        ("ACCOUNT", lambda conn: conn.account, False),
        ("SUBS", lambda conn: conn.subscriptions, True),
        ("PENDING", lambda conn: format_size(conn.pending_bytes), True),
        ("MSGS_TO", lambda conn: format_count(conn.out_msgs), True),
        ("MSGS_FROM", lambda conn: format_count(conn.in_msgs), True),
        ("BYTES_TO", lambda conn: format_size(conn.out_bytes), True),
        ("BYTES_FROM", lambda conn: format_size(conn.in_bytes), True),
        ("RTT", lambda conn: conn.rtt, True),
        ("LANG", lambda conn: " ".join(filter(None, [conn.lang, conn.version])), False),
        ("UPTIME", lambda conn: conn.uptime, True),
        ("IDLE", lambda conn: conn.idle, True),
        ("CLOSED", lambda conn: conn.stop, False),
        ("REASON", lambda conn: conn.reason, False),
        ("SUBSCRIPTIONS", lambda conn: ", ".join(_subjects(conn)), False),
    ]
    footer = f"{connz.num_connections} of {connz.total}" + (f", from {connz.offset}" if connz.offset else "")
    return _listing(columns, connections, footer)


def routez_tables(routez: Routez) -> list[RenderableType]:
    """Show the routes of a server."""
    columns: list[Column[RouteInfo]] = [
        ("RID", lambda route: route.rid, True),
        ("SERVER", lambda route: route.remote_name or route.remote_id, False),
        ("ADDRESS", lambda route: address(route.ip, route.port), False),
        ("ACCOUNT", lambda route: route.account, False),
        ("MADE BY", lambda route: "this server" if route.did_solicit else "the other", False),
        ("SUBS", lambda route: route.subscriptions, True),
        ("PENDING", lambda route: format_size(route.pending_size), True),
        ("MSGS_TO", lambda route: format_count(route.out_msgs), True),
        ("MSGS_FROM", lambda route: format_count(route.in_msgs), True),
        ("BYTES_TO", lambda route: format_size(route.out_bytes), True),
        ("BYTES_FROM", lambda route: format_size(route.in_bytes), True),
        ("RTT", lambda route: route.rtt, True),
        ("UPTIME", lambda route: route.uptime, True),
        ("IDLE", lambda route: route.idle, True),
        ("SUBSCRIPTIONS", lambda route: ", ".join(route.subscriptions_list), False),
    ]
    servers = len({route.remote_id for route in routez.routes})
    return _listing(columns, routez.routes, f"{_counted(routez.num_routes, 'route')} to {_counted(servers, 'server')}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def leafz_tables(leafz: Leafz) -> list[RenderableType]:
    """Show the leafnode connections of a server."""
    columns: list[Column[LeafInfo]] = [
        ("ID", lambda leaf: leaf.id, True),
        ("NAME", lambda leaf: leaf.name, False),
        ("ADDRESS", lambda leaf: address(leaf.ip, leaf.port), False),
        ("ACCOUNT", lambda leaf: leaf.account, False),
        ("THIS SIDE", lambda leaf: "spoke" if leaf.is_spoke else "hub", False),
        ("SUBS", lambda leaf: leaf.subscriptions, True),
        ("MSGS_TO", lambda leaf: format_count(leaf.out_msgs), True),
        ("MSGS_FROM", lambda leaf: format_count(leaf.in_msgs), True),
        ("BYTES_TO", lambda leaf: format_size(leaf.out_bytes), True),
        ("BYTES_FROM", lambda leaf: format_size(leaf.in_bytes), True),
        ("RTT", lambda leaf: leaf.rtt, True),
        ("SUBSCRIPTIONS", lambda leaf: ", ".join(leaf.subscriptions_list), False),
    ]
    return _listing(columns, leafz.leafs, _counted(leafz.leafnodes, "leafnode"))


def subsz_tables(subsz: Subsz, *, is_listed: bool) -> list[RenderableType]:
    """Show who is subscribed if that was asked for, and else what the sublists hold."""
    if is_listed:
        columns: list[Column[SubDetail]] = [
            ("SUBJECT", lambda sub: sub.subject, False),
            ("QUEUE", lambda sub: sub.qgroup, False),
            ("ACCOUNT", lambda sub: sub.account, False),
            ("CID", lambda sub: sub.cid, True),
            ("SID", lambda sub: sub.sid, False),
            ("MSGS", lambda sub: format_count(sub.msgs), True),
            ("MAX", lambda sub: sub.max or "", True),
        ]
        listed = len(subsz.subscriptions_list)
        return _listing(columns, subsz.subscriptions_list, f"{listed} of {subsz.total}")
    return [
        _facts(
            ("subscriptions", f"{subsz.num_subscriptions:,}"),
            ("added", f"{subsz.num_inserts:,}"),
            ("removed", f"{subsz.num_removes:,}"),
            ("matched", f"{subsz.num_matches:,}"),
            ("cached", f"{subsz.num_cache:,} subjects, {subsz.cache_hit_rate:.1%} hits"),
            ("receivers", f"{subsz.avg_fanout:.1f} a subject on average, {subsz.max_fanout:,} at most"),
        )
    ]


def accountz_tables(accountz: Accountz) -> list[RenderableType]:
    """Show one account, or the names of all."""
    account = accountz.account_detail
    if account is None:
        columns: list[Column[str]] = [
            ("ACCOUNT", lambda name: name, False),
            ("", lambda name: "system account" if name == accountz.system_account else "", False),
        ]
        return _listing(columns, sorted(accountz.accounts), f"{len(accountz.accounts)} accounts")
    return [
        _facts(
            ("account", account.account_name),
            ("clients", f"{account.client_connections:,}"),
            ("leafnodes", f"{account.leafnode_connections:,}"),
            ("subscriptions", f"{account.subscriptions:,}"),
            ("JetStream", "yes" if account.jetstream_enabled else "no"),
            ("expired", "yes" if account.expired else "no"),
        )
    ]


def healthz_tables(healthz: Healthz) -> list[RenderableType]:
    """Show whether a server is healthy, and what it lacks."""
    status = Text(printable(healthz.status), style="green" if healthz.status == "ok" else "red")
    findings = [(finding.type.lower(), finding.error) for finding in healthz.errors]
    return [_facts(("status", status), ("error", healthz.error), *findings)]


def _facts(*facts: tuple[str, str | Text]) -> Table:
    """A table of names and values; those without a value are left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in facts:
        if value:
            table.add_row(printable(name), value if isinstance(value, Text) else printable(value, _MAX_TEXT))
    return table


def _listing(columns: Sequence[Column[T]], rows: Iterable[T], footer: str) -> list[RenderableType]:
    """A table of rows, without the columns that are empty in all of them, and a line below it."""
    cells = [[printable(str(value(row)), _MAX_TEXT) for _, value, _ in columns] for row in rows]
    used = [index for index in range(len(columns)) if not cells or any(row[index] for row in cells)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, _, is_number in (columns[index] for index in used):
        table.add_column(title, justify="right" if is_number else "left")
    for row in cells:
        table.add_row(*(row[index] for index in used))
    return [table, Text(footer, style="dim")]


def _alarming(count: int) -> Text:
    return Text(f"{count:,}", style="bold red" if count else "")


def _subjects(conn: ConnInfo) -> list[str]:
    details = conn.subscriptions_list_detail
    return conn.subscriptions_list or [
        f"{sub.subject} [{sub.qgroup}]" if sub.qgroup else sub.subject for sub in details
    ]


def _other_ports(varz: Varz) -> list[tuple[str, int]]:
    return [
        ("HTTP", varz.http_port),
        ("HTTPS", varz.https_port),
        ("cluster", varz.cluster.cluster_port),
        ("leafnodes", varz.leaf.port),
        ("WebSocket", varz.websocket.port),
        ("MQTT", varz.mqtt.port),
    ]


def _security(varz: Varz) -> str:
    login = "login required" if varz.auth_required else "no login"
    tls = "client certificates required" if varz.tls_verify else "TLS required" if varz.tls_required else "no TLS"
    return f"{login}, {tls}"
