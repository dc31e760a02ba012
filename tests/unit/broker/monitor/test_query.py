"""Queries, read as Go reads them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.broker.monitor.query import BadQueryError, ListDetail, Query, State


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_yes_has_six_spellings(text: str) -> None:
    assert Query(f"auth={text}".encode()).boolean("auth")


@pytest.mark.parametrize("text", ["", "0", "f", "F", "FALSE", "false", "False"])
def test_no_has_seven_spellings(text: str) -> None:
    assert not Query(f"auth={text}".encode()).boolean("auth")


@pytest.mark.parametrize(
    ("text", "number"), [("", 0), ("007", 7), ("-3", -3), ("%2B5", 5), ("9223372036854775807", 2**63 - 1)]
)
def test_numbers_are_decimal_and_may_have_a_sign(text: str, number: int) -> None:
    assert Query(f"n={text}".encode()).integer("n") == number


REFUSALS: list[tuple[bytes, Callable[[Query], object], str]] = [
    (
        b"s=xx",
        lambda q: q.boolean("s"),
        "Error decoding boolean for 's': strconv.ParseBool: parsing \"xx\": invalid syntax",
    ),
    (
        b"s=%22",
        lambda q: q.boolean("s"),
        'Error decoding boolean for \'s\': strconv.ParseBool: parsing "\\"": invalid syntax',
    ),
    (
        b"s=%00%ff",
        lambda q: q.boolean("s"),
        "Error decoding boolean for 's': strconv.ParseBool: parsing \"\\x00\\xff\": invalid syntax",
    ),
    (b"n=1.5", lambda q: q.integer("n"), "Error decoding int for 'n': strconv.Atoi: parsing \"1.5\": invalid syntax"),
    (b"n=1_0", lambda q: q.integer("n"), "Error decoding int for 'n': strconv.Atoi: parsing \"1_0\": invalid syntax"),
    (b"n=+1", lambda q: q.integer("n"), "Error decoding int for 'n': strconv.Atoi: parsing \" 1\": invalid syntax"),
    (
        b"n=%D9%A1",  # a digit, but no ASCII
        lambda q: q.integer("n"),
        "Error decoding int for 'n': strconv.Atoi: parsing \"\u0661\": invalid syntax",
    ),
    (
        b"n=9223372036854775808",
        lambda q: q.integer("n"),
        "Error decoding int for 'n': strconv.Atoi: parsing \"9223372036854775808\": value out of range",
    ),
    (
        b"n=-1",
        lambda q: q.unsigned("n"),
        "Error decoding uint64 for 'n': strconv.ParseUint: parsing \"-1\": invalid syntax",
    ),
    (b"state=bogus", lambda q: q.state(), "Error decoding state for bogus"),
]


@pytest.mark.parametrize(("query", "read", "message"), REFUSALS)
def test_a_refusal_has_nats_servers_words(query: bytes, read: Callable[[Query], object], message: str) -> None:
    with pytest.raises(BadQueryError) as refused:
        read(Query(query))
    assert str(refused.value) == message


def test_of_a_repeated_parameter_the_first_counts() -> None:
    assert Query(b"limit=3&limit=5").limit() == 3


@pytest.mark.parametrize(("query", "limit"), [(b"", 1024), (b"limit=0", 1024), (b"limit=-5", 1024), (b"limit=9", 9)])
def test_a_limit_that_limits_nothing_is_the_default(query: bytes, limit: int) -> None:
    assert Query(query).limit() == limit


def test_an_offset_below_zero_is_none() -> None:
    assert Query(b"offset=-5").offset() == 0


@pytest.mark.parametrize(
    ("text", "state"), [("", State.OPEN), ("Closed", State.CLOSED), ("ALL", State.ANY), ("any", State.ANY)]
)
def test_states_come_in_any_case(text: str, state: State) -> None:
    assert Query(f"state={text}".encode()).state() is state


@pytest.mark.parametrize(
    ("text", "detail"), [("", ListDetail.NOTHING), ("1", ListDetail.SUBJECT), ("Detail", ListDetail.EVERYTHING)]
)
def test_subscriptions_are_listed_as_wanted(text: str, detail: ListDetail) -> None:
    assert Query(f"subs={text}".encode()).list_detail() is detail


@given(st.binary())
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    query = Query(b"a=" + value)
    for read in (query.boolean, query.integer, query.unsigned):
        with suppress(BadQueryError):
            read("a")
    assert isinstance(query.text("a"), str)


def test_a_number_of_thousands_of_digits_is_out_of_range() -> None:
    with pytest.raises(BadQueryError, match="value out of range"):
        Query(b"n=" + b"9" * 10_000).integer("n")
