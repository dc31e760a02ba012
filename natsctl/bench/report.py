"""The report as nats-bench has always printed it, its CSV, and below it what nats-bench did not measure.

Source: nats.go ``bench/bench.go`` (``Benchmark.Report``, ``Benchmark.CSV``).
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterator

from natsctl.bench.histogram import Latencies
from natsctl.bench.result import Group, Result
from natsctl.bench.stamp import STAMP_BYTES
from natsctl.units import format_duration

__all__ = ["classic_csv", "classic_report", "details"]

_PERCENTILES = (50.0, 90.0, 99.0, 99.9)
_COLUMNS = ("#RunID", "ClientID", "MsgCount", "MsgBytes", "MsgsPerSec", "BytesPerSec", "DurationSecs")


def classic_report(result: Result) -> str:
    """Write the rates of all, of publishers and subscribers, and of each of them."""
    publishers, subscribers = result.publishers, result.subscribers
    titles = ("Request", "Reply") if result.plan.is_request else ("Pub", "Sub")
    lines, indent = [], ""
    if publishers.members and subscribers.members:
        lines.append(f"NATS {'/'.join(titles)} stats: {_rate(Group(publishers.members + subscribers.members))}")
        indent = " "
    for title, group in zip(titles, (publishers, subscribers), strict=True):
        if group.members:
            lines.append(f"{indent}{title} stats: {_rate(group)}")
            lines += (f"{indent} {line}" for line in _members(group))
    return "\n".join(lines)


def classic_csv(result: Result) -> str:
    """Write one row for each client, subscribers first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    run_id = f"{result.plan.run_id:06x}"
    for prefix, group in (("S", result.subscribers), ("P", result.publishers)):
        for member in group.members:
            alone = Group((member,))
            seconds = max(0.0, alone.end_s - alone.start_s)
            rates = (f"{int(alone.msgs_per_s)}", f"{alone.bytes_per_s:.6f}", f"{seconds:.6f}")
            writer.writerow((run_id, f"{prefix}{member.index}", member.n_msgs, member.size, *rates))
    return text.getvalue()


def details(result: Result) -> list[str]:
    """Write latency, accounting, the steady state, outages, and what limited the figures: a line each."""
    lines = []
    if result.latencies:
        lines.append(f"{'Request' if result.plan.is_request else 'End-to-end'} latency: {_latency(result.latencies)}")
    elif result.publishers.members and result.subscribers.members and not result.plan.measures_latency:
        lines.append(f"Latency was not measured: it takes {STAMP_BYTES} bytes of each payload for a stamp")
    lines.append(_accounting(result))
    if result.steady:
        lines.append(_steady(result))
    for client, outage in result.outages:
        back = "did not come back"
        if outage.end_us is not None:
            back = f"was back after {_duration(outage.end_us - outage.start_us)}"
        lines.append(f"Outage: {client} lost its connection at {_duration(outage.start_us)} ({outage.reason}), {back}")
    lines += (f"Limit: {limit}" for limit in result.limits)
    return lines


def _members(group: Group) -> Iterator[str]:
    if len(group.members) == 1:
        return
    rates = []
    for number, member in enumerate(group.members, 1):
        alone = Group((member,))
        rates.append(int(alone.msgs_per_s))
        yield f"[{number}] {_rate(alone)} ({member.n_msgs} msgs)"
    spread = f"{int(statistics.pstdev(rates)):,}"
    yield f"min {min(rates):,} | avg {sum(rates) // len(rates):,} | max {max(rates):,} | stddev {spread} msgs"


def _rate(group: Group) -> str:
    return f"{int(group.msgs_per_s):,} msgs/sec ~ {_size(group.bytes_per_s)}/sec"


def _size(n_bytes: float) -> str:
    """Write a size as nats-bench does: powers of 1024 under the names of those of 1000."""
    for unit in ("B", "KB", "MB"):
        if n_bytes < 1024:
            return f"{n_bytes:.2f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} GB"


def _latency(latencies: Latencies) -> str:
    percentiles = [f"P{percentile:g} {_duration(latencies.percentile(percentile))}" for percentile in _PERCENTILES]
    first = [f"min {_duration(latencies.min_us)}", f"avg {_duration(latencies.mean_us)}"]
    last = [f"max {_duration(latencies.max_us)}", f"stddev {_duration(latencies.stddev_us)}"]
    return " | ".join(first + percentiles + last)


def _accounting(result: Result) -> str:
    books = result.accounting
    if result.plan.is_request:
        parts = [f"asked {books.offered:,}", f"answered {books.delivered:,}", f"unanswered {books.lost:,}"]
    elif result.subscribers.members:
        parts = [f"published {books.offered:,}"] if result.publishers.members else []
        parts += [f"delivered {books.delivered:,} of {books.expected:,}", f"lost {books.lost:,}"]
    else:
        return f"Messages: published {books.offered:,}"
    for name, n in (("duplicated", books.duplicated), ("reordered", books.reordered)):
        if n is not None:
            parts.append(f"{name} {n:,}")
    for name, n in (("foreign", books.foreign), ("without responders", books.refused)):
        if n:
            parts.append(f"{name} {n:,}")
    return f"Messages: {' | '.join([*parts, f'longest gap {_duration(books.longest_gap_s * 1e6)}'])}"


def _steady(result: Result) -> str:
    steady = result.steady
    assert steady is not None
    rates = []
    if result.publishers.members and not result.plan.is_request:
        rates.append(f"{int(steady.published_per_s):,} msgs/sec offered")
    if result.subscribers.members or result.plan.is_request:
        verb = "answered" if result.plan.is_request else "delivered"
        rates.append(f"{int(steady.delivered_per_s):,} msgs/sec {verb}")
    last_s = max(result.publishers.end_s, result.subscribers.end_s)
    around = f"ramp {_duration(steady.start_s * 1e6)}, drain {_duration((last_s - steady.end_s) * 1e6)}"
    return f"Steady state, {_duration((steady.end_s - steady.start_s) * 1e6)}: {', '.join(rates)} ({around})"


def _duration(microseconds: float) -> str:
    """Write a duration with three digits, as nobody reads more of them."""
    rounded = float(f"{max(0.0, microseconds):.3g}")
    return format_duration(rounded / 1e6)
