"""Times, uptimes and addresses, as servers print and operators type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.errors import UsageError
from natsctl.monitoring.address import monitoring_url
from natsctl.monitoring.times import format_time, format_uptime, parse_rtt, parse_time, parse_uptime, to_datetime

YEAR_1_NS = -62_135_596_800 * 10**9
YEAR_9999_NS = 253_402_300_799 * 10**9


@given(st.integers(YEAR_1_NS, YEAR_9999_NS))
def test_a_time_that_is_written_reads_back_to_the_nanosecond(at_ns: int) -> None:
    text = format_time(at_ns)
    assert parse_time(text) == at_ns
    assert text.endswith("Z")
    assert not text.endswith("0Z") or "." not in text


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T18:30:00.25-05:30", 250_000_000),
        ("0001-01-01T00:00:00Z", YEAR_1_NS),
        ("1970-01-01T00:00:00.1234567899Z", 123_456_789),
    ],
)
def test_times_of_all_eras_are_read(text: str, at_ns: int) -> None:
    assert parse_time(text) == at_ns


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05", "9" * 100_000]
)
def test_what_is_no_time_is_refused_with_a_short_message(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_time(text)
    assert len(str(caught.value)) < 120


def test_a_time_becomes_a_datetime_in_utc() -> None:
    assert to_datetime(parse_time("2026-01-02T03:04:05.678901234Z")) == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@given(st.integers(0, 10**11))
def test_an_uptime_that_is_written_reads_back(seconds: int) -> None:
    assert parse_uptime(format_uptime(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (8.9, "8s"), (75, "1m15s"), (6579, "1h49m39s"), (86400, "1d0h0m0s"), (31_711_445, "1y2d0h44m5s")],
)
def test_an_uptime_is_written_as_nats_server_does(seconds: float, text: str) -> None:
    assert format_uptime(seconds) == text


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1s2m", "-1s", "1.5s", "1w", pytest.param("9" * 10_000 + "s", id="long")]
)
def test_what_is_no_uptime_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_uptime(text)


def test_a_round_trip_is_in_seconds_and_nonsense_is_none() -> None:
    assert parse_rtt("1.25ms") == pytest.approx(0.00125)
    assert parse_rtt("") is None
    assert parse_rtt("fast") is None


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8222"),
        ("demo.example.com:80", "http://demo.example.com:80"),
        ("http://demo.example.com/", "http://demo.example.com:8222"),
        ("https://demo.example.com:443/nats/", "https://demo.example.com:443/nats"),
        ("::1", "http://[::1]:8222"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_an_address_is_completed(server: str, url: str) -> None:
    assert monitoring_url(server) == url


def test_options_complete_an_address_but_do_not_overrule_it() -> None:
    assert monitoring_url("h", port=1, tls=True, base_path="/a/") == "https://h:1/a"
    assert monitoring_url("http://h:2/b", port=1, tls=True, base_path="/a") == "http://h:2/b"


@pytest.mark.parametrize("server", ["", "http://", "h:port", "h:99999", "ftp://h", "a b", "http://[::1"])
def test_what_is_no_address_is_refused(server: str) -> None:
    with pytest.raises(UsageError, match="invalid monitoring address"):
        monitoring_url(server)


def test_a_client_address_is_answered_with_a_monitoring_one() -> None:
    with pytest.raises(UsageError) as caught:
        monitoring_url("nats://h:4222")
    assert caught.value.hint == "monitoring is HTTP on a port of its own: try http://h:8222"


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        monitoring_url("http://user:secret@h")
    assert "secret" not in str(caught.value)
