"""How the result of a check is told: as the line of a plugin, as JSON, or as text for Prometheus."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from natsctl.cli.output import printable, run
from natsctl.errors import NatsctlError, UsageError
from natsctl.ops.check.result import Figure, Limits, Result, Status, Unit

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["AsJson", "AsPrometheus", "Outfile", "report"]

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document.")]
AsPrometheus = Annotated[
    bool, typer.Option("--prometheus", help="Write metrics; the exit code is 0 then, whatever they say.")
]
Outfile = Annotated[
    Path | None,
    typer.Option(
        "--outfile",
        help="Replace this file by the metrics, for the textfile collector of node_exporter.",
        metavar="FILE",
    ),
]

_SUFFIXES = {Unit.SECONDS: "_seconds", Unit.BYTES: "_bytes", Unit.PERCENT: "_percent"}
_QUOTED = re.compile(r"[^\w.-]")
"""In a label of performance data, asks for quotes."""


def report(check: Coroutine[Any, Any, Result], *, as_json: bool, as_prometheus: bool, outfile: Path | None) -> None:
    """Carry a check through and tell what it found.

    Raises:
        typer.Exit: With the code of the status.
        NatsctlError: The check could not find out.
    """
    if as_json and (as_prometheus or outfile):
        check.close()
        raise UsageError("--json and metrics exclude each other")
    found: list[Result] = []

    async def find() -> None:
        found.append(await check)

    run(lambda _signals: find())
    (result,) = found
    if as_prometheus or outfile:
        _write_metrics(result, outfile)
        return
    print(json.dumps(_document(result), indent=2) if as_json else _line(result), flush=True)
    raise typer.Exit(result.status)


def _line(result: Result) -> str:
    """Write the line of a plugin: the worst first, and of what is well only where all is."""
    statuses = [Status.CRITICAL, Status.WARNING, Status.UNKNOWN] if result.status else [Status.OK]
    words = "; ".join(_plain(text) for status in statuses for text in result.texts(status))
    figures = " ".join(map(_performance, result.figures))
    return f"{result.status.name} - {words}" + (f" | {figures}" if figures else "")


def _plain(text: str) -> str:
    """A line has one bar, before the figures, and one end."""
    return printable(" ".join(text.split())).replace("|", "/")


def _performance(figure: Figure) -> str:
    label = _plain(f"{figure.item} {figure.name}" if figure.item else figure.name).replace("'", "").replace("=", ":")
    label = f"'{label}'" if _QUOTED.search(label) else label
    limits = ";".join(_range(limit, figure.limits) for limit in (figure.limits.warning, figure.limits.critical))
    return f"{label}={_number(figure.value)}{figure.unit.value};{limits}".rstrip(";")


def _range(limit: float | None, limits: Limits) -> str:
    """Write what is well, as a range: up to 10 is ``10``, from 10 on is ``10:``."""
    return "" if limit is None else _number(limit) + (":" if limits.is_floor else "")


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _document(result: Result) -> dict[str, Any]:
    return {
        "check": result.check,
        "target": result.target,
        "status": result.status.name,
        "exit_code": int(result.status),
        **{status.name.lower(): result.texts(status) for status in Status},
        "figures": [
            {
                "name": figure.name,
                "item": figure.item,
                "value": figure.value,
                "unit": figure.unit.value,
                "warning": figure.limits.warning,
                "critical": figure.limits.critical,
                "bad_is_below": figure.limits.is_floor,
            }
            for figure in result.figures
        ],
    }


def _write_metrics(result: Result, outfile: Path | None) -> None:
    from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
    from prometheus_client.registry import Collector

    class Metrics(Collector):
        """Metrics that are there already."""

        def collect(self) -> Iterable[Metric]:
            """Give them."""
            return _metrics(result)

    registry = CollectorRegistry()
    registry.register(Metrics())
    if outfile is None:
        sys.stdout.write(generate_latest(registry).decode())
        return
    try:
        write_to_textfile(str(outfile), registry)  # beside it first, then in its place: a reader sees no half of it
    except OSError as error:
        raise NatsctlError(f"{outfile}: {(error.strerror or str(error)).lower()}") from None


def _metrics(result: Result) -> Iterable[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    status = GaugeMetricFamily(
        "natsctl_check_status", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.", labels=("check", "target")
    )
    status.add_metric((result.check, result.target), result.status)
    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {"": status}
    for figure in result.figures:
        if figure.name not in families:
            name = f"natsctl_check_{result.check}_{figure.name}{_SUFFIXES.get(figure.unit, '')}".replace("-", "_")
            family = CounterMetricFamily if figure.unit is Unit.COUNTER else GaugeMetricFamily
            text = f"What 'natsctl check {result.check}' measured."
            families[figure.name] = family(name, text, labels=("target", "item"))
        families[figure.name].add_metric((result.target, figure.item), figure.value)
    return families.values()
