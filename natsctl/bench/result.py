"""The figures of a run: rates, accounting, latencies, and what they are worth."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from natsctl.bench.conductor import Course
from natsctl.bench.histogram import Latencies
from natsctl.bench.ledger import Arrivals, count_unique
from natsctl.bench.outcome import SLOT_US, Outage, Outcome, Role
from natsctl.bench.plan import Plan

__all__ = ["Accounting", "Group", "Result", "Second", "Steady", "evaluate"]

_BUSY = 0.9
"""A process that waited for less than a tenth of the time was the limit itself."""
_MIN_JUDGED_S = 0.2
_SLOTS_PER_S = 1_000_000 // SLOT_US
_RATE_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Group:
    """Publishers or subscribers together.

    Units: messages, bytes of payload and headers, seconds since the start.
    """

    members: tuple[Outcome, ...]

    @property
    def n_msgs(self) -> int:
        """Messages of all members."""
        return sum(member.n_msgs for member in self.members)

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members)

    @property
    def start_s(self) -> float:
        """When the first one began."""
        return min((member.start_us for member in self.members if member.start_us >= 0), default=0) / 1e6

    @property
    def end_s(self) -> float:
        """When the last one ended."""
        return max((member.end_us for member in self.members), default=0) / 1e6

    @property
    def msgs_per_s(self) -> float:
        """Messages of all, over the time from the first start to the last end."""
        return self.n_msgs / (self.end_s - self.start_s) if self.end_s > self.start_s else 0.0

    @property
    def bytes_per_s(self) -> float:
        """Bytes of all, over the same time."""
        return self.size / (self.end_s - self.start_s) if self.end_s > self.start_s else 0.0


@dataclass(frozen=True, slots=True)
class Second:
    """What happened in one second of the run; ``at_s`` is its beginning."""

    at_s: int
    published: int
    delivered: int


@dataclass(frozen=True, slots=True)
class Steady:
    """The time in which every client was at work; rates are means over it, spreads the deviation of its slots.

    Units: seconds since the start; messages per second; spreads as a share of the rate, None with too few slots.
    """

    start_s: float
    end_s: float
    published_per_s: float
    delivered_per_s: float
    published_spread: float | None
    delivered_spread: float | None


@dataclass(frozen=True, slots=True)
class Accounting:
    """Where the messages went; None is what cannot be known without stamps.

    Attributes:
        offered: Handed to the server, or asked.
        expected: Deliveries, had each subscriber, or each queue group, got everything.
        delivered: Deliveries, or answers.
        lost: Deliveries that did not come.
        duplicated: Deliveries that came again.
        reordered: Deliveries behind a later message of the same publisher.
        foreign: Messages on the subject that are not of this run.
        refused: Requests for which there were no responders.
        longest_gap_s: The longest time in which some subscriber got nothing, between its first and last message.
    """

    offered: int
    expected: int
    delivered: int
    lost: int
    duplicated: int | None
    reordered: int | None
    foreign: int
    refused: int
    longest_gap_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a report shows."""

    plan: Plan
    publishers: Group
    subscribers: Group
    accounting: Accounting
    latencies: Latencies | None
    """End to end, or of requests; None when nothing was measured."""
    seconds: tuple[Second, ...]
    steady: Steady | None
    outages: tuple[tuple[str, Outage], ...]
    """Client and time without a connection."""
    limits: tuple[str, ...]
    """Why a figure is less than the server's own."""
    is_partial: bool
    busy: dict[Role, float] = field(default_factory=dict)


def evaluate(plan: Plan, course: Course) -> Result:
    """Make figures of what the clients did."""
    publishers = Group(tuple(outcome for outcome in course.outcomes if outcome.role.offers))
    subscribers = Group(tuple(outcome for outcome in course.outcomes if not outcome.role.offers))
    # The answers to requests are counted by those who asked.
    delivered = publishers if plan.is_request else subscribers
    return Result(
        plan=plan,
        publishers=publishers,
        subscribers=subscribers,
        accounting=_account(plan, publishers, subscribers, is_partial=course.is_partial),
        latencies=_merge(delivered.members),
        seconds=_seconds(publishers, delivered),
        steady=_find_steady(publishers, delivered),
        outages=tuple(
            (f"{outcome.role} {outcome.index + 1}", outage) for outcome in course.outcomes for outage in outcome.outages
        ),
        limits=tuple(_find_limits(plan, course, publishers, subscribers)),
        is_partial=course.is_partial,
        busy=course.busy,
    )


