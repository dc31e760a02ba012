"""What ``natsctl bench`` shows on a terminal: bars while it runs, and the distribution of the latencies."""

from __future__ import annotations

import math
import sys
from collections import Counter
from types import TracebackType
from typing import Self

from rich.bar import Bar
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from natsctl.bench.conductor import Progress
from natsctl.bench.histogram import Latencies
from natsctl.bench.plan import Plan
from natsctl.cli.output import show_table
from natsctl.units import format_duration

__all__ = ["Display", "show_latencies"]

_BAR_COLUMNS = 50
_BARS_A_DECADE = 6


class Display:
    """Bars on stderr where that is a terminal; elsewhere only what happens to connections."""

    def __init__(self, plan: Plan) -> None:
        console = Console(stderr=True)
        self._console = console
        self._plan = plan
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.fields[shown]:>28}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        self._bars.start()
        if self._plan.n_publishers:
            self._tasks["published"] = self._bars.add_task("published", total=1, shown="")
        if self._plan.n_subscribers:
            self._tasks["delivered"] = self._bars.add_task("delivered", total=1, shown="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, progress: Progress) -> None:
        """Move the bars, and say what happened."""
        for note in progress.notes:
            self._console.print(note, markup=False, highlight=False, soft_wrap=True)
        elapsed_s = max(progress.elapsed_s, 0.1)
        for name, task in self._tasks.items():
            n = progress.published if name == "published" else progress.delivered
            self._bars.update(task, completed=progress.fraction, shown=f"{n:,}  {n / elapsed_s:,.0f}/s")


def show_latencies(latencies: Latencies) -> None:
    """Draw how many messages took how long, on a logarithmic scale."""
    bars: Counter[int] = Counter()
    for value_us, n in latencies.buckets():
        bars[math.floor(math.log10(value_us) * _BARS_A_DECADE)] += n
    longest = max(bars.values())
    table = Table(box=None, title="Distribution of latencies", title_justify="left")
    for title in ("from", "messages", "share"):
        table.add_column(title, justify="right")
    table.add_column("", width=_BAR_COLUMNS)
    for index in range(min(bars), max(bars) + 1):
        from_us = float(f"{10 ** (index / _BARS_A_DECADE):.3g}")
        share = f"{bars[index] / latencies.count:.2%}"
        bar = Bar(longest, 0, bars[index], width=_BAR_COLUMNS)
        table.add_row(format_duration(from_us / 1e6), f"{bars[index]:,}", share, bar)
    show_table(table)
