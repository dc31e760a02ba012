"""``natsctl top``: watch servers, with the flags of nats-top, on the screen or into files."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from natsctl.cli.connect_options import duration
from natsctl.cli.goflags import GoCommand
from natsctl.cli.main import print_version
from natsctl.cli.monitoring_options import seconds, takes_ports
from natsctl.cli.output import run
from natsctl.cli.top_output import Form, Output, record_only, write_snapshots
from natsctl.errors import UsageError
from natsctl.ops.pages import Ports
from natsctl.ops.sort_options import SORT_OPTIONS, check_sort
from natsctl.ops.sources import open_source
from natsctl.ops.watch import Watch

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_INTERVAL_S = 1.0
_ONCE_INTERVAL_S = 0.5
"""Between the two readings that the rates of a single table need."""

_NEEDS = (("headless", "record"), ("keep_s", "record"), ("speed", "replay"))
"""Which flag means nothing without which."""
_OF_READING = ("server", "port", "tls_port", "base_path", "cluster", "cert", "key", "ca", "insecure", "timeout_s")
_OF_POLLING = ("limit", "interval_s", "sort", "record", "headless")
_APART = (
    ("once", "refreshes"),
    *(("headless", other) for other in ("output", "once", "form", "delimiter")),
    *(("replay", other) for other in _OF_READING + _OF_POLLING),
)
"""Which flags contradict each other: a replay, for one, asks no server."""


class Choice(StrEnum):
    """The values of ``--format``."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command("top", cls=GoCommand, options_metavar="[FLAGS]")
@takes_ports
def top(
    context: typer.Context,
    ports: Ports,
    limit: Annotated[
        int, typer.Option("-n", "--limit", help="Connections to ask for.", metavar="N", min=1, max=1_000_000)
    ] = 1024,
    interval_s: Annotated[
        float | None,
        typer.Option(
            "-d", "--delay", help="Seconds from reading to reading (default 1).", metavar="SECS", parser=seconds
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option("--sort", help=f"What the server sorts connections by: {', '.join(SORT_OPTIONS)}.", metavar="KEY"),
    ] = "cid",
    lookup: Annotated[bool, typer.Option("--lookup", help="Show host names in place of addresses.")] = False,
    raw: Annotated[bool, typer.Option("-b", "--raw", help="Show plain numbers, not 1.5K.")] = False,
    subscriptions: Annotated[
        bool, typer.Option("-u", "--display-subscriptions-column", help="Show the subjects of each connection.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", help="Write to this file, or - for stdout, not to the screen.", metavar="FILE"),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Write what is to be seen once, as -r 1 -o - does.")] = False,
    refreshes: Annotated[
        int | None,
        typer.Option(
            "-r", "--refreshes", help="End after so many refreshes, 0 for no end (default: 1 with -o).", metavar="N"
        ),
    ] = None,
    form: Annotated[
        Choice | None, typer.Option("--format", help="What to write in place of the screen (default table).")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("-l", "--delimiter", help="Divide the cells of the table by this.", metavar="CHAR")
    ] = None,
    no_rates: Annotated[
        bool, typer.Option("--no-rates", help="Write the first reading at once, which has no rates.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Keep all readings in this new file, packed if it ends in .gz.", metavar="FILE"),
    ] = None,
    keep_s: Annotated[
        float | None,
        typer.Option(
            "--keep", help="Keep only so much, in several files beside it.", metavar="DURATION", parser=duration
        ),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Record and show nothing.")] = False,
    replay: Annotated[Path | None, typer.Option("--replay", help="Show a recording.", metavar="FILE")] = None,
    speed: Annotated[
        float, typer.Option("--speed", help="Replay so many times faster.", metavar="N", min=0.01, max=10_000)
    ] = 1.0,
    version: Annotated[bool, typer.Option("-v", "--version", help="Show the version and exit.")] = False,
) -> None:
    """Watch servers: what they do, who is connected, and who is slow.

    The flags are those of nats-top, in Go's manner: one dash or two, a value after a blank or after =.
    On a terminal this is a dashboard. With -o, --once, --format or -l it writes tables, CSV or JSON instead;
    rates are taken between two readings, for a single table half a second apart.

    Fails with exit code 6 when no server could be read.
    """
    if version:
        print_version()
        return
    _refuse_contradictions(context)
    is_written = bool(output or once or form or delimiter)
    if is_written and refreshes is None:
        refreshes = 1
    watch = Watch(
        servers=() if replay else ports.urls,
        interval_s=interval_s or (_ONCE_INTERVAL_S if is_written and refreshes == 1 else _INTERVAL_S),
        limit=limit,
        sort=check_sort(sort),
        lookup=lookup,
        raw=raw,
        subscriptions=subscriptions,
        tls=ports.tls,
        timeout_s=ports.timeout_s,
        cluster=ports.cluster,
        record=record,
        keep_s=keep_s,
        replay=replay,
        speed=speed,
        refreshes=refreshes if refreshes and refreshes > 0 else None,
        with_rates=is_written and not no_rates,
    )
    if headless:
        run(lambda _signals: record_only(watch))
    elif is_written:
        target = Output(output or "-", Form((form or Choice.TABLE).value, delimiter))
        run(lambda _signals: write_snapshots(watch, target))
    else:
        _show_screen(watch)


def _refuse_contradictions(context: Any) -> None:
    """Check which flags were given together.

    Raises:
        UsageError: One needs another, or two exclude each other.
    """
    flags = {param.name: param.opts[0] for param in context.command.get_params(context)}
    given = {name for name in flags if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"}
    for name, needed in _NEEDS:
        if name in given and needed not in given:
            raise UsageError(f"{flags[name]} needs {flags[needed]}")
    for name, other in _APART:
        if name in given and other in given:
            raise UsageError(f"{flags[name]} and {flags[other]} exclude each other")


def _show_screen(watch: Watch) -> None:
    # Textual draws on stderr, so that stdout stays free.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        hint = "write a table with --once, several with -r N -o -, or choose --format csv or json"
        raise UsageError("there is no terminal to draw on", hint=hint)
    from natsctl.tui import run as show

    raise typer.Exit(show(watch, open_source(watch)))
