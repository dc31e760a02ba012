"""``natsctl connz``: read who is connected, or was."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_ports
from natsctl.cli.page_output import AsJson, PageOutput, Subs, Watch
from natsctl.cli.page_tables import connz_tables
from natsctl.monitoring.documents import Connz
from natsctl.ops.pages import Ports
from natsctl.ops.sort_options import SORT_OPTIONS, check_sort

__all__ = ["app"]

app = typer.Typer(add_completion=False)


class State(StrEnum):
    """Which connections are listed."""

    OPEN = "open"
    CLOSED = "closed"
    ANY = "any"


@app.command("connz", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def connz(
    ports: Ports,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            help=f"Sort by {', '.join(SORT_OPTIONS)}; closed ones also by stop or reason (default cid).",
            metavar="KEY",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", help="At most so many (default 1024).", metavar="N", min=1)
    ] = None,
    offset: Annotated[int | None, typer.Option("--offset", help="Pass over so many.", metavar="N", min=0)] = None,
    state: Annotated[State, typer.Option("--state", help="Which connections.")] = State.OPEN,
    subs: Subs = False,
    auth: Annotated[bool, typer.Option("--auth", help="List users and accounts.")] = False,
    cid: Annotated[int | None, typer.Option("--cid", help="Only this connection.", metavar="CID", min=1)] = None,
    user: Annotated[str | None, typer.Option("--user", help="Only connections of this user.", metavar="NAME")] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Only connections of this account.", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
    every_s: Watch = None,
) -> None:
    """Read /connz: who is connected, or was and why that ended.

    Messages and bytes "to" went to the client, those "from" came from it.
    """
    params = {
        "sort": sort and check_sort(sort, closed=state is State.CLOSED),
        "limit": limit,
        "offset": offset,
        "state": None if state is State.OPEN else state.value,
        "subs": subs,
        "auth": auth or user is not None or account is not None,
        "cid": cid,
        "user": user,
        "acc": account,
    }
    output = PageOutput(name="connz", kind=Connz, ports=ports, tables=connz_tables, as_json=as_json, every_s=every_s)
    output.show(params)
