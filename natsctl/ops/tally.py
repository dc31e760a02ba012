"""Counting messages by subject, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

from natsctl.ops.message import Message

__all__ = ["MAX_SUBJECTS", "Count", "Tally"]

MAX_SUBJECTS = 10_000
"""Subjects counted one by one; inboxes alone would otherwise fill the memory in time."""


@dataclass(slots=True)
class Count:
    """Messages and bytes of bodies."""

    messages: int = 0
    bytes: int = 0

    def add(self, message: Message) -> None:
        """Count one message."""
        self.messages += 1
        self.bytes += len(message.body)


class Tally:
    """Counts per subject, and in total.

    Attributes:
        total: All messages.
        other: Messages on subjects beyond the first `MAX_SUBJECTS`.
    """

    def __init__(self) -> None:
        self.total = Count()
        self.other = Count()
        self._by_subject: dict[str, Count] = {}

    def add(self, message: Message) -> None:
        """Count one message."""
        self.total.add(message)
        count = self._by_subject.get(message.subject)
        if count is None and len(self._by_subject) < MAX_SUBJECTS:
            count = self._by_subject[message.subject] = Count()
        (count or self.other).add(message)

    def top(self, n_subjects: int) -> list[tuple[str, Count]]:
        """List the busiest subjects, the busiest first."""
        ranked = sorted(self._by_subject.items(), key=lambda item: (-item[1].messages, item[0]))
        return ranked[:n_subjects]

    def __len__(self) -> int:
        return len(self._by_subject)
