"""Durations: Go's in cfssl's files, and days, weeks and years where people type them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.pki.lifetimes import MAX_LIFETIME, format_lifetime, parse_expiry, parse_lifetime, read_expiry

HOURS = st.integers(0, 2_562_047)


@given(HOURS, st.integers(0, 59))
def test_hours_and_minutes_are_what_they_say(hours: int, minutes: int) -> None:
    expected = timedelta(hours=hours, minutes=minutes)
    if expected <= MAX_LIFETIME:
        assert parse_expiry(f"{hours}h{minutes}m") == expected
        assert parse_lifetime(f"{hours}h{minutes}m") == expected


@given(st.integers(0, 290), st.integers(0, 10), st.integers(0, 50), st.integers(0, 23))
def test_years_weeks_days_and_hours_add_up(years: int, weeks: int, days: int, hours: int) -> None:
    expected = timedelta(days=365 * years + 7 * weeks + days, hours=hours)
    assert parse_lifetime(f"{years}y{weeks}w{days}d{hours}h") == expected


@given(st.text(max_size=20))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    for parse in (parse_expiry, parse_lifetime, read_expiry):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)


@given(st.integers(1, 10**30), st.sampled_from("hdwy"))
def test_what_is_longer_than_go_can_count_is_refused(number: int, unit: str) -> None:
    days = number * {"h": 1 / 24, "d": 1, "w": 7, "y": 365}[unit]
    if days > MAX_LIFETIME / timedelta(days=1):
        with pytest.raises(ValueError, match="duration"):
            parse_lifetime(f"{number}{unit}")


@pytest.mark.parametrize(("text", "cure"), [("1y", "8760h"), ("30d", "720h"), ("1w12h", "180h")])
def test_a_unit_that_go_does_not_know_is_refused_with_what_to_write(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=f'duration "{text}" has a unit Go does not know \\(write {cure}\\)'):
        parse_expiry(text)


@pytest.mark.parametrize("text", ["-1h", "-30d", "-1y"])
def test_a_negative_lifetime_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_lifetime(text)


def test_nothing_and_zero_are_no_expiry() -> None:
    assert read_expiry("") is None
    assert read_expiry("0") is None
    with pytest.raises(ValueError, match='duration "-5h" is negative'):
        read_expiry("-5h")


@pytest.mark.parametrize(
    ("lifetime", "text"),
    [
        (timedelta(days=364, hours=3), "364d"),
        (timedelta(hours=5, minutes=59), "5h"),
        (timedelta(minutes=12), "12m"),
        (timedelta(seconds=3), "3s"),
        (timedelta(days=-3), "-3d"),
    ],
)
def test_a_lifetime_is_written_in_its_largest_unit(lifetime: timedelta, text: str) -> None:
    assert format_lifetime(lifetime) == text
