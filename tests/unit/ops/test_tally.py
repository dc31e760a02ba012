from __future__ import annotations

from natsctl.ops.message import Message
from natsctl.ops.tally import MAX_SUBJECTS, Count, Tally


def test_subjects_are_ranked_by_messages_then_by_name() -> None:
    tally = Tally()
    for subject in ("b", "a", "c", "c"):
        tally.add(Message(subject, b"12"))
    assert tally.top(2) == [("c", Count(2, 4)), ("a", Count(1, 2))]
    assert (tally.total, tally.other, len(tally)) == (Count(4, 8), Count(), 3)


def test_subjects_without_end_do_not_fill_the_memory() -> None:
    tally = Tally()
    for number in range(MAX_SUBJECTS + 5):
        tally.add(Message(f"inbox.{number}", b"x"))
    tally.add(Message("inbox.0", b"x"))
    assert len(tally) == MAX_SUBJECTS
    assert tally.other == Count(5, 5)
    assert tally.top(1) == [("inbox.0", Count(2, 2))]
