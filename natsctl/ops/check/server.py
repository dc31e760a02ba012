"""Whether servers are well, by what their monitoring tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from natsctl.errors import LinkError
from natsctl.monitoring.documents import Varz
from natsctl.monitoring.reader import Reader
from natsctl.monitoring.times import format_uptime, parse_time
from natsctl.ops.check.readers import opened_readers
from natsctl.ops.check.result import Figure, Limits, Result, Status, Unit
from natsctl.ops.pages import Ports
from natsctl.units import format_bytes

__all__ = ["ServerLimits", "check_servers"]


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a server may need, and what it has to demand.

    Units: percent of one core, bytes, seconds.
    """

    cpu: Limits = field(default_factory=Limits)
    memory: Limits = field(default_factory=Limits)
    connections: Limits = field(default_factory=Limits)
    subscriptions: Limits = field(default_factory=Limits)
    uptime: Limits = field(default_factory=Limits)
    needs_auth: bool = False
    needs_tls: bool = False


async def check_servers(ports: Ports, limits: ServerLimits) -> Result:
    """Ask servers whether they are healthy, and judge what they use.

    Raises:
        UsageError: A server refuses what it is asked.
    """
    result = Result("server", ",".join(ports.urls))
    async with opened_readers(ports, result) as readers:
        await asyncio.gather(*(_check(reader, limits, result, is_one=len(readers) == 1) for reader in readers))
    return result


async def _check(reader: Reader, limits: ServerLimits, result: Result, *, is_one: bool) -> None:
    try:
        varz, healthz = await reader.varz(), await reader.healthz()
    except LinkError as error:
        result.say(Status.CRITICAL, str(error))
        return
    name = varz.server_name or varz.server_id
    if healthz.status == "ok":
        result.say(Status.OK, f"{name} {varz.version} is healthy")
    else:
        result.say(Status.CRITICAL, f"{name} is not healthy: {healthz.error or healthz.status}")
    if limits.needs_auth and not varz.auth_required:
        result.say(Status.CRITICAL, f"{name} demands no login")
    if limits.needs_tls and not varz.tls_required:
        result.say(Status.CRITICAL, f"{name} demands no TLS")
    _measure(varz, limits, result, name="" if is_one else name)


def _measure(varz: Varz, limits: ServerLimits, result: Result, *, name: str) -> None:
    """Add the figures of a server; each finding names it where there are several."""
    uptime_s = _uptime_s(varz)
    figures: list[tuple[str, float, Unit, Limits, Callable[[float], str]]] = [
        ("cpu", varz.cpu, Unit.PERCENT, limits.cpu, lambda value: f"CPU {value:.1f} %"),
        ("memory", varz.mem, Unit.BYTES, limits.memory, lambda value: f"memory {format_bytes(value)}"),
        ("connections", varz.connections, Unit.NONE, limits.connections, lambda value: f"{value:,} connections"),
        (
            "subscriptions",
            varz.subscriptions,
            Unit.NONE,
            limits.subscriptions,
            lambda value: f"{value:,} subscriptions",
        ),
        ("uptime", uptime_s, Unit.SECONDS, limits.uptime, lambda value: f"up for {format_uptime(value)}"),
    ]
    for figure, value, unit, limit, words in figures:
        text = f"{name}: {words(value)}" if name else words(value)
        result.measure(Figure(figure, value, unit, name, limit), text)


def _uptime_s(varz: Varz) -> float:
    try:
        return (parse_time(varz.now) - parse_time(varz.start)) / 1e9
    except ValueError:
        return 0.0
