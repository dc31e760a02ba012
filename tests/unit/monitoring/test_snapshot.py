"""Snapshots: what a screen may believe after polls that succeed, fail, and meet a server that restarted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.monitoring.documents import ConnInfo, Connz, SubDetail, Subsz, Varz
from natsctl.monitoring.snapshot import Reading, Snapshot, Tracker
from natsctl.monitoring.times import format_time

EPOCH_S = 1_700_000_000


def at(second: float) -> str:
    return format_time(int((EPOCH_S + second) * 10**9))


def reading(
    second: float,
    in_msgs: int = 0,
    *conns: ConnInfo,
    server_id: str = "A",
    start: float = 0,
    server_second: float | None = None,
    slow_consumers: int = 0,
    error: str = "",
) -> Reading:
    """A poll at this second, by a clock that agrees with that of the server unless told otherwise."""
    now = at(second if server_second is None else server_second)
    return Reading(
        server="http://h:8222",
        taken_at_ns=int((EPOCH_S + second) * 10**9),
        asked_mono=second - 0.01,
        taken_mono=second,
        error=error,
        varz=Varz(server_id=server_id, start=at(start), now=now, in_msgs=in_msgs, slow_consumers=slow_consumers),
        connz=Connz(now=now, connections=list(conns)),
    )


def failure(second: float) -> Reading:
    return Reading(server="http://h:8222", taken_at_ns=0, asked_mono=second - 1, taken_mono=second, error="refused")


def conn(cid: int, in_msgs: int, start: float = 0) -> ConnInfo:
    return ConnInfo(cid=cid, start=at(start), in_msgs=in_msgs)


def play(*readings: Reading) -> list[Snapshot]:
    tracker = Tracker()
    return [tracker.update(each) for each in readings]


def rate(snapshot: Snapshot) -> float | None:
    return snapshot.rates.in_msgs_per_s if snapshot.rates else None


def test_there_is_no_rate_until_the_second_reading() -> None:
    first, second = play(reading(1, 100), reading(3, 150))
    assert first.rates is None
    assert rate(second) == pytest.approx(25)


def test_each_connection_has_a_rate_of_its_own() -> None:
    *_, last = play(reading(1, 0, conn(5, 10), conn(6, 0)), reading(2, 0, conn(5, 30), conn(6, 0), conn(7, 99)))
    assert {cid: rates.in_msgs_per_s for cid, rates in last.connection_rates.items()} == {5: 20.0, 6: 0.0}


def test_a_cid_that_is_used_by_another_connection_begins_anew() -> None:
    *_, last = play(reading(1, 0, conn(5, 10)), reading(2, 0, conn(5, 30, start=1.5)))
    assert last.connection_rates == {}


def test_subscriptions_have_rates_by_cid_and_sid() -> None:
    def with_details(second: float, msgs: int) -> Reading:
        detail = SubDetail(subject="a", sid="1", cid=5, msgs=msgs)
        return reading(second, 0, ConnInfo(cid=5, subscriptions_list_detail=[detail]))

    *_, last = play(with_details(1, 0), with_details(2, 7))
    assert last.subscription_rates == {(5, "1"): 7.0}


def test_receivers_of_a_subject_have_rates_without_any_connections_read() -> None:
    def of_subject(second: float, msgs: int) -> Reading:
        poll = reading(second)
        poll.connz = None
        poll.subsz = Subsz(now=at(second), subscriptions_list=[SubDetail(subject="a", sid="9", cid=5, msgs=msgs)])
        return poll

    *_, last = play(of_subject(1, 0), of_subject(3, 7))
    assert last.subscription_rates == {(5, "9"): 3.5}


def test_failed_polls_keep_the_last_documents_and_tell_their_age() -> None:
    _, good, failed, again = play(reading(1, 0), reading(2, 10, conn(5, 1)), failure(5), reading(6, 50, conn(5, 9)))
    assert not good.is_stale
    assert (failed.error, failed.age_s, failed.is_stale) == ("refused", 3, True)
    assert failed.varz == good.varz
    assert failed.connz == good.connz
    assert failed.rates is None
    assert failed.connection_rates == {}
    assert (again.age_s, again.error) == (0, "")
    assert rate(again) == pytest.approx(10), "averaged over the outage, which the counters lived through"


def test_a_server_that_was_never_read_has_nothing_but_an_error() -> None:
    [failed] = play(failure(5))
    assert (failed.varz, failed.age_s, failed.error) == (None, 0, "refused")


def test_a_poll_that_fails_in_part_keeps_the_part_that_is_missing() -> None:
    partial = reading(2, 10, error="connz too large")
    partial.connz = None
    good, snapshot = play(reading(1, 0, conn(5, 1)), partial)
    assert snapshot.error == "connz too large"
    assert not snapshot.is_stale
    assert rate(snapshot) == pytest.approx(10)
    assert snapshot.connz == good.connz


@pytest.mark.parametrize("reborn", [{"server_id": "B", "start": 9.5}, {"server_id": "A", "start": 9.5}])
def test_a_restart_is_marked_and_begins_anew(reborn: dict[str, str | float]) -> None:
    server_id, start = str(reborn["server_id"]), float(reborn["start"])
    before, restarted, after = play(
        reading(1, 1_000, conn(5, 100)),
        reading(10, 1_500, conn(5, 200), server_id=server_id, start=start),
        reading(11, 1_600, conn(5, 230), server_id=server_id, start=start),
    )
    assert before.restarted_s_ago is None
    assert (restarted.restarts, restarted.rates, restarted.connection_rates) == (1, None, {}), "though counters grew"
    assert restarted.restarted_s_ago == pytest.approx(0.5)
    assert rate(after) == pytest.approx(100)
    assert after.connection_rates[5].in_msgs_per_s == pytest.approx(30)
    assert after.restarted_s_ago == pytest.approx(1.5)


def test_the_age_of_a_restart_goes_on_while_the_server_is_away() -> None:
    *_, failed = play(reading(1), reading(10, start=9), failure(15))
    assert failed.restarted_s_ago == pytest.approx(6)


def test_counters_that_go_back_without_a_restart_have_no_rate() -> None:
    *_, last = play(reading(1, 100), reading(2, 50))
    assert (last.rates, last.restarts) == (None, 0)


@pytest.mark.parametrize("server_second", [0.5, 1.001, 3600.0])
def test_a_server_clock_that_was_set_makes_no_absurd_rate(server_second: float) -> None:
    _, jumped, after = play(
        reading(1, 0, conn(5, 0)),
        reading(2, 1_000, conn(5, 9), server_second=server_second),
        reading(3, 2_000, conn(5, 18), server_second=server_second + 1),
    )
    assert (jumped.rates, jumped.connection_rates) == (None, {})
    assert rate(after) == pytest.approx(1_000)


def test_an_answer_that_was_long_on_its_way_is_no_clock_that_was_set() -> None:
    slow = reading(12, 300, server_second=4)
    slow.asked_mono = 3.5
    *_, last = play(reading(1, 0), slow)
    assert rate(last) == pytest.approx(100)


def test_new_slow_consumers_are_counted() -> None:
    counts = [0, 2, 2, 1]
    snapshots = play(*(reading(second, slow_consumers=count) for second, count in enumerate(counts)))
    assert [snapshot.new_slow_consumers for snapshot in snapshots] == [0, 2, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["A", "B"]), st.text(max_size=5)), max_size=12))
def test_whatever_a_server_says_no_rate_is_negative(polls: list[tuple[int, str, str]]) -> None:
    tracker = Tracker()
    for second, (count, server_id, now) in enumerate(polls):
        poll = reading(second, count, conn(5, count), server_id=server_id)
        assert poll.varz and poll.connz
        poll.varz.now = now or poll.varz.now
        snapshot = tracker.update(poll)
        rates = [*snapshot.connection_rates.values(), *([snapshot.rates] if snapshot.rates else [])]
        assert all(0 <= each.in_msgs_per_s <= 10**6 * 1000 for each in rates)
        assert snapshot.new_slow_consumers >= 0
