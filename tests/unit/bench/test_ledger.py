from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.bench.ledger import Arrivals, Ledger, count_unique

PAGE = 1024
numbers = st.integers(0, 3 * PAGE)
stretches = st.one_of(
    st.lists(numbers, min_size=1, max_size=20),
    st.tuples(numbers, st.integers(1, 40)).map(lambda pair: list(range(pair[0], pair[0] + pair[1]))),
    st.tuples(st.integers(PAGE - 20, PAGE + 20), st.integers(1, 40)).map(
        lambda pair: list(range(pair[0], pair[0] + pair[1]))
    ),
)


@settings(deadline=None)
@given(st.lists(stretches, max_size=12))
def test_a_ledger_counts_as_a_set_does(arrivals: list[list[int]]) -> None:
    ledger = Ledger()
    seen: set[int] = set()
    reordered = 0
    for stretch in arrivals:
        ledger.take(stretch)
        for number in stretch:
            reordered += number not in seen and any(other > number for other in seen)
            seen.add(number)
    assert ledger.reordered == reordered
    assert count_unique([ledger.arrivals()]) == len(seen)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=300))
def test_members_of_a_queue_group_are_counted_together(owners: list[int]) -> None:
    members = [Ledger() for _ in range(3)]
    for number, owner in enumerate(owners):
        members[owner].take([number])
    members[0].take([0])  # given to two members, or twice to one
    assert count_unique([member.arrivals() for member in members]) == len(owners)


def test_a_million_messages_in_order_are_one_number() -> None:
    ledger = Ledger()
    for start in range(0, 1_000_000, 1000):
        ledger.take(list(range(start, start + 1000)))
    assert ledger.arrivals() == Arrivals(1_000_000, {})
    assert ledger.reordered == 0


def test_a_message_that_comes_behind_many_pages_is_still_known() -> None:
    ledger = Ledger()
    ledger.take(list(range(10)))
    ledger.take(list(range(11, 5 * PAGE)))
    ledger.take([10])
    ledger.take([3])
    assert ledger.reordered == 1
    assert count_unique([ledger.arrivals()]) == 5 * PAGE


def test_what_one_member_got_without_a_gap_is_not_counted_again_for_others() -> None:
    assert count_unique([Arrivals(5, {}), Arrivals(2, {0: 0b1111100}), Arrivals(0, {1: 0b11})]) == 7 + 2
