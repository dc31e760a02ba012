"""A chart of the recent past, with axes for people; plotext draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from textual_plotext import PlotextPlot

__all__ = ["Chart"]

MIN_WIDTH, MIN_HEIGHT = 24, 5
"""Smaller than this, axes leave no room for a line."""

LABEL_CELLS = 12
"""How many cells a label below the time axis needs."""

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)


class Chart(PlotextPlot):
    """Lines over time up to now, from zero to the largest value.

    Args:
        title: What stands above it.
        text: Writes a value of the vertical axis.
    """

    def __init__(self, title: str, text: Callable[[float], str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = title
        self._text = text
        self._series: Mapping[str, Sequence[float]] = {}
        self._interval_s = 1.0

    def show(self, series: Mapping[str, Sequence[float]], interval_s: float) -> None:
        """Show other values.

        Args:
            series: The lines by name.
            interval_s: Seconds from value to value.

        Shape: each line oldest value first, the newest is now; NaN where there is none.
        """
        self._series = series
        self._interval_s = interval_s
        self._draw()

    def on_resize(self) -> None:
        """Choose as many labels as there is room for."""
        self._draw()

    @property
    def has_values(self) -> bool:
        """Whether there is anything to draw, and room to draw it."""
        width, height = self.size
        has_room = width >= MIN_WIDTH and height >= MIN_HEIGHT
        return has_room and any(math.isfinite(value) for values in self._series.values() for value in values)

    def _draw(self) -> None:
        self.plt.clear_figure()
        if self.has_values:
            self._draw_lines()
            self._draw_axes()
        self.refresh()

    def _draw_lines(self) -> None:
        for name, values in self._series.items():
            times = [-self._interval_s * behind for behind in range(len(values) - 1, -1, -1)]
            # plotext joins what is beside a gap; each stretch of values is a line of its own.
            for index, (start, end) in enumerate(_stretches(values)):
                label = name if index == 0 else None
                self.plt.plot(times[start:end], values[start:end], marker="braille", label=label)

    def _draw_axes(self) -> None:
        values = [value for line in self._series.values() for value in line if math.isfinite(value)]
        top = max(*values, 1.0)
        ticks = [0.0, top / 2, top] if self.size.height >= 2 * MIN_HEIGHT else [0.0, top]
        self.plt.ylim(0, top)
        self.plt.yticks(ticks, [self._text(tick) for tick in ticks])
        span_s = self._interval_s * max(map(len, self._series.values()))
        moments = _moments(span_s, max(1, self.size.width // LABEL_CELLS - 1))
        self.plt.xlim(-span_s, 0)
        self.plt.xticks(
            [-moment for moment in moments], [f"-{_short(moment)}" if moment else "now" for moment in moments]
        )


def _moments(span_s: float, n_parts: int) -> list[float]:
    """Round numbers of seconds back from now, at most so many beside 0."""
    step_s = next((step for step in STEPS_S if span_s / step <= n_parts), STEPS_S[-1])
    return [step_s * index for index in range(int(span_s / step_s), -1, -1)]


def _short(seconds: float) -> str:
    return f"{seconds / 60:g}m" if seconds % 60 == 0 else f"{seconds:g}s"


def _stretches(values: Sequence[float]) -> list[tuple[int, int]]:
    """Where values are without gaps, half-open."""
    known = [math.isfinite(value) for value in values]
    edges = [index for index in range(1, len(values)) if known[index] != known[index - 1]]
    bounds = [0, *edges, len(values)]
    return [(start, end) for start, end in pairwise(bounds) if known[start]]
