"""``natsctl rtt``: measure the round trip to each server."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from natsctl.cli.connect_options import takes_settings
from natsctl.cli.output import run
from natsctl.errors import AuthError, LinkError
from natsctl.ops.rtt import RoundTrips, measure_rtt
from natsctl.ops.settings import Settings
from natsctl.units import format_duration

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command("rtt")
@takes_settings
def rtt(
    settings: Settings,
    iterations: Annotated[int, typer.Argument(help="Round trips per address.", min=1, max=10_000)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Measure the round trip to each address of each server.

    Fails with exit code 6 (5 when all refuse the credentials) only when no address answers.
    """
    results: list[RoundTrips] = []

    async def measure() -> None:
        async for result in measure_rtt(settings, iterations):
            if not as_json:
                _show(result, is_new=not results or results[-1].server != result.server)
            results.append(result)

    run(lambda _signals: measure())
    if as_json:
        print(json.dumps([_document(result) for result in results], indent=2))
    if all(result.error for result in results):
        refused = all(isinstance(result.error, AuthError) for result in results)
        raise (AuthError if refused else LinkError)("no server could be measured")


def _show(result: RoundTrips, *, is_new: bool) -> None:
    if is_new:
        print(f"{result.server}:")
    outcome = f"failed: {result.error}" if result.error else format_duration(result.average_s)
    print(f"    {result.address}: {outcome}" if result.address else f"    {outcome}", flush=True)


def _document(result: RoundTrips) -> dict[str, Any]:
    document: dict[str, Any] = {"server": result.server, "address": result.address}
    if result.error:
        return document | {"error": str(result.error)}
    return document | {
        "average_s": result.average_s,
        "min_s": min(result.rtt_s),
        "max_s": max(result.rtt_s),
        "rtt_s": result.rtt_s,
    }