def _account(plan: Plan, publishers: Group, subscribers: Group, *, is_partial: bool) -> Accounting:
    members = subscribers.members
    gap_s = max((member.longest_gap_us for member in (*members, *publishers.members)), default=0) / 1e6
    foreign = sum(member.n_foreign for member in members)
    if plan.is_request:
        asked = sum(member.n_offered for member in publishers.members)
        answered = publishers.n_msgs
        repeated = sum(member.n_repeated for member in publishers.members)
        refused = sum(member.n_refused for member in publishers.members)
        return Accounting(asked, asked, answered, asked - answered, repeated, None, 0, refused, gap_s)
    offered = publishers.n_msgs
    delivered = subscribers.n_msgs
    expected = offered * plan.n_groups
    if not plan.n_publishers:  # others publish, and only a full run can tell what they should have
        expected = delivered if is_partial else plan.n_msgs * plan.n_groups or delivered
    if not members or not plan.is_stamped:
        lost = max(0, expected - delivered)
        duplicated = 0 if delivered == expected else None
        return Accounting(offered, expected, delivered, lost, duplicated, None, foreign, 0, gap_s)
    groups = [members] if plan.queue else [(member,) for member in members]
    unique = sum(_count_unique(group) for group in groups)
    reordered = sum(member.n_reordered for member in members)
    # A message that was half sent when its connection broke may have come, though it was not counted as published.
    lost = max(0, expected - unique)
    return Accounting(offered, expected, delivered, lost, delivered - unique, reordered, foreign, 0, gap_s)


def _count_unique(group: Sequence[Outcome]) -> int:
    by_publisher: defaultdict[int, list[Arrivals]] = defaultdict(list)
    for member in group:
        for publisher, arrivals in member.arrivals.items():
            by_publisher[publisher].append(arrivals)
    return sum(map(count_unique, by_publisher.values()))


def _merge(members: Sequence[Outcome]) -> Latencies | None:
    merged = Latencies()
    for member in members:
        if member.latencies:
            merged.merge(member.latencies)
    return merged if merged.count else None


def _slots(group: Group) -> Counter[int]:
    slots: Counter[int] = Counter()
    for member in group.members:
        slots.update(member.slots)
    return slots


def _seconds(publishers: Group, delivered: Group) -> tuple[Second, ...]:
    columns = []
    for group in (publishers, delivered):
        column: Counter[int] = Counter()
        for slot, n in _slots(group).items():
            column[slot // _SLOTS_PER_S] += n
        columns.append(column)
    last = max((second for column in columns for second in column), default=-1)
    return tuple(Second(at, columns[0][at], columns[1][at]) for at in range(last + 1))


def _find_steady(publishers: Group, delivered: Group) -> Steady | None:
    """Find the whole slots between the last client's beginning and the first publisher's end."""
    everyone = (*publishers.members, *delivered.members)
    if not everyone or any(member.start_us < 0 for member in everyone):
        return None
    ends = [member.last_sent_us if member.role.offers else member.end_us for member in publishers.members or everyone]
    first, last = -(-max(member.start_us for member in everyone) // SLOT_US), min(ends) // SLOT_US
    if last <= first:
        return None
    means = []
    for group in (publishers, delivered):
        slots = _slots(group)
        counts = [slots[slot] for slot in range(first, last)]
        mean = statistics.fmean(counts)
        spread = statistics.stdev(counts) / mean if len(counts) > 1 and mean else None
        means.append((mean * _SLOTS_PER_S, spread))
    (published, published_spread), (taken, taken_spread) = means
    start_s, end_s = first / _SLOTS_PER_S, last / _SLOTS_PER_S
    return Steady(start_s, end_s, published, taken, published_spread, taken_spread)


def _find_limits(plan: Plan, course: Course, publishers: Group, subscribers: Group) -> list[str]:
    limits = []
    offered = sum(member.n_offered for member in publishers.members) if plan.is_request else publishers.n_msgs
    spent_s = publishers.end_s - publishers.start_s
    keeps_pace = bool(plan.rate) and offered >= spent_s * plan.rate * (1 - _RATE_TOLERANCE)
    if plan.rate and not keeps_pace and spent_s >= _MIN_JUDGED_S:
        limits.append(f"{offered / spent_s:,.0f} msgs/sec were offered, not the {plan.rate:,.0f} asked for")
    for role, share in course.busy.items():
        group = publishers if role.offers else subscribers
        is_judged = group.end_s - group.start_s >= _MIN_JUDGED_S and not (role.offers and keeps_pace)
        if share >= _BUSY and is_judged:
            limits.append(
                f"the {role}s were busy {share:.0%} of the time: they or this machine may be the limit, not the server"
                " (-processes starts more of them)"
            )
    return limits
