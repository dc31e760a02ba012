"""``natsctl cluster status``: who is in a cluster, and what is wrong with it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import nullcontext
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from natsctl.cli.goflags import GoCommand
from natsctl.cli.monitoring_options import takes_cluster
from natsctl.cli.output import DataOutput, printable, run
from natsctl.cli.page_output import Watch
from natsctl.errors import NatsctlError
from natsctl.monitoring.times import format_uptime
from natsctl.ops.cluster.status import ClusterStatus, Member
from natsctl.ops.cluster.survey import Survey
from natsctl.ops.pages import Ports
from natsctl.units import format_duration

if TYPE_CHECKING:
    from rich.live import Live

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_COLUMNS = ("SERVER", "MONITORING", "VERSION", "UPTIME", "ROUTES TO", "CONNECTIONS", "SLOW", "CLOCK")


@app.command("status", cls=GoCommand, options_metavar="[FLAGS]")
@takes_cluster
def status(
    ports: Ports,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, one document for each reading.")] = False,
    every_s: Watch = None,
) -> None:
    """Show the servers of a cluster and what is wrong with it, from the monitoring port of one of them.

    The others are found through its routes: where they use the same monitoring port, or run on this machine beside each
    other; name the rest with -s. CLOCK is how far each clock is ahead of the one here, and how sure that is.

    Exit codes: 1 something is wrong, 6 no server answers.
    """
    run(lambda _signals: _run(ports, as_json=as_json, every_s=every_s))


async def _run(ports: Ports, *, as_json: bool, every_s: float | None) -> None:
    output = DataOutput()
    is_drawn = every_s is not None and output.is_terminal and not as_json
    due = time.monotonic()
    async with Survey(ports) as survey:
        with _screen() if is_drawn else nullcontext() as screen:
            while True:
                found = await survey.read()
                if screen:
                    _draw(screen, found)
                else:
                    await output.write((_json(found) if as_json else _text(found)).encode() + b"\n")
                if every_s is None:
                    break
                due = max(due + every_s, time.monotonic())
                await asyncio.sleep(due - time.monotonic())
    if problems := found.problems:
        raise NatsctlError(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the cluster")


def _json(found: ClusterStatus) -> str:
    document = {
        "servers": [_document(member) for member in found.members],
        "missing_routes": [
            {"between": [route.first, route.second], "claimed_by": route.claimed_by} for route in found.missing
        ],
        "lost_routes": [{"address": route.address, "wanted_by": list(route.wanted_by)} for route in found.lost],
        "clock_spread_s": found.clock_spread_s,
        "problems": found.problems,
    }
    return json.dumps(document, indent=2)


def _document(member: Member) -> dict[str, Any]:
    """Give what is known of a server; of one that does not answer that is little."""
    known = ("url", "server_id", "name", "error") if member.error else [item.name for item in fields(member)]
    document = {name: getattr(member, name) for name in known if name != "is_expected"}
    return document | ({} if member.error else {"linked": sorted(member.linked)})


def _text(found: ClusterStatus) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names = {member.server_id: member.label for member in found.members if member.server_id}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in _COLUMNS:
        table.add_column(title, justify="right" if title in ("CONNECTIONS", "SLOW", "CLOCK") else "left")
    for member in found.members:
        table.add_row(*(Text(printable(cell)) for cell in _row(member, names)))
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, emoji=False, markup=False)
    with console.capture() as captured:
        console.print(table)
        console.print()
        for member in found.unseen:
            note = f"nothing is known of {member.label} but its routes: {member.error}"
            console.print(printable(note), style="yellow", soft_wrap=True)
        for problem in found.problems:
            console.print(printable(problem), style="red", soft_wrap=True)
        if not found.problems:
            console.print(_all_well(found), style="green", soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _row(member: Member, names: dict[str, str]) -> tuple[str, ...]:
    if member.error:
        return (member.label, member.url, "no answer")
    return (
        member.label,
        member.url,
        member.version,
        "?" if member.uptime_s is None else format_uptime(member.uptime_s),
        ", ".join(sorted(names.get(server_id, server_id) for server_id in member.linked)),
        f"{member.connections:,}",
        f"{member.slow_consumers:,}",
        "?" if member.skew_s is None else _clock(member.skew_s, member.precision_s),
    )


def _clock(skew_s: float, precision_s: float) -> str:
    doubt = f"±{format_duration(round(precision_s, 4))}"
    return doubt if abs(skew_s) <= precision_s else f"{skew_s:+.3f}s {doubt}"


def _all_well(found: ClusterStatus) -> str:
    versions = sorted({member.version for member in found.members if not member.error})
    mixed = f" Versions: {', '.join(versions)}." if len(versions) > 1 else ""
    if found.n_servers == 1:
        return f"One server, without routes.{mixed}"
    return f"{found.n_servers} servers, each with a route to every other.{mixed}"


def _screen() -> Live:
    from rich.live import Live

    return Live(screen=True, auto_refresh=False, vertical_overflow="crop")


def _draw(screen: Live, found: ClusterStatus) -> None:
    from rich.text import Text

    screen.update(Text.from_ansi(_text(found), no_wrap=True, overflow="ellipsis"), refresh=True)
