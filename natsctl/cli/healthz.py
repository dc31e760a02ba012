"""``natsctl healthz``: ask whether a server may be sent work."""

from __future__ import annotations

from typing import Annotated

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Watch
from natsctl.cli.page_tables import healthz_tables
from natsctl.errors import NatsctlError
from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import Healthz
from natsctl.ops.pages import Page, Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("healthz", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def healthz(
    ports: Ports,
    details: Annotated[bool, typer.Option("--details", help="List what is wrong one by one.")] = False,
    js_enabled_only: Annotated[
        bool, typer.Option("--js-enabled-only", help="Of JetStream, ask only whether it is enabled.")
    ] = False,
    js_server_only: Annotated[
        bool, typer.Option("--js-server-only", help="Leave out streams and consumers of JetStream.")
    ] = False,
    as_json: AsJson = False,
    every_s: Watch = None,
) -> None:
    """Read /healthz: may a server be sent work?

    Exits with code 1 when one says it may not, and 6 when none can be read.
    """
    output = PageOutput(
        name="healthz",
        kind=Healthz,
        ports=ports,
        tables=healthz_tables,
        as_json=as_json,
        every_s=every_s,
        verdict=_verdict,
    )
    output.show({"details": details, "js-enabled-only": js_enabled_only, "js-server-only": js_server_only})


def _verdict(pages: list[Page[Healthz]]) -> None:
    for page in pages:
        if page.error:
            raise page.error
        if page.document and page.document.status != "ok":
            raise NatsctlError(f"{page.server} is not healthy: {printable(page.document.status)}")
