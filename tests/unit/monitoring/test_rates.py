"""Rates: per second of the server's clock, and never of what cannot be compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from natsctl.monitoring.rates import KEEP_NS, MAX_BASELINES, Baselines

SECOND = 10**9


def test_a_rate_is_the_growth_per_second_between_two_readings() -> None:
    baselines: Baselines[int] = Baselines()
    assert baselines.measure(1, "a", 0, (10, 0)) is None
    assert baselines.measure(1, "a", 4 * SECOND, (30, 2)) == (5.0, 0.5, 4.0)
    assert baselines.measure(1, "a", 5 * SECOND, (30, 2)) == (0.0, 0.0, 1.0)


def test_another_thing_by_the_same_key_begins_anew() -> None:
    baselines: Baselines[int] = Baselines()
    baselines.measure(1, "a", 0, (10,))
    assert baselines.measure(1, "b", SECOND, (20,)) is None
    assert baselines.measure(1, "b", 2 * SECOND, (21,)) == (1.0, 1.0)


def test_what_comes_back_after_some_polls_is_measured_over_all_of_them() -> None:
    baselines: Baselines[int] = Baselines()
    baselines.measure(1, "a", 0, (0,))
    for now in range(1, 11):
        baselines.measure(2, "b", now * SECOND, (now,))
        baselines.prune(now * SECOND)
    assert baselines.measure(1, "a", 10 * SECOND, (50,)) == (5.0, 10.0)


def test_what_was_not_seen_for_a_minute_is_forgotten() -> None:
    baselines: Baselines[int] = Baselines()
    baselines.measure(1, "a", 0, (0,))
    baselines.prune(KEEP_NS + 1)
    assert baselines.measure(1, "a", KEEP_NS + 2, (50,)) is None


def test_the_number_of_things_is_bounded() -> None:
    baselines: Baselines[int] = Baselines()
    for key in range(MAX_BASELINES + 10):
        baselines.measure(key, "", 0, (0,))
    baselines.prune(0)
    assert baselines.measure(0, "", SECOND, (1,)) is None
    assert baselines.measure(MAX_BASELINES, "", SECOND, (1,)) == (1.0, 1.0)


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63), st.integers(0, 2**70), st.integers(-5, 10**30)), max_size=20))
def test_no_rate_is_ever_negative_or_infinite(readings: list[tuple[int, int, int]]) -> None:
    baselines: Baselines[str] = Baselines()
    for now_ns, first, second in readings:
        measured = baselines.measure("x", "", now_ns, (first, second))
        if measured is not None:
            assert all(0 <= rate <= 2**64 * 1000 for rate in measured)
            assert measured[-1] > 0
