"""Limits and states of checks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.ops.check.result import Figure, Limits, Result, Status

NUMBERS = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("value", "status"),
    [(9, Status.OK), (10, Status.OK), (11, Status.WARNING), (20, Status.WARNING), (21, Status.CRITICAL)],
)
def test_above_its_limits_a_figure_is_bad(value: float, status: Status) -> None:
    assert Limits.between(10, 20).judge(value) is status


@pytest.mark.parametrize(
    ("value", "status"),
    [(21, Status.OK), (20, Status.OK), (19, Status.WARNING), (10, Status.WARNING), (9, Status.CRITICAL)],
)
def test_where_the_critical_limit_is_lower_low_figures_are_bad(value: float, status: Status) -> None:
    assert Limits.between(20, 10).judge(value) is status


def test_one_limit_is_bad_on_the_usual_side() -> None:
    assert Limits.between(10, None).judge(11) is Status.WARNING
    assert Limits.between(None, 10, is_floor=True).judge(9) is Status.CRITICAL
    assert Limits().judge(1e300) is Status.OK


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_figure_never_gets_better_on_its_way_to_the_critical_side(
    warning: float, critical: float, one: float, other: float
) -> None:
    limits = Limits.between(warning, critical)
    better, worse = sorted((one, other), reverse=limits.is_floor)
    assert limits.judge(better) <= limits.judge(worse)


@pytest.mark.parametrize(
    ("found", "worst"),
    [
        ((), Status.OK),
        ((Status.OK, Status.UNKNOWN), Status.UNKNOWN),
        ((Status.UNKNOWN, Status.WARNING), Status.WARNING),
        ((Status.WARNING, Status.CRITICAL, Status.UNKNOWN), Status.CRITICAL),
    ],
)
def test_a_result_is_as_bad_as_the_worst_that_is_known(found: tuple[Status, ...], worst: Status) -> None:
    result = Result("server", "here")
    for status in found:
        result.say(status, "something")
    assert result.status is worst


def test_a_figure_brings_its_finding() -> None:
    result = Result("server", "here")
    result.measure(Figure("connections", 11, limits=Limits(10)), "11 connections")
    assert result.texts(Status.WARNING) == ["11 connections"]
