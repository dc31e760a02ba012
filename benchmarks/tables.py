"""The summary as text: aligned for a terminal, and as Markdown for the README."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.document import Document
from benchmarks.rows import FIGURES, ROWS, Figure
from benchmarks.servers import REFERENCE
from benchmarks.summary import Cell, Line, summarize

__all__ = ["lines_of", "markdown", "plain", "refusals"]

_BUSY = 0.9
"""Share of a core from which on the generator may have been waited for."""
_NOTHING = "-"


def lines_of(document: Document) -> list[Line]:
    """The summary of a result."""
    rows = [row for row in ROWS if row.name in document.rows]
    return summarize(rows, document.engines, document.results)


def plain(document: Document) -> str:
    """A table for the terminal, with the spread of the rounds, the targets, and what became of them."""
    lines = lines_of(document)
    table = [["work", "figure", REFERENCE]]
    for engine in document.engines:
        table[0] += [engine, "target", ""]
    for line in lines:
        figure = FIGURES[line.figure]
        is_first = line.figure == line.row.figures[0]
        cells = [line.row.title if is_first else "", figure.name, _absolute(line.reference, figure)]
        for cell in line.cells.values():
            cells += _plain_cell(cell, figure)
        table.append(cells)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*text, "", _verdict(lines), *_limits(document), describe(document)])


def _plain_cell(cell: Cell, figure: Figure) -> list[str]:
    target = _NOTHING if cell.target is None else _limit(cell.target.limit, figure)
    if cell.refused:
        return ["REFUSED", target, ""]
    if cell.value is None:
        return [_NOTHING, target, ""]
    mark = {None: "", True: "met", False: "MISSED"}[cell.is_met]
    value = cell.value
    ends = f"({_value(value.low, figure)}..{_value(value.high, figure)})"
    return [f"{_value(value.median, figure, unit=True)} {ends}", target, mark]


def _verdict(lines: Sequence[Line]) -> str:
    held = [(line, engine, cell) for line in lines for engine, cell in line.cells.items() if cell.value and cell.target]
    missed = [f"{engine} {line.row.name} {FIGURES[line.figure].name}" for line, engine, cell in held if not cell.is_met]
    verdict = f"{len(held) - len(missed)} of {len(held)} targets are met"
    return "; missed: ".join([verdict, ", ".join(missed)] if missed else [verdict])


def _limits(document: Document) -> list[str]:
    """Say where the generator had no time left, so that a server may be better than it looks."""
    return [
        f"the load generator was the limit: {name}, {contender}"
        for name, runs_of in document.results.items()
        for contender, runs in runs_of.items()
        if any(run.outcome and run.outcome.generator_share > _BUSY for run in runs)
    ]


def refusals(document: Document) -> list[str]:
    """Rows of which nothing is said, each with the reason."""
    found = (
        f"{line.row.title}: {cell.refused}"
        for line in lines_of(document)
        for cell in line.cells.values()
        if cell.refused
    )
    return list(dict.fromkeys(found))  # every figure of a row is refused for the same reason


def markdown(document: Document) -> str:
    """A table for the README: of each row what it is about, as nats-server's figure and multiples of it."""
    lines = lines_of(document)
    text = [
        f"| | {REFERENCE} | {' | '.join(document.engines)} |",
        f"|---|{'---:|' * (len(document.engines) + 1)}",
    ]
    for line in lines:
        figure = FIGURES[line.figure]
        cells = (_markdown_cell(cell, figure) for cell in line.cells.values())
        text.append(f"| {_markdown_title(line)} | {_absolute(line.reference, figure)} | {' | '.join(cells)} |")
    return "\n".join([*text, "", describe(document)])


def _markdown_title(line: Line) -> str:
    if len(line.row.figures) == 1:
        return line.row.title
    return f"{line.row.title}: {FIGURES[line.figure].name}"


def _markdown_cell(cell: Cell, figure: Figure) -> str:
    return _NOTHING if cell.value is None else _value(cell.value.median, figure, unit=True)


def describe(document: Document) -> str:
    """Where it was measured, and how, in one line."""
    machine = document.machine
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"{document.date[:10]}: {machine.cores} cores of {machine.cpu}, {machine.kernel}, Python {machine.python}, "
        f"load {machine.load:.1f} before; {versions}; medians of {document.rounds} rounds of {document.seconds:g} s."
    )


def _value(value: float, figure: Figure, *, unit: bool = False) -> str:
    if figure.is_ratio:
        return f"{value:.2f}{'x' if unit else ''}"
    return f"{value:.1f}{f' {figure.unit}' if unit else ''}"


def _limit(limit: float, figure: Figure) -> str:
    return f"{'≥' if figure.more_is_better else '≤'} {limit:g}{'x' if figure.is_ratio else f' {figure.unit}'}"


def _absolute(value: float | None, figure: Figure) -> str:
    if value is None:
        return _NOTHING
    if figure.unit != "/s":
        return f"{value:,.3g} {figure.unit}" if value < 1000 else f"{value:,.0f} {figure.unit}"
    return f"{value / 1e6:.2f} M/s" if value >= 1e6 else f"{value / 1e3:.0f} k/s"
