"""``natsctl subsz``: read what is subscribed to, and who would receive a message."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Watch
from natsctl.cli.page_tables import subsz_tables
from natsctl.errors import NoResponders
from natsctl.monitoring.documents import Subsz
from natsctl.ops.pages import Page, Ports

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("subsz", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def subsz(
    ports: Ports,
    test: Annotated[
        str | None,
        typer.Option("--test", help="List who would receive a message on this subject.", metavar="SUBJECT"),
    ] = None,
    subs: Annotated[bool, typer.Option("-u", "--subs", help="List the subscriptions.")] = False,
    account: Annotated[
        str | None, typer.Option("--account", help="Only subscriptions in this account.", metavar="NAME")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", help="At most so many (default 1024).", metavar="N", min=1)
    ] = None,
    offset: Annotated[int | None, typer.Option("--offset", help="Pass over so many.", metavar="N", min=0)] = None,
    as_json: AsJson = False,
    every_s: Watch = None,
) -> None:
    """Read /subsz: how many subscriptions there are, which, and who would receive a message.

    A server lists its own clients, so ask all of a cluster with --cluster. With --test, exits with code 7 when
    nobody would receive the message; of a queue group one member does.
    """
    is_listed = subs or test is not None

    def verdict(pages: list[Page[Subsz]]) -> None:
        if test is not None and not any(page.document and page.document.subscriptions_list for page in pages):
            raise NoResponders(test)

    output = PageOutput(
        name="subsz",
        kind=Subsz,
        ports=ports,
        tables=partial(subsz_tables, is_listed=is_listed),
        as_json=as_json,
        every_s=every_s,
        verdict=verdict,
    )
    output.show({"subs": is_listed, "test": test, "acc": account, "limit": limit, "offset": offset})
