"""``natsctl varz``: read who a server is, what it did, and what it allows."""

from __future__ import annotations

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Watch
from natsctl.cli.page_tables import varz_tables
from natsctl.monitoring.documents import Varz
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("varz", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def varz(ports: Ports, as_json: AsJson = False, every_s: Watch = None) -> None:
    """Read /varz: who a server is, what it did, and what it allows."""
    PageOutput(name="varz", kind=Varz, ports=ports, tables=varz_tables, as_json=as_json, every_s=every_s).show()
