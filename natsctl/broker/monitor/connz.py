"""``/connz``: the connections, open or closed, sorted and cut into pages.

Source: nats-server ``monitor.go`` (HandleConnz, Connz, ConnInfo.fill), ``monitor_sort_opts.go``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from natsctl.broker.auth import GLOBAL_ACCOUNT
from natsctl.broker.connection import Connection
from natsctl.broker.monitor.query import BadQueryError, ListDetail, Query, State
from natsctl.broker.monitor.source import Source, format_rtt, to_ns
from natsctl.broker.monitor.subscription import describe, shown
from natsctl.broker.registry import Peer
from natsctl.broker.tls.session import TlsSession
from natsctl.monitoring.documents import ConnInfo, Connz, TLSPeerCert
from natsctl.monitoring.times import format_time, format_uptime

__all__ = ["ConnzPage", "connz"]


class _Order(NamedTuple):
    key: Callable[[Any], Any]
    descending: bool = True


def _age(peer: Peer) -> timedelta:
    return (peer.stopped_at or datetime.now(UTC)) - peer.started_at


_BY_CID = _Order(attrgetter("cid"), descending=False)
_ORDERS = {
    "": _BY_CID,
    "cid": _BY_CID,
    "start": _BY_CID,
    "subs": _Order(attrgetter("session.n_subscriptions")),
    "pending": _Order(attrgetter("session.pending_bytes")),
    "msgs_to": _Order(attrgetter("session.out_msgs")),
    "msgs_from": _Order(attrgetter("session.in_msgs")),
    "bytes_to": _Order(attrgetter("session.out_bytes")),
    "bytes_from": _Order(attrgetter("session.in_bytes")),
    "last": _Order(attrgetter("last_activity")),
    "idle": _Order(attrgetter("last_activity"), descending=False),
    "uptime": _Order(_age, descending=False),
    "rtt": _Order(attrgetter("rtt_s")),
    "stop": _Order(attrgetter("stopped_at")),
    "reason": _Order(attrgetter("reason.value"), descending=False),
}
_CLOSED_ONLY = ("stop", "reason")


class ConnzPage(NamedTuple):
    """What ``/connz`` answers."""

    document: Connz
    """Without its connections."""
    rows: Iterator[ConnInfo]
    is_of_nobody: bool
    """Whether an account was asked for that does not exist."""


def connz(source: Source, query: Query) -> ConnzPage:
    """Choose the connections that a request asks for.

    Raises:
        BadQueryError: A parameter that cannot be meant.
    """
    shows_login = query.boolean("auth")
    detail = query.list_detail()
    offset, limit, cid, state = query.offset(), query.limit(), query.unsigned("cid"), query.state()
    order = _order(query.text("sort"), state)
    account, user = query.text("acc"), query.text("user")
    if cid:
        limit = 1
    if account and account not in source.accounts:
        return ConnzPage(Connz(now=source.now(), limit=limit), iter(()), is_of_nobody=True)
    found = _peers(source, state)
    if account:
        found = [peer for peer in found if _account(peer) == account]
    total = len(found)
    if cid:
        found = [peer for peer in found if peer.cid == cid]
    if user:
        found = [peer for peer in found if peer.user == user]
    if query.text("mqtt_client"):
        found = []
    found.sort(key=order.key, reverse=order.descending)
    page = found[offset : offset + limit]
    document = Connz(
        server_id=source.server_id,
        now=source.now(),
        num_connections=len(page),
        total=total,
        offset=offset,
        limit=limit,
    )
    return ConnzPage(document, _rows(source, page, detail, shows_login), is_of_nobody=False)


def _order(name: str, state: State) -> _Order:
    order = _ORDERS.get(name)
    if order is None:
        raise BadQueryError(f"invalid sorting option: {name}")
    if name in _CLOSED_ONLY and state is not State.CLOSED:
        raise BadQueryError(f"sort by {name} only valid on closed connections")
    return order


def _peers(source: Source, state: State) -> list[Peer]:
    found: list[Peer] = []
    if state is not State.CLOSED:
        found += source.broker.registry.open.values()
        found += source.broker.leafnodes.joined
    if state is not State.OPEN:
        found += source.broker.registry.closed
    return found


def _account(peer: Peer) -> str:
    """The account of a peer; one that has not said CONNECT yet is in the global one."""
    return peer.account or (GLOBAL_ACCOUNT if peer.stopped_at is None else "")


def _rows(source: Source, peers: Iterable[Peer], detail: ListDetail, shows_login: bool) -> Iterator[ConnInfo]:
    for peer in peers:
        row = _row(source, peer)
        if shows_login:
            row.authorized_user = peer.user
            account = _account(peer)
            row.account = "" if account == GLOBAL_ACCOUNT else account
            row.name_tag = account if peer.stopped_at is None else row.account  # as nats-server does
            row.tls_peer_certs = _shown_certificates(peer.tls)
        if detail is ListDetail.SUBJECT:
            row.subscriptions_list = [shown(view.subject) for view in peer.subscriptions()]
        elif detail is ListDetail.EVERYTHING:
            # Only of closed connections nats-server repeats the account here.
            account = peer.account if peer.stopped_at is not None else ""
            views = peer.subscriptions()
            row.subscriptions_list_detail = [describe(view, peer.cid, account) for view in views]
        yield row


def _row(source: Source, peer: Peer) -> ConnInfo:
    session, stopped_at = peer.session, peer.stopped_at
    start_ns = to_ns(peer.started_at)
    active_ns = max(source.wall_ns(peer.last_activity), start_ns)  # the loop's clock may be coarse
    end_ns = to_ns(stopped_at) if stopped_at is not None else time.time_ns()
    tls = peer.tls
    return ConnInfo(
        cid=peer.cid,
        kind=peer.kind,
        type="nats" if peer.kind == Connection.kind else "",
        ip=peer.ip,
        port=peer.port,
        start=format_time(start_ns),
        last_activity=format_time(active_ns),
        stop=format_time(end_ns) if stopped_at is not None else "",
        reason=peer.reason.value if stopped_at is not None and peer.reason is not None else "",
        rtt=format_rtt(peer.rtt_s),
        uptime=format_uptime((end_ns - start_ns) / 1e9),
        idle=format_uptime((end_ns - active_ns) / 1e9),
        pending_bytes=session.pending_bytes,
        in_msgs=session.in_msgs,
        out_msgs=session.out_msgs,
        in_bytes=session.in_bytes,
        out_bytes=session.out_bytes,
        stalls=session.stalls,
        subscriptions=session.n_subscriptions,
        name=peer.name,
        lang=peer.lang,
        version=peer.version,
        tls_version=tls.version if tls is not None else "",
        tls_cipher_suite=tls.suite if tls is not None else "",
        tls_first=tls is not None and tls.is_first,
    )


def _shown_certificates(tls: TlsSession | None) -> list[TLSPeerCert]:
    if tls is None or not tls.certificates:
        return []
    from natsctl.pki.presented import PresentedCertificate  # with a library that only certificates of clients need

    rows = []
    for der in tls.certificates:
        with suppress(ValueError):  # OpenSSL knows more kinds of keys
            shown = PresentedCertificate(der)
            rows.append(
                TLSPeerCert(subject=shown.subject, spki_sha256=shown.public_key_sha256, cert_sha256=shown.sha256)
            )
    return rows
