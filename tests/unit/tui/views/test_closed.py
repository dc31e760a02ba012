"""Closed connections, and the groups that show a pattern."""

from __future__ import annotations

from natsctl.monitoring.documents import ConnInfo, Connz
from natsctl.monitoring.snapshot import Snapshot
from natsctl.tui.formats import TIMES
from natsctl.tui.views.closed import closed_connections, closed_groups
from natsctl.tui.views.search import matching

NOW = "2026-01-02T03:04:10Z"
SLOW = "Slow Consumer (Pending Bytes)"


def closed(cid: int, name: str, reason: str, second: int) -> ConnInfo:
    return ConnInfo(
        cid=cid, name=name, reason=reason, start="2026-01-02T03:04:00Z", stop=f"2026-01-02T03:04:{second:02}.5Z"
    )


def snapshot(*conns: ConnInfo) -> Snapshot:
    return Snapshot(
        server="http://a:8222", taken_at_ns=0, taken_mono=0.0, took_s=0.0, closed=Connz(now=NOW, connections=[*conns])
    )


def test_the_last_closed_comes_first_with_when_and_how_long() -> None:
    first, second = closed_connections(snapshot(closed(1, "a", "Client Closed", 2), closed(2, "b", "Client Closed", 8)))
    assert (first.conn.cid, first.ago_s, first.lasted_s) == (2, 1.5, 8.5)
    assert (second.conn.cid, second.ago_s, second.lasted_s) == (1, 7.5, 2.5)


def test_times_that_cannot_be_read_are_unknown_and_come_last() -> None:
    rows = closed_connections(snapshot(ConnInfo(cid=1, stop="soon"), closed(2, "b", "", 1)))
    assert [row.conn.cid for row in rows] == [2, 1]
    assert (rows[1].ago_s, rows[1].lasted_s) == (None, None)


def test_a_stop_after_now_is_not_in_the_future() -> None:
    assert closed_connections(snapshot(closed(1, "a", "", 59)))[0].ago_s == 0.0


def test_only_what_was_not_wished_is_trouble() -> None:
    rows = closed_connections(snapshot(closed(1, "a", "Client Closed", 1), closed(2, "a", SLOW, 1)))
    assert {row.conn.cid: row.is_trouble for row in rows} == {1: False, 2: True}


def test_groups_join_client_and_reason_with_trouble_first() -> None:
    groups = closed_groups(
        closed_connections(
            snapshot(
                *(closed(cid, "web", "Client Closed", cid) for cid in range(1, 6)),
                *(closed(cid, "payments-svc", SLOW, cid) for cid in range(6, 9)),
                closed(9, "web", SLOW, 9),
            )
        )
    )
    assert [group.sentence for group in groups] == [
        f"Slow Consumer (Pending Bytes) {TIMES}3 by payments-svc",
        "Slow Consumer (Pending Bytes) by web",
        f"Client Closed {TIMES}5 by web",
    ]
    assert groups[0].last.conn.cid == 8


def test_a_search_looks_at_client_reason_and_cid() -> None:
    (row,) = closed_connections(snapshot(closed(77, "Web", SLOW, 1)))
    for needle in ("web", "pending", "77"):
        assert matching([row], needle) == [row]
    assert matching([row], "payments") == []


def test_nothing_was_asked_nothing_closed() -> None:
    assert closed_connections(Snapshot(server="", taken_at_ns=0, taken_mono=0.0, took_s=0.0)) == []
