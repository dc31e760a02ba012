from __future__ import annotations

import pytest

from natsctl.errors import UsageError
from natsctl.ops.sort_options import SORT_OPTIONS, check_sort


@pytest.mark.parametrize("key", SORT_OPTIONS)
def test_what_a_server_can_sort_by_is_taken(key: str) -> None:
    assert check_sort(key) == key


@pytest.mark.parametrize("key", ["stop", "reason"])
def test_closed_connections_can_be_sorted_by_their_end(key: str) -> None:
    assert check_sort(key, closed=True) == key
    with pytest.raises(UsageError, match=f"^sort by {key} is for closed connections$") as caught:
        check_sort(key)
    assert "--state closed" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("key", "near"), [("byte_to", "bytes_to"), ("RTT", "rtt"), ("sub", "subs"), ("pend", "pending")]
)
def test_what_is_near_is_named(key: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"^invalid option to sort by: {key}$") as caught:
        check_sort(key)
    assert near in str(caught.value.hint)


def test_nonsense_is_answered_with_everything_and_printed_safely() -> None:
    with pytest.raises(UsageError) as caught:
        check_sort("\x1b" * 100)
    assert "\x1b" not in str(caught.value)
    assert all(key in str(caught.value.hint) for key in SORT_OPTIONS)
