from __future__ import annotations

import pytest

from natsctl.engine.sublist import NOBODY, Match, Sublist


class Entry:
    weight = 0

    def __init__(self, subject: bytes, queue: bytes | None = None) -> None:
        self.subject = subject
        self.queue = queue


@pytest.fixture(params=[0, 3, 8192], ids=["no cache", "tiny cache", "usual cache"])
def sublist(request: pytest.FixtureRequest) -> Sublist[Entry]:
    return Sublist(request.param)


def fill(sublist: Sublist[Entry], *subjects: bytes) -> list[Entry]:
    entries = [Entry(subject) for subject in subjects]
    for entry in entries:
        sublist.insert(entry)
    return entries


def plain(match: Match[Entry]) -> set[bytes]:
    assert len(set(match.plain)) == len(match.plain)
    return {entry.subject for entry in match.plain}


@pytest.mark.parametrize(
    ("subject", "reached"),
    [
        (b"foo", {b"foo", b"*", b">"}),
        (b"foo.bar", {b"foo.bar", b"foo.*", b"*.bar", b"*.*", b"foo.>", b"*.>", b">"}),
        (b"foo.bar.baz", {b"foo.*.baz", b"foo.>", b"*.>", b">", b"foo.bar.>"}),
        (b"bar", {b"*", b">"}),
        (b"bar.", set()),
        (b".bar", set()),
        (b"foo..baz", set()),
        (b"", set()),
        (b"*", {b"*", b">"}),
        (b"foo.*", {b"foo.*", b"*.*", b"foo.>", b"*.>", b">"}),
        (b"foo*", {b"*", b">", b"foo*"}),
    ],
)
def test_a_subject_reaches_the_literals_and_patterns_that_match_it(
    sublist: Sublist[Entry], subject: bytes, reached: set[bytes]
) -> None:
    fill(sublist, *b"foo foo.bar foo.* *.bar *.* foo.> *.> > * foo.*.baz foo.bar.> foo*".split())
    for _ in range(2):  # the second time from the cache
        assert plain(sublist.match(subject)) == reached


def test_the_name_makes_a_queue_group(sublist: Sublist[Entry]) -> None:
    members = [Entry(b"foo", b"q"), Entry(b"foo", b"q"), Entry(b"foo", b"r"), Entry(b"*", b"q")]
    for member in members:
        sublist.insert(member)
    found = sublist.match(b"foo")
    assert found.plain == ()
    assert {frozenset(group) for group in found.queues} == {
        frozenset((*members[:2], members[3])),
        frozenset(members[2:3]),
    }


def test_what_is_removed_is_reached_no_more(sublist: Sublist[Entry]) -> None:
    entries = fill(sublist, b"foo", b"foo", b"*", b">", b"foo.>")
    left = list(entries)
    for entry in entries:
        sublist.match(b"foo")
        sublist.remove(entry)
        left.remove(entry)
        assert set(sublist.match(b"foo").plain) == {other for other in left if other.subject != b"foo.>"}
    assert sublist.count == 0


@pytest.mark.parametrize("pattern", [b"foo.bar", b"foo.*", b"*.bar", b">", b"foo.>", b"*.*"])
def test_a_change_is_seen_by_subjects_already_asked_for(sublist: Sublist[Entry], pattern: bytes) -> None:
    fill(sublist, b"foo.bar")
    assert plain(sublist.match(b"foo.bar")) == {b"foo.bar"}
    (entry,) = fill(sublist, pattern)
    assert entry in sublist.match(b"foo.bar").plain
    sublist.remove(entry)
    assert entry not in sublist.match(b"foo.bar").plain


def test_a_subject_nobody_wants_gives_the_same_nothing(sublist: Sublist[Entry]) -> None:
    fill(sublist, b"foo")
    assert sublist.match(b"bar") is NOBODY
    assert sublist.match(b"foo.bar") is NOBODY


def test_an_entry_that_is_not_there_cannot_be_removed(sublist: Sublist[Entry]) -> None:
    fill(sublist, b"foo.bar")
    for stranger in (Entry(b"foo"), Entry(b"foo.bar"), Entry(b"foo.bar", b"q"), Entry(b"bar")):
        with pytest.raises(KeyError):
            sublist.remove(stranger)
    assert sublist.count == 1


def test_iteration_gives_every_entry_once(sublist: Sublist[Entry]) -> None:
    entries = fill(sublist, b"foo", b"foo.bar", b"*", b"*.>", b">")
    member = Entry(b"a.*.c", b"q")
    sublist.insert(member)
    assert sorted(map(id, sublist)) == sorted(map(id, [*entries, member]))
