"""``natsctl check server``: whether servers are healthy, and what they use."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from natsctl.cli.certs.make import lifetime
from natsctl.cli.check.report import AsJson, AsPrometheus, Outfile, report
from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.ops.check.result import Limits
from natsctl.ops.check.server import ServerLimits, check_servers
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_SIZE = re.compile(r"(\d+)([kmgt]?)(?:i?b)?", re.IGNORECASE)


def _size(text: str) -> float:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f'"{text}" is not a number of bytes such as 512M or 2GiB')
    return int(match[1]) * 1024.0 ** " kmgt".index(match[2].lower() or " ")


def _seconds(text: str) -> float:
    return lifetime(text).total_seconds()


def _limit(name: str, text: str, level: str, **more: Any) -> Any:
    names = (f"--{name}-warn",) if level == "warning" else (f"--{name}-critical", f"--{name}-crit")
    return typer.Option(*names, help=f"{text}: limit for {level}.", **more)


@app.command("server", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def server(
    ports: Ports,
    cpu_warn: Annotated[float | None, _limit("cpu", "CPU in percent of a core", "warning", metavar="PERCENT")] = None,
    cpu_critical: Annotated[
        float | None, _limit("cpu", "CPU in percent of a core", "critical", metavar="PERCENT")
    ] = None,
    mem_warn: Annotated[float | None, _limit("mem", "Memory", "warning", metavar="BYTES", parser=_size)] = None,
    mem_critical: Annotated[float | None, _limit("mem", "Memory", "critical", metavar="BYTES", parser=_size)] = None,
    conn_warn: Annotated[int | None, _limit("conn", "Number of connections", "warning", metavar="N")] = None,
    conn_critical: Annotated[int | None, _limit("conn", "Number of connections", "critical", metavar="N")] = None,
    subs_warn: Annotated[int | None, _limit("subs", "Number of subscriptions", "warning", metavar="N")] = None,
    subs_critical: Annotated[int | None, _limit("subs", "Number of subscriptions", "critical", metavar="N")] = None,
    uptime_warn: Annotated[
        float | None, _limit("uptime", "Uptime", "warning", metavar="DURATION", parser=_seconds)
    ] = None,
    uptime_critical: Annotated[
        float | None, _limit("uptime", "Uptime", "critical", metavar="DURATION", parser=_seconds)
    ] = None,
    auth_required: Annotated[bool, typer.Option("--auth-required", help="It has to demand a login.")] = False,
    tls_required: Annotated[bool, typer.Option("--tls-required", help="It has to demand TLS.")] = False,
    as_json: AsJson = False,
    as_prometheus: AsPrometheus = False,
    outfile: Outfile = None,
) -> None:
    """Ask servers whether they are healthy, and judge what they use, by their monitoring.

    A figure above its limit is bad, an uptime below it. Where the critical limit is lower than the other, low figures
    are bad.

    Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as for every check.
    """
    limits = ServerLimits(
        cpu=Limits.between(cpu_warn, cpu_critical),
        memory=Limits.between(mem_warn, mem_critical),
        connections=Limits.between(conn_warn, conn_critical),
        subscriptions=Limits.between(subs_warn, subs_critical),
        uptime=Limits.between(uptime_warn, uptime_critical, is_floor=True),
        needs_auth=auth_required,
        needs_tls=tls_required,
    )
    report(check_servers(ports, limits), as_json=as_json, as_prometheus=as_prometheus, outfile=outfile)
