"""Links to other servers, with rates, and with those that are missing."""

from __future__ import annotations

import pytest

from natsctl.monitoring.documents import ClusterOptsVarz, LeafInfo, Leafz, RouteInfo, Routez, Varz
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.views.links import Links


def route(rid: int, peer: str, **fields: object) -> RouteInfo:
    made = RouteInfo(rid=rid, remote_id=peer.upper(), remote_name=peer, ip="10.0.0.9", port=6222)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def snapshot(
    *routes: RouteInfo, second: int = 0, leafs: list[LeafInfo] | None = None, server: str = "a", cluster: str = "c"
) -> Snapshot:
    now = f"2026-01-02T03:04:{second:02}Z"
    return Snapshot(
        server=f"http://{server}:8222",
        taken_at_ns=second,
        taken_mono=0.0,
        took_s=0.0,
        varz=Varz(server_id=server.upper(), server_name=server, now=now, cluster=ClusterOptsVarz(name=cluster)),
        routez=Routez(now=now, routes=[*routes]),
        leafz=None if leafs is None else Leafz(now=now, leafs=leafs),
    )


def test_pooled_connections_to_one_peer_are_one_link() -> None:
    (link,) = Links().update(
        snapshot(
            route(1, "b", did_solicit=True, rtt="2ms", in_msgs=3, pending_size=10, subscriptions=1),
            route(2, "b", did_solicit=True, rtt="5ms", in_msgs=4, out_bytes=7, compression="s2_fast"),
        )
    )
    assert (link.name, link.connections, link.direction, link.rtt_s) == ("b", 2, "out", 0.005)
    assert (link.traffic.in_msgs, link.traffic.out_bytes, link.pending_bytes, link.subscriptions) == (7, 7, 10, 1)
    assert (link.where, link.about, link.rates) == ("10.0.0.9:6222", "s2_fast", None)


def test_rates_of_a_link_are_those_of_its_connections_by_the_clock_of_the_server() -> None:
    links = Links()
    links.update(snapshot(route(1, "b", in_msgs=10), route(2, "b", in_msgs=0)))
    (link,) = links.update(snapshot(route(1, "b", in_msgs=30), route(2, "b", in_msgs=4), second=4))
    assert link.rates and link.rates.in_msgs_per_s == 6.0


def test_a_connection_made_anew_has_no_rate_yet() -> None:
    links = Links()
    links.update(snapshot(route(1, "b", in_msgs=10, start="x")))
    (link,) = links.update(snapshot(route(1, "b", in_msgs=30, start="y"), second=1))
    assert link.rates is None


def test_a_peer_that_was_linked_stays_in_the_list_as_missing_until_it_is_back() -> None:
    links = Links()
    links.update(snapshot(route(1, "b"), route(2, "c")))
    missing, there = links.update(snapshot(route(1, "b")))
    assert (missing.name, missing.is_missing, missing.about) == ("c", True, "was linked before")
    assert (there.name, there.is_missing) == ("b", False)
    back = route(9, "c", remote_id="ANOTHER")
    assert not any(link.is_missing for link in links.update(snapshot(route(1, "b"), back)))


def test_going_back_in_time_does_not_miss_a_peer_that_joined_later() -> None:
    links = Links()
    links.update(snapshot(route(1, "b"), route(2, "c"), second=9))
    assert not any(link.is_missing for link in links.update(snapshot(route(1, "b"), second=5)))
    assert any(link.is_missing for link in links.update(snapshot(route(1, "b"), second=10)))


def test_a_watched_server_of_the_same_cluster_without_a_route_is_missing() -> None:
    here = snapshot(route(1, "b"))
    others = [snapshot(server="b"), snapshot(server="d"), snapshot(server="x", cluster="other"), here]
    missing, linked = Links().update(here, others)
    assert (missing.name, missing.about) == ("d", "is watched at http://d:8222, but not linked")
    assert linked.name == "b"


def test_servers_without_a_cluster_miss_nobody() -> None:
    assert Links().update(snapshot(cluster=""), [snapshot(server="b", cluster="")]) == []


@pytest.mark.parametrize(("is_spoke", "kind"), [(True, "hub"), (False, "spoke")])
def test_a_leafnode_is_called_by_what_the_other_end_is(is_spoke: bool, kind: str) -> None:
    leaf = LeafInfo(id=4, name="edge", is_spoke=is_spoke, account="A", ip="10.0.0.7", port=7422, rtt="1ms", in_msgs=5)
    (link,) = Links().update(snapshot(leafs=[leaf]))
    assert (link.kind, link.name, link.about, link.traffic.in_msgs) == (kind, "edge", "account A", 5)


def test_what_was_not_asked_shows_no_links() -> None:
    assert Links().update(Snapshot(server="", taken_at_ns=0, taken_mono=0.0, took_s=0.0)) == []
