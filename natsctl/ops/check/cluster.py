"""Whether a cluster is whole."""

from __future__ import annotations

from natsctl.errors import LinkError
from natsctl.ops.check.result import Figure, Limits, Result, Status, Unit
from natsctl.ops.cluster.status import ClusterStatus
from natsctl.ops.cluster.survey import Survey
from natsctl.ops.pages import Ports
from natsctl.units import format_duration

__all__ = ["check_cluster"]


async def check_cluster(ports: Ports, n_expected: int, clock: Limits) -> Result:
    """Count the servers of a cluster, and look whether each has a route to every other.

    Args:
        ports: Servers to begin with.
        n_expected: How many servers there should be.
        clock: How far clocks may be apart; seconds.

    Raises:
        UsageError: A server refuses what it is asked.
    """
    result = Result("cluster", ",".join(ports.urls))
    try:
        async with Survey(ports) as survey:
            _judge(await survey.read(), n_expected, clock, result)
    except LinkError as error:
        result.say(Status.CRITICAL, str(error))
    return result


def _judge(found: ClusterStatus, n_expected: int, clock: Limits, result: Result) -> None:
    _count(found.n_servers, n_expected, result)
    for text in (*found.silent, *map(str, found.lost), *map(str, found.missing)):
        result.say(Status.CRITICAL, text)
    for text in found.differences:
        result.say(Status.WARNING, text)
    for member in found.unseen:
        result.say(Status.WARNING, f"the monitoring of {member.label} was not found, name it with -s: {member.error}")
    if not found.missing and not found.unseen:
        result.say(Status.OK, "each has a route to every other")
    result.figures.append(Figure("missing_routes", len(found.missing), limits=Limits(critical=0)))
    spread_s = found.clock_spread_s
    text = f"clocks at least {format_duration(float(f'{spread_s:.3g}'))} apart" if spread_s else "clocks agree"
    result.measure(Figure("clock_spread", spread_s, Unit.SECONDS, limits=clock), text)


def _count(n_servers: int, n_expected: int, result: Result) -> None:
    text = (
        f"{n_servers} of {n_expected} servers"
        if n_servers <= n_expected
        else (f"{n_servers} servers where {n_expected} are expected")
    )
    bad = Status.CRITICAL if n_servers < n_expected else Status.WARNING
    result.say(Status.OK if n_servers == n_expected else bad, text)
    result.figures.append(Figure("servers", n_servers, limits=Limits(critical=n_expected, is_floor=True)))
