"""Results that were never measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from benchmarks.document import Document, Machine
from benchmarks.rounds import Results, Run
from benchmarks.rows import select
from benchmarks.servers import REFERENCE

MakeDocument = Callable[..., Document]


def runs(figure: str, *values: float) -> list[Run]:
    """Runs with one figure that matters; all others are 1."""
    return [Run({"rate": 1.0, "cpu_us": 1.0, "p50_us": 1.0, "p99_us": 1.0} | {figure: value}) for value in values]


@pytest.fixture
def make_document() -> MakeDocument:
    """Make a result of some rows; those without runs get some."""

    def make(rows: str = "mixed", engines: Sequence[str] = ("native",), **results: dict[str, list[Run]]) -> Document:
        machine = Machine("EPYC", 2, "Linux 6.18", "3.11.7", 0.25, {"natsctl": "0.1.0", REFERENCE: "2.15.1"})
        names = [row.name for row in select(rows)]
        usual = {contender: runs("rate", 1e6, 1e6, 1e6) for contender in (REFERENCE, *engines)}
        all_results: Results = {name: results.get(name, usual) for name in names}
        return Document("2026-11-23T20:00:00+00:00", machine, 3, 1.0, list(engines), names, all_results)

    return make
