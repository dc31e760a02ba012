"""``natsctl accountz``: read which accounts a server has."""

from __future__ import annotations

from typing import Annotated

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Watch
from natsctl.cli.page_tables import accountz_tables
from natsctl.monitoring.documents import Accountz
from natsctl.ops.pages import Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("accountz", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def accountz(
    ports: Ports,
    account: Annotated[str | None, typer.Option("--account", help="This account, in detail.", metavar="NAME")] = None,
    as_json: AsJson = False,
    every_s: Watch = None,
) -> None:
    """Read /accountz: which accounts a server has, or one of them in detail."""
    output = PageOutput(
        name="accountz", kind=Accountz, ports=ports, tables=accountz_tables, as_json=as_json, every_s=every_s
    )
    output.show({"acc": account})
