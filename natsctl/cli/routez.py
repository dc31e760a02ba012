"""``natsctl routez``: read the routes to the other servers of the cluster."""

from __future__ import annotations

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Subs, Watch
from natsctl.cli.page_tables import routez_tables
from natsctl.monitoring.documents import Routez
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("routez", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def routez(ports: Ports, subs: Subs = False, as_json: AsJson = False, every_s: Watch = None) -> None:
    """Read /routez: the connections to the other servers of the cluster.

    Servers of 2.10 and later keep several to each other; below the table is how many servers they lead to.
    """
    output = PageOutput(name="routez", kind=Routez, ports=ports, tables=routez_tables, as_json=as_json, every_s=every_s)
    output.show({"subs": subs})
