"""What the rounds say: medians of the ratios, their spread, and the rows of which nothing can be said."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.rounds import Results, Run
from benchmarks.rows import FIGURES, Row, Target
from benchmarks.servers import REFERENCE

__all__ = ["Cell", "Line", "Spread", "summarize"]


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the ends of some numbers."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of numbers in any order."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Cell:
    """One engine's figure in one row.

    Attributes:
        value: A ratio to nats-server, or a number, as the figure says; None when it is refused, or not measured.
        target: What it is held to.
        refused: Why no comparison is made.
    """

    value: Spread | None
    target: Target | None = None
    refused: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is held; None where there is none, or nothing to hold to it."""
        if self.target is None:
            return None
        return self.value is not None and self.target.is_met(self.value.median)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of one row, for all engines.

    Attributes:
        reference: The median of nats-server; None where it has no such figure.
        cells: Engine to its figure.
    """

    row: Row
    figure: str
    reference: float | None
    cells: dict[str, Cell]


def summarize(rows: Sequence[Row], engines: Sequence[str], results: Results) -> list[Line]:
    """Compare the engines with nats-server, row by row and figure by figure."""
    lines = []
    for row in rows:
        runs = results.get(row.name, {})
        reference = runs.get(REFERENCE, [])
        for figure in row.figures:
            absolute = [run.figures[figure] for run in reference if figure in run.figures]
            cells = {engine: _compare(row, engine, figure, runs.get(engine, []), reference) for engine in engines}
            lines.append(Line(row, figure, statistics.median(absolute) if absolute else None, cells))
    return lines


def _compare(row: Row, engine: str, figure: str, ours: Sequence[Run], theirs: Sequence[Run]) -> Cell:
    target = next((target for target in row.targets.get(engine, ()) if target.figure == figure), None)
    for contender, runs in ((engine, ours), (REFERENCE, theirs)):
        for n_round, run in enumerate(runs, 1):
            if run.failure:
                return Cell(None, target, f"{contender}, round {n_round}: {run.failure}")
    if not ours:
        return Cell(None)
    if FIGURES[figure].is_ratio:
        ratios = [one.figures[figure] / other.figures[figure] for one, other in zip(ours, theirs, strict=True)]
        return Cell(Spread.of(ratios), target)
    return Cell(Spread.of([run.figures[figure] for run in ours]), target)
