from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.monitoring.figures import format_count, format_size


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0"),
        (1023, "1023"),
        (1024, "1.0K"),
        (1536, "1.5K"),
        (255_590, "249.6K"),
        (1024**2 - 1, "1.0M"),
        (15_000_000, "14.3M"),
        (1024**3, "1.0G"),
        (1024**4, "1.0T"),
        (1024**5, "1024.0T"),
    ],
)
def test_sizes_go_by_1024(n_bytes: int, text: str) -> None:
    assert format_size(n_bytes) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [(999, "999"), (1000, "1.0K"), (12_500, "12.5K"), (999_999, "1.0M"), (1_200_000_000, "1.2B"), (10**12, "1.0T")],
)
def test_counts_go_by_1000(n: int, text: str) -> None:
    assert format_count(n) == text


def test_raw_numbers_keep_all_digits() -> None:
    assert format_size(123_456_789, raw=True) == format_count(123_456_789, raw=True) == "123456789"


@given(st.integers(0, 2**62))
def test_what_is_written_is_near_to_what_was_meant(n: int) -> None:
    for text, step, units in ((format_size(n), 1024, "KMGT"), (format_count(n), 1000, "KMBT")):
        number, unit = (text, 0) if text.isdecimal() else (text[:-1], units.index(text[-1]) + 1)
        assert abs(float(number) * step**unit - n) <= 0.051 * step**unit
        assert float(number) < step or unit == 4
