"""Messages rendered before the run: the sender copies no payload and formats no control line."""

from __future__ import annotations

import os
from array import array

from natsctl.bench.plan import Plan
from natsctl.bench.stamp import make_key, write_stamps

__all__ = ["Ring", "make_payload", "number_width", "publish_line", "subjects_of"]

_BATCH_BYTES = 64 * 1024
"""Written at once: more brings no rate, and makes the messages of a batch wait for each other."""


def number_width(plan: Plan) -> int:
    """Digits of the last token where subjects are numbered, so that all control lines are equally long."""
    return len(str(plan.n_subjects - 1))


def publish_line(subject: bytes, plan: Plan, reply: bytes = b"") -> bytes:
    r"""Write the control line and the headers of a message of the plan's size.

    Wire: ``PUB <subject> [reply] <#bytes>\r\n`` or ``HPUB <subject> [reply] <#header> <#total>\r\n<headers>``.
    """
    to = subject + b" " + reply + b" " if reply else subject + b" "
    if plan.headers:
        return b"HPUB %s%d %d\r\n%s" % (to, len(plan.headers), plan.message_size, plan.headers)
    return b"PUB %s%d\r\n" % (to, plan.size)


class Ring:
    """The frames of one publisher, sent round and round.

    Frame ``i`` of the ring serves the messages numbered ``i``, ``i + length``, …; only their stamps change.

    Attributes:
        stride: Bytes of a frame.
        batch: Frames to write at once.
    """

    def __init__(self, plan: Plan, publisher: int) -> None:
        subjects = subjects_of(plan, publisher)
        lines = [publish_line(subject, plan) for subject in subjects]
        self.stride = len(lines[0]) + plan.size + 2
        self.batch = max(1, _BATCH_BYTES // self.stride)
        laps = -(-self.batch // len(lines))
        self._length = laps * len(lines)
        self._data = bytearray().join(line + make_payload(plan) + b"\r\n" for _ in range(laps) for line in lines)
        self._stamp_at = len(lines[0]) if plan.is_stamped else None
        self._publisher = publisher

    def take(self, number: int, n: int, marks: array[int]) -> memoryview:
        """Give the frames of up to n messages, from the one with this number on; fewer at the end of the ring.

        Args:
            number: Of the first message.
            n: How many are wanted.
            marks: When each is to be sent; taken only where frames are stamped.
        """
        at = number % self._length
        n = min(n, self._length - at)
        if self._stamp_at is not None:
            first = make_key(self._publisher, number)
            start = at * self.stride + self._stamp_at
            write_stamps(self._data, start, self.stride, range(first, first + n), marks[:n])
        return memoryview(self._data)[at * self.stride : (at + n) * self.stride]


def subjects_of(plan: Plan, publisher: int) -> list[bytes]:
    """The subjects in turn; each publisher begins at another."""
    if plan.n_subjects == 1:
        return [plan.subject.encode()]
    width, first = number_width(plan), publisher * plan.n_subjects // max(1, plan.n_publishers)
    numbers = ((first + index) % plan.n_subjects for index in range(plan.n_subjects))
    return [f"{plan.subject}.{number:0{width}}".encode() for number in numbers]


def make_payload(plan: Plan) -> bytes:
    """Make the content of one message."""
    if plan.is_random:
        return os.urandom(plan.size)
    return plan.payload or bytes(plan.size)
