"""``natsctl check connection``: whether a client gets in, and how quickly its messages come back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from natsctl.cli.check.report import AsJson, AsPrometheus, Outfile, report
from natsctl.cli.connect_options import duration, takes_settings
from natsctl.ops.check.connection import ConnectionLimits, check_connection
from natsctl.ops.check.result import Limits
from natsctl.ops.settings import Settings
from natsctl.units import format_duration

__all__ = ["app"]

app = typer.Typer(add_completion=False)


_WARN_S, _CRITICAL_S = 0.5, 1.0


def _limit(name: str, text: str, level: str) -> Any:
    usual = format_duration(_WARN_S if level == "warning" else _CRITICAL_S)
    names = (f"--{name}-warn",) if level == "warning" else (f"--{name}-critical", f"--{name}-crit")
    return typer.Option(
        *names,
        help=f"{text}: limit for {level} (default {usual}).",
        metavar="DURATION",
        parser=duration,
        show_default=False,
    )


@app.command("connection")
@takes_settings
def connection(
    settings: Settings,
    connect_warn: Annotated[float | None, _limit("connect", "Connecting", "warning")] = None,
    connect_critical: Annotated[float | None, _limit("connect", "Connecting", "critical")] = None,
    rtt_warn: Annotated[float | None, _limit("rtt", "A round trip", "warning")] = None,
    rtt_critical: Annotated[float | None, _limit("rtt", "A round trip", "critical")] = None,
    req_warn: Annotated[float | None, _limit("req", "A message to itself", "warning")] = None,
    req_critical: Annotated[float | None, _limit("req", "A message to itself", "critical")] = None,
    as_json: AsJson = False,
    as_prometheus: AsPrometheus = False,
    outfile: Outfile = None,
) -> None:
    """Connect as a client does, measure a round trip, and send a message to itself.

    All of it may take as long as --timeout says. A server that is out of reach, or refuses the login, is critical.

    Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as for every check.
    """
    limits = ConnectionLimits(
        connect=_limits(connect_warn, connect_critical),
        rtt=_limits(rtt_warn, rtt_critical),
        request=_limits(req_warn, req_critical),
    )
    report(check_connection(settings, limits), as_json=as_json, as_prometheus=as_prometheus, outfile=outfile)


def _limits(warn_s: float | None, critical_s: float | None) -> Limits:
    return Limits(_WARN_S if warn_s is None else warn_s, _CRITICAL_S if critical_s is None else critical_s)
