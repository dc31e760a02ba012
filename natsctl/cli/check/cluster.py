"""``natsctl check cluster``: whether a cluster is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from natsctl.cli.check.report import AsJson, AsPrometheus, Outfile, report
from natsctl.cli.connect_options import duration
from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_cluster
from natsctl.ops.check.cluster import check_cluster
from natsctl.ops.check.result import Limits
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("cluster", cls=GoCommand, options_metavar="[FLAGS]")
@takes_cluster
def cluster(
    ports: Ports,
    expect: Annotated[int, typer.Option("--expect", help="How many servers there should be.", min=1, metavar="N")],
    clock_warn: Annotated[
        float | None,
        typer.Option("--clock-warn", help="Clocks farther apart (default 1s).", metavar="DURATION", parser=duration),
    ] = None,
    clock_critical: Annotated[
        float | None,
        typer.Option(
            "--clock-critical", "--clock-crit", help="The same, critical.", metavar="DURATION", parser=duration
        ),
    ] = None,
    as_json: AsJson = False,
    as_prometheus: AsPrometheus = False,
    outfile: Outfile = None,
) -> None:
    """Count the servers of a cluster, and look whether each has a route to every other.

    Found from one of them, as by 'natsctl cluster status'; with several -s the first that answers is asked, so that the
    check outlives a node. Too few servers and missing routes are critical, too many are a warning.

    Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as for every check.
    """
    clock = Limits(1.0 if clock_warn is None else clock_warn, clock_critical)
    report(check_cluster(ports, expect, clock), as_json=as_json, as_prometheus=as_prometheus, outfile=outfile)
