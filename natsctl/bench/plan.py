"""What a benchmark is to do, and who shares the work."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from natsctl.bench.stamp import SEQUENCE_BITS, STAMP_BYTES
from natsctl.errors import UsageError
from natsctl.protocol.subject import has_wildcard, is_valid

__all__ = ["DEFAULT_REPLY_QUEUE", "MAX_SIZE", "Login", "Plan", "Target", "Tls", "shares"]

DEFAULT_REPLY_QUEUE = "NATSCTL-BENCH"
"""Queue group of the responders, of which one answers each request."""
MAX_SIZE = 64 * 1024 * 1024
"""The largest max_payload that a nats-server can be given."""
_MAX_PUBLISHERS = 1 << (64 - SEQUENCE_BITS)
_MAX_SUBJECTS = 1_000_000
_MAX_RENDERED_BYTES = 256 * 1024 * 1024
"""A publisher holds a message for each subject in memory."""
_MAX_IN_FLIGHT = 1_000_000
_LAST_WAIT_US = 1000
"""Lets the last message of a schedule out, which is due just before the end."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who the connections are; what is empty is not said."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    jwt: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)
    """An nkey user seed; it signs the server's nonce."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How TLS is asked for; files are paths, empty where none is used."""

    is_required: bool = False
    is_first: bool = False
    """TLS before the server's INFO."""
    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the connections go; each begins at another of the servers."""

    servers: tuple[str, ...]
    login: Login = Login()
    tls: Tls = Tls()
    name: str = "natsctl bench"
    timeout_s: float = 5.0
    """Longest wait for one connection to be made, and for a reply."""
    max_outage_s: float = 30.0
    """How long a lost connection is sought before the run is given up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Units: ``rate`` in messages per second over all publishers; 0 is as fast as it goes. ``n_msgs`` 0 is no limit.
    """

    subject: str
    n_publishers: int = 1
    n_subscribers: int = 0
    n_msgs: int = 100_000
    """Messages over all publishers; each subscriber, or queue group, gets them all."""
    size: int = 128
    """Bytes of each payload."""
    duration_s: float = 0.0
    rate: float = 0.0
    queue: str = ""
    is_request: bool = False
    """Publishers ask and wait for the answers of the subscribers, or of somebody else."""
    in_flight: int = 1
    """Requests a publisher may have open."""
    inbox_prefix: str = "_INBOX"
    headers: bytes = b""
    """The block of headers, from ``NATS/1.0`` to the empty line."""
    n_subjects: int = 1
    """More than one: the subjects are numbered, ``subject.0``, ``subject.1``, …"""
    payload: bytes = field(default=b"", repr=False)
    """Content of every message; empty for zero bytes."""
    is_random: bool = False
    is_stamped: bool = False
    """Each payload begins with its number and time of sending."""
    run_id: int = 0
    """Tells the messages of this run from those of others."""

    @property
    def n_planned(self) -> int:
        """Messages over all publishers, where that is known beforehand; 0 where time alone ends the run."""
        due = round(self.rate * self.duration_s)
        return min(self.n_msgs, due) if self.n_msgs and due else self.n_msgs or due

    @property
    def end_us(self) -> float:
        """When publishers stop, whatever is left to send."""
        if not self.duration_s:
            return math.inf
        return self.duration_s * 1e6 + (_LAST_WAIT_US if self.rate else 0)

    @property
    def listens(self) -> str:
        """What the subscribers subscribe to."""
        return f"{self.subject}.*" if self.n_subjects > 1 else self.subject

    @property
    def message_size(self) -> int:
        """Headers and payload; what the server's max_payload limits."""
        return len(self.headers) + self.size

    @property
    def measures_latency(self) -> bool:
        """Whether it is known when each message was sent."""
        return self.is_stamped or self.is_request

    @property
    def n_groups(self) -> int:
        """How many times each message is delivered."""
        return 1 if self.queue and self.n_subscribers else self.n_subscribers

    def check(self) -> None:
        """Find what cannot be meant.

        Raises:
            UsageError: Which value, and what its limit is.
        """
        self._check_subject()
        self._check_numbers()
        self._check_uses()
        if self.n_publishers and 0 < self.n_msgs < self.n_publishers:
            raise UsageError(f"{self.n_publishers} publishers are more than {self.n_msgs} messages")
        if self.is_stamped and self.size < STAMP_BYTES:
            raise UsageError(f"a payload of {self.size} bytes cannot be stamped, which takes {STAMP_BYTES}")

    def _check_numbers(self) -> None:
        if self.n_msgs < 0 or (not self.n_msgs and not self.duration_s):
            raise UsageError("number of messages should be greater than zero")
        if self.n_publishers < 0 or self.n_subscribers < 0:
            raise UsageError("number of publishers and subscribers cannot be negative")
        if self.n_publishers + self.n_subscribers == 0:
            raise UsageError("no publisher or subscribers, nothing to report")
        for value, limit, what in (
            (self.n_publishers, _MAX_PUBLISHERS, "publishers"),
            (self.n_subjects, _MAX_SUBJECTS, "subjects"),
            (self.in_flight, _MAX_IN_FLIGHT, "requests in flight"),
            (self.message_size, MAX_SIZE, "bytes in a message"),
            (self.n_subjects * self.message_size, _MAX_RENDERED_BYTES, "bytes in messages for all subjects"),
        ):
            if value > limit:
                raise UsageError(f"{value} {what} are more than {limit}")
        if self.size < 0:
            raise UsageError(f"message size {self.size} is negative")
        if not 0 <= self.rate < math.inf:
            raise UsageError(f"rate {self.rate:g} is not a number of messages per second")

    def _check_uses(self) -> None:
        for is_given, user, what in (
            (self.is_request, self.n_publishers, "requests need a publisher (-np) that asks"),
            (self.rate, self.n_publishers, f"rate {self.rate:g} needs a publisher (-np)"),
            (self.headers, self.n_publishers, "headers need a publisher (-np)"),
            (self.payload or self.is_random, self.n_publishers, "a payload needs a publisher (-np)"),
            (self.queue, self.n_subscribers, f'queue group "{self.queue}" needs a subscriber (-ns)'),
            (self.in_flight > 1, self.is_request, f"{self.in_flight} in flight means requests (-request)"),
        ):
            if is_given and not user:
                raise UsageError(what)

    def _check_subject(self) -> None:
        for what, text in (("subject", self.subject), ("queue group", self.queue or "none")):
            if any(char.isspace() for char in text) or not is_valid(text.encode()):
                raise UsageError(f'invalid {what} "{text}"')
        if self.n_publishers and has_wildcard(self.subject.encode()):
            raise UsageError(f'subject "{self.subject}" has a wildcard, and cannot be published to')


def shares(total: int, n: int) -> list[int]:
    """Split a total over n: equal parts, and one more for the first ones."""
    each, rest = divmod(total, n)
    return [each + (index < rest) for index in range(n)]
