"""``natsctl leafz``: read the leafnode connections."""

from __future__ import annotations

from typing import Annotated

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Subs, Watch
from natsctl.cli.page_tables import leafz_tables
from natsctl.monitoring.documents import Leafz
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("leafz", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def leafz(
    ports: Ports,
    account: Annotated[
        str | None, typer.Option("--account", help="Only leafnodes of this account.", metavar="NAME")
    ] = None,
    subs: Subs = False,
    as_json: AsJson = False,
    every_s: Watch = None,
) -> None:
    """Read /leafz: the leafnode connections, made or taken."""
    output = PageOutput(name="leafz", kind=Leafz, ports=ports, tables=leafz_tables, as_json=as_json, every_s=every_s)
    output.show({"acc": account, "subs": subs})
