"""Whether clients were cut off lately because they did not take their messages, or soon will be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from natsctl.errors import LinkError
from natsctl.monitoring.documents import ConnInfo
from natsctl.monitoring.reader import Reader
from natsctl.monitoring.times import parse_time
from natsctl.ops.check.readers import opened_readers
from natsctl.ops.check.result import Figure, Limits, Result, Status, Unit
from natsctl.ops.pages import Ports
from natsctl.units import format_duration

__all__ = ["SlowLimits", "check_slow_consumers"]

_PAGE = 1024
_MAX_CLOSED = 10_000
"""What a server remembers unless told otherwise."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class SlowLimits:
    """What is too slow.

    Attributes:
        within_s: How long ago a cut still counts.
        cut: How many clients may have been cut in that time.
        pending: How full, in percent of ``max_pending``, a client may be.
    """

    within_s: float
    cut: Limits = field(default_factory=Limits)
    pending: Limits = field(default_factory=Limits)


async def check_slow_consumers(ports: Ports, limits: SlowLimits) -> Result:
    """Count the slow consumers that servers cut off lately, and look for the next ones.

    Raises:
        UsageError: A server refuses what it is asked.
    """
    result = Result("slow-consumers", ",".join(ports.urls))
    async with opened_readers(ports, result) as readers:
        await asyncio.gather(*(_check(reader, limits, result, is_one=len(readers) == 1) for reader in readers))
    return result


async def _check(reader: Reader, limits: SlowLimits, result: Result, *, is_one: bool) -> None:
    try:
        varz = await reader.varz()
        cut = await _cut_lately(reader, limits.within_s)
        fullest = (await reader.connz(sort="pending", limit=1)).connections
    except LinkError as error:
        result.say(Status.CRITICAL, str(error))
        return
    item = "" if is_one else varz.server_name or varz.server_id
    prefix = f"{item}: " if item else ""
    text = f"{prefix}{len(cut)} slow consumers cut within {format_duration(limits.within_s)}{_names(cut)}"
    result.measure(Figure("cut", len(cut), item=item, limits=limits.cut), text)
    percent = 100 * fullest[0].pending_bytes / varz.max_pending if fullest and varz.max_pending else 0.0
    whose = f" ({_label(fullest[0])})" if percent else ""
    text = f"{prefix}fullest client at {percent:.0f} % of max_pending{whose}"
    result.measure(Figure("pending", percent, Unit.PERCENT, item, limits.pending), text)
    result.figures.append(Figure("slow_consumers", varz.slow_consumers, Unit.COUNTER, item))


async def _cut_lately(reader: Reader, within_s: float) -> list[ConnInfo]:
    """Read the closed connections, the latest first, as far back as asked."""
    cut: list[ConnInfo] = []
    for offset in range(0, _MAX_CLOSED, _PAGE):
        page = await reader.connz(state="closed", sort="stop", limit=_PAGE, offset=offset)
        recent = [connection for connection in page.connections if _age_s(connection, page.now) <= within_s]
        cut += (connection for connection in recent if connection.reason.startswith("Slow Consumer"))
        if len(recent) < _PAGE:
            break
    return cut


def _age_s(connection: ConnInfo, now: str) -> float:
    """How long ago a connection ended; one whose time cannot be read has just done so."""
    try:
        return (parse_time(now) - parse_time(connection.stop)) / 1e9
    except ValueError:
        return 0.0


def _names(cut: Sequence[ConnInfo]) -> str:
    """Say which clients come most often."""
    if not cut:
        return ""
    counts = Counter(connection.name or f"{connection.ip}" for connection in cut).most_common()
    shown = [f"{name} {count}x" if count > 1 else name for name, count in counts[:_NAMED]]
    more = [f"{len(counts) - _NAMED} more"] if len(counts) > _NAMED else []
    return f" ({', '.join(shown + more)})"


def _label(connection: ConnInfo) -> str:
    return f"{connection.name} cid {connection.cid}" if connection.name else f"cid {connection.cid}"
