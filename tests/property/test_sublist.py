"""The sublist beside the simplest thing that could work: a list, and every pattern tried."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.engine.sublist import NOBODY, Match, Sublist
from natsctl.protocol.subject import covers, is_valid

tokens = st.sampled_from([b"a", b"b", b"*", b"a*"])
subjects = st.lists(tokens, min_size=1, max_size=3).map(b".".join)
patterns = st.one_of(subjects, subjects.map(lambda subject: subject + b".>"), st.just(b">")).filter(is_valid)


class Entry:
    weight = 0

    def __init__(self, subject: bytes, queue: bytes | None) -> None:
        self.subject = subject
        self.queue = queue


def matches(pattern: bytes, subject: bytes) -> bool:
    """Whether a message on a subject reaches a pattern, token by token."""
    wanted, given = pattern.split(b"."), subject.split(b".")
    if b"" in given:
        return False
    for index, token in enumerate(wanted):
        if token == b">":
            return len(given) > index
        if index >= len(given) or token not in (b"*", given[index]):
            return False
    return len(wanted) == len(given)


def check(found: Match[Entry], held: list[Entry], subject: bytes) -> None:
    wanted = [entry for entry in held if matches(entry.subject, subject)]
    groups: dict[bytes, set[Entry]] = {}
    for entry in wanted:
        if entry.queue is not None:
            groups.setdefault(entry.queue, set()).add(entry)
    assert len(found.plain) == len(set(found.plain))
    assert set(found.plain) == {entry for entry in wanted if entry.queue is None}
    assert sorted(sorted(map(id, group)) for group in found.queues) == sorted(
        sorted(map(id, group)) for group in groups.values()
    )


def random_subject(random: Random, *last: bytes) -> bytes:
    length = random.randint(1, 3)
    return b".".join(random.choice((b"a", b"b", b"c", *last)) for _ in range(length))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 4, 8192]))
def test_a_sublist_finds_what_a_plain_list_finds(number: int, cache_size: int) -> None:
    random = Random(number)
    sublist: Sublist[Entry] = Sublist(cache_size)
    held: list[Entry] = []
    asked = [random_subject(random) for _ in range(6)] + [b"a..b", b"a.", b"*", b"a.>"]
    for _ in range(60):
        if held and random.random() < 0.45:
            sublist.remove(held.pop(random.randrange(len(held))))
        else:
            subject = random_subject(random, b"*", b"a*") + random.choice((b"", b"", b".>"))
            held.append(Entry(subject, random.choice((None, None, b"q", b"r"))))
            sublist.insert(held[-1])
        for subject in random.sample(asked, 5):
            check(sublist.match(subject), held, subject)
        assert sublist.count == len(held)
    assert set(sublist) == set(held)
    for entry in held:
        sublist.remove(entry)
    assert sublist.count == 0
    assert list(sublist) == []
    assert sublist._root.is_empty()  # nothing public tells of nodes left behind
    assert all(sublist.match(subject) is NOBODY for subject in asked)


@settings(max_examples=300, deadline=None)
@given(patterns, patterns, subjects.filter(lambda subject: b"*" not in subject.split(b".")))
def test_covering_is_never_claimed_wrongly(pattern: bytes, subject: bytes, message: bytes) -> None:
    if covers(pattern, subject) and matches(subject, message):
        assert matches(pattern, message)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 50))
def test_the_cache_holds_no_more_than_it_may(cache_size: int) -> None:
    sublist: Sublist[Entry] = Sublist(cache_size)
    sublist.insert(Entry(b"*", None))
    for number in range(200):
        sublist.match(b"%d" % number)
    assert len(sublist._cache) <= cache_size  # nothing public tells of it
    assert sum(map(len, sublist._branches.values())) == len(sublist._cache)
