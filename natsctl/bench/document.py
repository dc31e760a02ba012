"""The result as a JSON document: versioned, complete enough to be compared with a later one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from natsctl.bench.histogram import PERCENTILES, Latencies
from natsctl.bench.outcome import Outcome
from natsctl.bench.result import Accounting, Group, Result, Second, Steady
from natsctl.errors import UsageError

__all__ = [
    "FORMAT",
    "VERSION",
    "Document",
    "Member",
    "OutageRecord",
    "Setting",
    "Spectrum",
    "Totals",
    "encode",
    "make_document",
    "read_document",
]

FORMAT = "natsctl.bench"
VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields may come without it."""


class Member(msgspec.Struct, kw_only=True):
    """A publisher or subscriber."""

    role: str
    index: int
    msgs: int
    bytes: int
    start_s: float
    duration_s: float
    msgs_per_s: float
    bytes_per_s: float


class Totals(msgspec.Struct, kw_only=True):
    """A group of them."""

    msgs: int
    bytes: int
    duration_s: float
    msgs_per_s: float
    bytes_per_s: float
    members: list[Member]


class Spectrum(msgspec.Struct, kw_only=True):
    """Latencies; ``hdr`` is the whole histogram, compressed as other HdrHistogram tools read it."""

    count: int
    min_us: int
    mean_us: float
    max_us: int
    stddev_us: float
    percentiles_us: dict[str, int]
    hdr: str


class OutageRecord(msgspec.Struct, kw_only=True):
    """A time in which a client had no connection; ``duration_s`` is null when it did not come back."""

    client: str
    start_s: float
    duration_s: float | None
    reason: str


class Setting(msgspec.Struct, kw_only=True):
    """What was asked for; credentials and payloads are not in it."""

    subject: str
    publishers: int
    subscribers: int
    msgs: int
    msg_size: int
    duration_s: float
    rate_per_s: float
    queue: str
    request: bool
    in_flight: int
    subjects: int
    stamped: bool


class Document(msgspec.Struct, kw_only=True):
    """All of a result. Units: as the names end; ``msgs`` counts messages."""

    format: str = FORMAT
    version: int = VERSION
    at: str
    partial: bool
    setting: Setting
    publishers: Totals
    subscribers: Totals
    accounting: Accounting
    latency: Spectrum | None
    steady: Steady | None
    seconds: list[Second]
    outages: list[OutageRecord]
    busy: dict[str, float]
    """Role to the share of its time that its busiest process did not wait."""
    limits: list[str]


def make_document(result: Result) -> Document:
    """Make the document of a result."""
    plan = result.plan
    setting = Setting(
        subject=plan.subject,
        publishers=plan.n_publishers,
        subscribers=plan.n_subscribers,
        msgs=plan.n_msgs,
        msg_size=plan.message_size,
        duration_s=plan.duration_s,
        rate_per_s=plan.rate,
        queue=plan.queue,
        request=plan.is_request,
        in_flight=plan.in_flight,
        subjects=plan.n_subjects,
        stamped=plan.is_stamped,
    )
    outages = []
    for client, outage in result.outages:
        duration_s = None if outage.end_us is None else (outage.end_us - outage.start_us) / 1e6
        record = OutageRecord(client=client, start_s=outage.start_us / 1e6, duration_s=duration_s, reason=outage.reason)
        outages.append(record)
    return Document(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        partial=result.is_partial,
        setting=setting,
        publishers=_totals(result.publishers),
        subscribers=_totals(result.subscribers),
        accounting=result.accounting,
        latency=_spectrum(result.latencies) if result.latencies else None,
        steady=result.steady,
        seconds=list(result.seconds),
        outages=outages,
        busy={str(role): share for role, share in result.busy.items()},
        limits=list(result.limits),
    )


def encode(document: Document) -> str:
    """Write a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def read_document(file: str) -> Document:
    """Read a document that an earlier run wrote.

    Raises:
        UsageError: The file holds something else, or a version that is not known here.
        OSError: It cannot be read.
    """
    data = Path(file).expanduser().read_bytes()
    try:
        document = msgspec.json.decode(data, type=Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"{file} is no result of natsctl bench --json: {str(error).lower()}") from None
    if document.format != FORMAT or document.version != VERSION:
        what = f"{document.format} version {document.version}"
        raise UsageError(f"{file} holds {what}, only {FORMAT} version {VERSION} can be compared")
    return document


def _totals(group: Group) -> Totals:
    return Totals(
        msgs=group.n_msgs,
        bytes=group.size,
        duration_s=max(0.0, group.end_s - group.start_s),
        msgs_per_s=group.msgs_per_s,
        bytes_per_s=group.bytes_per_s,
        members=[_member(member) for member in group.members],
    )


def _member(member: Outcome) -> Member:
    alone = Group((member,))
    return Member(
        role=member.role,
        index=member.index,
        msgs=member.n_msgs,
        bytes=member.size,
        start_s=alone.start_s,
        duration_s=max(0.0, alone.end_s - alone.start_s),
        msgs_per_s=alone.msgs_per_s,
        bytes_per_s=alone.bytes_per_s,
    )


def _spectrum(latencies: Latencies) -> Spectrum:
    return Spectrum(
        count=latencies.count,
        min_us=latencies.min_us,
        mean_us=latencies.mean_us,
        max_us=latencies.max_us,
        stddev_us=latencies.stddev_us,
        percentiles_us={f"{percentile:g}": latencies.percentile(percentile) for percentile in PERCENTILES},
        hdr=latencies.encode().decode(),
    )
