"""The recent past: rings and packed snapshots, bounded whatever comes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from natsctl.monitoring.documents import ConnInfo, Connz, Varz
from natsctl.monitoring.history import SERVER_SERIES, History, Ring
from natsctl.monitoring.rates import Rates
from natsctl.monitoring.rewind import Rewind
from natsctl.monitoring.snapshot import Snapshot

NS = 10**9


def snapshot(second: int, busy: Mapping[int, float] | None = None, *, age_s: float = 0, restarts: int = 0) -> Snapshot:
    """A snapshot at this second, with connections that receive so many messages per second."""
    rates = {cid: Rates(rate, 0, 0, 0, 1) for cid, rate in (busy or {}).items()}
    return Snapshot(
        server="http://h:8222",
        taken_at_ns=second * NS,
        taken_mono=second,
        took_s=0.01,
        age_s=age_s,
        varz=Varz(mem=second),
        connz=Connz(connections=[ConnInfo(cid=cid, pending_bytes=7) for cid in rates]),
        rates=None if age_s else Rates(second, 0, 0, 0, 1),
        connection_rates=rates,
        subscription_rates={(5, "1"): 2.5},
        restarts=restarts,
    )


@given(st.integers(1, 20), st.lists(st.floats(allow_nan=False)), st.integers(0, 30))
def test_a_ring_holds_the_newest_values_in_order(size: int, values: list[float], count: int) -> None:
    ring = Ring(size)
    for value in values:
        ring.append(value)
    assert list(ring) == values[-size:]
    assert ring.last(count) == values[-size:][-count:][: count or 0]


def test_a_poll_that_failed_leaves_a_gap() -> None:
    history = History()
    for each in (snapshot(1), snapshot(2, age_s=1), snapshot(3)):
        history.add(each)
    first, gap, last = history.server("in_msgs_per_s")
    assert (first, last) == (1, 3)
    assert math.isnan(gap)
    assert math.isnan(history.server("mem").last(2)[0])


def test_fifteen_minutes_are_kept_at_whatever_interval() -> None:
    for interval_s, samples in ((1.0, 900), (0.5, 1800), (60.0, 60), (0.001, 9_000)):
        history = History(interval_s=interval_s)
        for second in range(samples + 5):
            history.add(snapshot(second))
        assert [len(history.server(name)) for name in SERVER_SERIES] == [samples] * len(SERVER_SERIES)


def test_the_busiest_connections_have_histories() -> None:
    history = History(busiest=2)
    history.add(snapshot(1, {5: 1, 6: 30, 7: 20}))
    assert [cid for cid in (5, 6, 7) if history.connection(cid, "in_msgs_per_s")] == [6, 7]


def test_a_pinned_connection_has_a_history_however_idle() -> None:
    history = History(busiest=1)
    history.pin(5)
    for second in range(3):
        history.add(snapshot(second, {5: 0, 6: 30}))
    ring, pending = history.connection(5, "in_msgs_per_s"), history.connection(5, "pending_bytes")
    assert ring and pending
    assert list(ring) == [0, 0, 0]
    assert list(pending) == [7, 7, 7]


def test_the_number_of_histories_is_bounded_and_the_pinned_stay() -> None:
    history = History(busiest=4, max_connections=8)
    history.pin(1)
    for second in range(100):
        history.add(snapshot(second, {1: 0} | {10 * second + extra: 9 for extra in range(10, 20)}))
    kept = [cid for cid in range(2_000) if history.connection(cid, "in_msgs_per_s")]
    assert len(kept) == 8
    assert kept[0] == 1


def test_pinning_everything_keeps_to_the_bound() -> None:
    history = History(busiest=4, max_connections=8)
    for cid in range(100):
        history.pin(cid)
    history.add(snapshot(1, dict.fromkeys(range(100), 1.0)))
    assert sum(history.connection(cid, "in_msgs_per_s") is not None for cid in range(100)) == 8


def test_a_restart_begins_the_histories_of_connections_anew() -> None:
    history = History()
    history.add(snapshot(1, {5: 1}))
    history.add(snapshot(2, {6: 1}, restarts=1))
    assert history.connection(5, "in_msgs_per_s") is None
    assert len(history.server("in_msgs_per_s")) == 2


def test_a_moment_shows_the_snapshot_that_was_on_the_screen() -> None:
    rewind = Rewind()
    for second in (10, 20, 30):
        rewind.add(snapshot(second, {5: second}))
    assert rewind.at(9 * NS) is None
    assert rewind.at(29 * NS) == snapshot(20, {5: 20})
    assert rewind.at(99 * NS) == snapshot(30, {5: 30})


def test_what_is_older_than_the_span_goes() -> None:
    rewind = Rewind(span_s=10)
    for second in range(100):
        rewind.add(snapshot(second))
    assert rewind.times == [second * NS for second in range(90, 100)]


def test_the_span_stays_in_reach_when_memory_is_short() -> None:
    rewind = Rewind(span_s=900, max_bytes=20_000)
    for second in range(900):
        rewind.add(snapshot(second, {cid: float(cid * second) for cid in range(20)}))
    assert rewind.times[-1] == 899 * NS
    assert rewind.times[-2] == 898 * NS
    assert 10 < len(rewind) < 200
    assert rewind.times[0] < 450 * NS, "older moments are sparse, not gone"


def test_one_snapshot_is_kept_however_large() -> None:
    rewind = Rewind(max_bytes=1)
    for second in range(3):
        rewind.add(snapshot(second))
    assert rewind.times == [2 * NS]
