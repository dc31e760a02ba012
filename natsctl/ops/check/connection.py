"""Whether a client gets in, and how quickly its messages come back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from natsctl.errors import AuthError, LinkError
from natsctl.ops.check.result import Figure, Limits, Result, Status, Unit
from natsctl.ops.connection import Connection, connect
from natsctl.ops.receive import receiving
from natsctl.ops.settings import Settings
from natsctl.units import format_duration

__all__ = ["ConnectionLimits", "check_connection"]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How slow is too slow.

    Units: seconds.
    """

    connect: Limits = field(default_factory=Limits)
    rtt: Limits = field(default_factory=Limits)
    request: Limits = field(default_factory=Limits)


async def check_connection(settings: Settings, limits: ConnectionLimits) -> Result:
    """Connect, measure a PING and PONG, and a message to ourselves.

    Args:
        settings: Where to and who as; the timeout is for all of it.
        limits: How slow is too slow.
    """
    settings = settings.completed()
    result = Result("connection", ",".join(settings.servers or ()))
    assert settings.timeout_s is not None
    try:
        async with asyncio.timeout(settings.timeout_s):
            await _measure(settings, limits, result)
    except TimeoutError:
        result.say(Status.CRITICAL, f"no answer within {format_duration(settings.timeout_s)}")
    except (LinkError, AuthError) as error:
        result.say(Status.CRITICAL, str(error))
    return result


async def _measure(settings: Settings, limits: ConnectionLimits, result: Result) -> None:
    started_mono = time.monotonic()
    async with connect(settings) as connection:
        connected_s = time.monotonic() - started_mono
        _add(result, "connect_time", "connected in", connected_s, limits.connect)
        _add(result, "rtt", "round trip", await connection.rtt(), limits.rtt)
        _add(result, "request_time", "own message back in", await _echo(connection), limits.request)


def _add(result: Result, name: str, text: str, value_s: float, limits: Limits) -> None:
    shown = format_duration(float(f"{value_s:.3g}"))
    result.measure(Figure(name, value_s, Unit.SECONDS, limits=limits), f"{text} {shown}")


async def _echo(connection: Connection) -> float:
    """Send a message to an inbox of ours and take it; seconds."""
    inbox = connection.new_inbox()
    async with receiving(connection, [inbox], max_msgs=1) as receiver:
        started_mono = time.monotonic()
        await connection.publish(inbox)
        await receiver.take()
        return time.monotonic() - started_mono
