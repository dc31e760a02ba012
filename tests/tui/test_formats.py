"""Numbers, times and bars as they are written."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from natsctl.tui.formats import bar, clean, rate, rtt, span, sparkline, two_units


def test_rates() -> None:
    assert rate(None) == "-"
    assert rate(0.0) == "0.0"
    assert rate(999.94) == "999.9"
    assert rate(126_043.2) == "126.0K"
    assert rate(126_043.2, raw=True) == "126043"
    assert rate(2048.0, of_bytes=True) == "2.0K"


def test_round_trip_times() -> None:
    assert [rtt(seconds) for seconds in (None, 87e-6, 1.2e-3, 3.06)] == ["", "87µs", "1.2ms", "3.1s"]


def test_spans_have_two_units_at_most() -> None:
    assert [span(seconds) for seconds in (0, 12.9, 185, 90_061)] == ["0s", "12s", "3m5s", "1d1h"]
    assert two_units("3y4d5h6m7s") == "3y4d"
    assert two_units("") == ""


@given(st.floats(0, 1), st.integers(1, 40))
def test_a_bar_has_its_width_and_shows_any_share(share: float, width: int) -> None:
    drawn = bar(share, width)
    assert len(drawn) == width
    assert (drawn.strip() == "") == (share == 0)


@given(st.lists(st.floats(0, 1e12) | st.just(math.nan), max_size=80), st.integers(0, 60))
def test_a_sparkline_has_its_width_and_gaps(values: list[float], width: int) -> None:
    drawn = sparkline(values, width)
    assert len(drawn) == width
    for tick, value in zip(reversed(drawn), reversed(values), strict=False):
        assert (tick == " ") == math.isnan(value)


@given(st.text())
def test_nothing_unprintable_is_left(text: str) -> None:
    assert clean(text).isprintable()
    assert len(clean(text)) == len(text)
