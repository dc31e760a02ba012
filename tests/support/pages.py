"""Pages that a screen asks for besides the connections, added to the snapshots of servers that never were."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from natsctl.monitoring.documents import (
    ClusterOptsVarz,
    ConnInfo,
    Connz,
    LeafInfo,
    Leafz,
    RouteInfo,
    Routez,
    SubDetail,
    Subsz,
)
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import NS, format_time, parse_time

__all__ = ["with_closed", "with_links", "with_queue_group", "with_receivers"]

SLOW = "Slow Consumer (Pending Bytes)"
CLOSED = (
    ("payments-svc", SLOW, 3),
    ("orders-svc", "Client Closed", 5),
    ("billing", "Authentication Failure", 1),
    ("audit", "Stale Connection", 2),
)
"""Client, reason, and how many."""


def with_closed(snapshot: Snapshot) -> Snapshot:
    """Add connections that closed."""
    now_ns = _now_ns(snapshot)
    conns: list[ConnInfo] = []
    for name, reason, count in CLOSED:
        for _ in range(count):
            cid = 100 + len(conns)
            conns.append(
                ConnInfo(
                    cid=cid,
                    ip="10.0.7.1",
                    port=41_000 + cid,
                    name=name,
                    reason=reason,
                    start=format_time(now_ns - 4000 * NS),
                    stop=format_time(now_ns - (cid - 99) * 37 * NS),
                    out_msgs=cid * 1000,
                    in_msgs=cid * 10,
                    pending_bytes=cid * 300_000 if reason == SLOW else 0,
                )
            )
    return msgspec.structs.replace(snapshot, closed=Connz(now=format_time(now_ns), connections=conns))


def with_links(snapshot: Snapshot, peers: Sequence[str]) -> Snapshot:
    """Add two pooled routes to each of these peers, and leafnodes."""
    assert snapshot.varz
    now = snapshot.varz.now
    routes = [
        RouteInfo(
            rid=20 + 2 * index + pool,
            remote_id=f"N{peer.upper()}",
            remote_name=peer,
            did_solicit=index % 2 == 0,
            ip=f"10.0.9.{index + 1}",
            port=6222,
            start="2026-02-01T00:00:00Z",
            rtt=f"{index + 1}.5ms",
            in_msgs=int(snapshot.taken_mono * 100 * (index + 1)),
            out_msgs=int(snapshot.taken_mono * 250),
            in_bytes=123_456,
            out_bytes=7_654_321,
            subscriptions=12,
            compression="s2_fast",
        )
        for index, peer in enumerate(peers)
        for pool in range(2)
    ]
    leafs = [
        LeafInfo(id=40, name="edge-berlin", account="FLEET", ip="192.0.2.7", port=7422, rtt="23ms", in_msgs=99),
        LeafInfo(id=41, name="ngs", is_spoke=True, account="$G", ip="192.0.2.9", port=7422, rtt="81ms"),
    ]
    varz = msgspec.structs.replace(
        snapshot.varz,
        cluster=ClusterOptsVarz(name="east"),
        routes=len(routes),
        remotes=len(peers),
        leafnodes=len(leafs),
    )
    return msgspec.structs.replace(
        snapshot, varz=varz, routez=Routez(now=now, routes=routes), leafz=Leafz(now=now, leafs=leafs)
    )


def with_queue_group(snapshot: Snapshot, cids: Collection[int]) -> Snapshot:
    """Let these connections share a queue group."""
    assert snapshot.connz
    conns = [
        msgspec.structs.replace(
            conn,
            subscriptions_list_detail=[*conn.subscriptions_list_detail, _member(conn.cid)]
            if conn.cid in cids
            else conn.subscriptions_list_detail,
        )
        for conn in snapshot.connz.connections
    ]
    return msgspec.structs.replace(
        snapshot,
        connz=msgspec.structs.replace(snapshot.connz, connections=conns),
        subscription_rates={**snapshot.subscription_rates, **{(cid, "90"): 12.5 * cid for cid in cids}},
    )


def with_receivers(snapshot: Snapshot, *subs: SubDetail) -> Snapshot:
    """Add the answer to who would receive a message, of a poll that began after any question."""
    return msgspec.structs.replace(
        snapshot,
        taken_mono=1e12,
        took_s=0.0,
        subsz=Subsz(num_subscriptions=90, cache_hit_rate=0.97, total=len(subs), subscriptions_list=[*subs]),
    )


def _member(cid: int) -> SubDetail:
    return SubDetail(cid=cid, sid="90", subject="drivers.find", qgroup="manager", msgs=1000 * cid)


def _now_ns(snapshot: Snapshot) -> int:
    assert snapshot.varz
    return parse_time(snapshot.varz.now)
