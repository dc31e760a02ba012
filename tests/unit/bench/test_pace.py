from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.bench.pace import EvenPace, FullSpeed, make_pace
from natsctl.bench.plan import Plan


@given(st.floats(0.1, 1e6), st.floats(0, 1e6), st.floats(0, 1e8))
def test_a_message_is_due_when_its_time_has_come(rate: float, first_us: float, now_us: float) -> None:
    pace = EvenPace(rate, first_us)
    n = pace.due(now_us)
    if n:
        assert pace.times_us(n - 1, 1, 0)[0] <= now_us + 1
    assert pace.times_us(n, 1, 0)[0] >= int(now_us) - 1


def test_messages_are_evenly_spaced_from_their_schedule_and_not_from_now() -> None:
    assert list(EvenPace(1000, 500).times_us(3, 3, now_us=99_999, origin=1 << 40)) == [
        (1 << 40) + at for at in (3500, 4500, 5500)
    ]


def test_publishers_take_turns() -> None:
    plan = Plan("hi", n_publishers=4, rate=1000)
    firsts = [make_pace(plan, index).times_us(0, 2, 0).tolist() for index in range(4)]
    assert firsts == [[0, 4000], [1000, 5000], [2000, 6000], [3000, 7000]]


def test_a_wait_ends_when_the_message_is_due() -> None:
    assert EvenPace(100, 0).wait_s(2, now_us=5000) == pytest.approx(0.015)
    assert 0 < EvenPace(100, 0).wait_s(2, now_us=50_000) < 0.001


def test_without_a_rate_everything_is_due_and_sent_now() -> None:
    pace = make_pace(Plan("hi"), 0)
    assert isinstance(pace, FullSpeed)
    assert pace.due(0) > 10**15
    assert list(pace.times_us(0, 3, 42, origin=100)) == [142, 142, 142]
