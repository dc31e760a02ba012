"""``natsctl check cert``: whether certificates live long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from natsctl.cli.certs.make import lifetime
from natsctl.cli.check.report import AsJson, AsPrometheus, Outfile, report
from natsctl.errors import UsageError
from natsctl.ops.check.cert import ServerQuestion, check_files, check_server_cert, conclude
from natsctl.ops.check.result import Limits, Result
from natsctl.ops.settings import split_servers

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_WARN = timedelta(days=30)
_CRITICAL = timedelta(days=7)


@app.command("cert")
def cert(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, directories or configurations.", metavar="PATH")
    ] = None,
    servers: Annotated[
        list[str] | None,
        typer.Option("--server", "-s", help="Running server to look at; several with commas.", metavar="HOST[:PORT]"),
    ] = None,
    name: Annotated[
        str, typer.Option("--host", help="Name that clients know the server by, if it is another.", metavar="NAME")
    ] = "",
    ca: Annotated[
        Path | None,
        typer.Option(
            "--tlsca", help="CA certificates that clients trust; those of the system without.", metavar="FILE"
        ),
    ] = None,
    warn: Annotated[
        timedelta | None,
        typer.Option("--warn", help="Less time left is warning (default 30d).", metavar="DURATION", parser=lifetime),
    ] = None,
    critical: Annotated[
        timedelta | None,
        typer.Option(
            "--critical", "--crit", help="Less is critical (default 7d).", metavar="DURATION", parser=lifetime
        ),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", help="Longest look at a server, in seconds.", min=0.1, metavar="SECS")
    ] = 5.0,
    as_json: AsJson = False,
    as_prometheus: AsPrometheus = False,
    outfile: Outfile = None,
) -> None:
    """Tell how long certificates live: those in files, and those that running servers show.

    At a server it also asks whether clients would accept it; no credentials are sent. One that they would refuse, and a
    server out of reach, is critical.

    Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as for every check.
    """
    if not paths and not servers:
        raise UsageError("nothing to look at: name files, or servers with -s")
    warn_s, critical_s = ((given or usual).total_seconds() for given, usual in ((warn, _WARN), (critical, _CRITICAL)))
    questions = [
        ServerQuestion(*_place(url), name, ca, timeout_s) for url in split_servers(servers or []).servers or ()
    ]
    check = _check(paths or [], questions, Limits(warn_s, critical_s, is_floor=True))
    report(check, as_json=as_json, as_prometheus=as_prometheus, outfile=outfile)


async def _check(paths: Sequence[Path], questions: Sequence[ServerQuestion], left: Limits) -> Result:
    places = [*map(str, paths), *(f"{question.host}:{question.port}" for question in questions)]
    result = Result("cert", ",".join(places))
    if paths:
        check_files(paths, left, result)
    await asyncio.gather(*(check_server_cert(question, left, result) for question in questions))
    conclude(result)
    return result


def _place(url: str) -> tuple[str, int]:
    host, _, port = url.rpartition("://")[2].rpartition(":")
    return host.strip("[]"), int(port)
