"""``natsctl check slow-consumers``: whether clients fall behind."""

from __future__ import annotations

from typing import Annotated

import typer

from natsctl.cli.check.report import AsJson, AsPrometheus, Outfile, report
from natsctl.cli.connect_options import duration
from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.ops.check.result import Limits
from natsctl.ops.check.slow_consumers import SlowLimits, check_slow_consumers
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("slow-consumers", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def slow_consumers(
    ports: Ports,
    within_s: Annotated[
        float | None,
        typer.Option(
            "--within", help="How long ago a cut still counts (default 10m).", metavar="DURATION", parser=duration
        ),
    ] = None,
    warn: Annotated[int, typer.Option("--warn", help="More cuts than this are warning.", min=0, metavar="N")] = 0,
    critical: Annotated[
        int, typer.Option("--critical", "--crit", help="More cuts are critical.", min=0, metavar="N")
    ] = 10,
    pending_warn: Annotated[
        float,
        typer.Option(
            "--pending-warn", help="How much of max_pending a client has waiting, warning.", min=0, metavar="PERCENT"
        ),
    ] = 50.0,
    pending_critical: Annotated[
        float,
        typer.Option("--pending-critical", "--pending-crit", help="The same, critical.", min=0, metavar="PERCENT"),
    ] = 90.0,
    as_json: AsJson = False,
    as_prometheus: AsPrometheus = False,
    outfile: Outfile = None,
) -> None:
    """Count the slow consumers that servers cut off lately, and look for the next one.

    The servers' counter of slow consumers never goes back, so an alarm on it would never end. This looks at the closed
    connections and their reasons, and at how many bytes wait for those that are open.

    Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as for every check.
    """
    limits = SlowLimits(
        within_s=600.0 if within_s is None else within_s,
        cut=Limits(warn, critical),
        pending=Limits(pending_warn, pending_critical),
    )
    report(check_slow_consumers(ports, limits), as_json=as_json, as_prometheus=as_prometheus, outfile=outfile)
