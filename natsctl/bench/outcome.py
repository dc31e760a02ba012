"""What one client of a run did; workers send it to the process that reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from natsctl.bench.ledger import Arrivals

__all__ = ["SLOT_US", "Outage", "Outcome", "Role"]

SLOT_US = 100_000
"""Length of the slots in which messages are counted over time."""


class Role(StrEnum):
    """What a client does."""

    PUBLISHER = "publisher"
    SUBSCRIBER = "subscriber"
    REQUESTER = "requester"
    RESPONDER = "responder"

    @property
    def offers(self) -> bool:
        """Whether it is one of those that ``-np`` counts."""
        return self in (Role.PUBLISHER, Role.REQUESTER)


@dataclass(slots=True)
class Outage:
    """A time without a connection.

    Units: microseconds since the start of the run; ``end_us`` is None when it did not come back.
    """

    start_us: int
    reason: str
    end_us: int | None = None


@dataclass(slots=True)
class Outcome:
    """Counts and times of one client.

    Units: times in microseconds since the start of the run; -1 is never.
    """

    role: Role
    index: int
    size: int = 0
    """Bytes of payload and headers of all messages."""
    n_msgs: int = 0
    """Published, received, asked and answered, or served."""
    start_us: int = -1
    end_us: int = -1
    last_sent_us: int = -1
    """When a publisher had sent its last message, which it then flushed until ``end_us``."""
    slots: Counter[int] = field(default_factory=Counter)
    """Messages in each slot of `SLOT_US`."""
    n_offered: int = 0
    """Requests sent, also those without an answer."""
    n_reordered: int = 0
    n_foreign: int = 0
    """Messages that are not of this run."""
    n_refused: int = 0
    """Requests for which there were no responders."""
    n_repeated: int = 0
    """Replies behind the first one to a request."""
    longest_gap_us: int = 0
    outages: list[Outage] = field(default_factory=list)
    latencies: bytes = b""
    """An encoded histogram; empty when none was taken."""
    arrivals: dict[int, Arrivals] = field(default_factory=dict)
    """Publisher to which of its messages came; empty when messages carry no number."""

    def count(self, n: int, size: int, now_us: int) -> None:
        """Count messages that were sent or came now."""
        self.n_msgs += n
        self.size += size
        self.slots[now_us // SLOT_US] += n
        if self.start_us < 0:
            self.start_us = now_us
        self.end_us = now_us
