"""A chart of the recent past, with axes for people; plotext draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from textual.app import RenderResult
from textual.color import Color
from textual.content import Content
from textual.theme import Theme
from textual_plotext import PlotextPlot

__all__ = ["Chart"]

MIN_WIDTH, MIN_HEIGHT = 24, 4
"""Smaller than this, axes leave no room for a line."""

LABEL_CELLS = 12
"""How many cells a label below the time axis needs."""

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)

COLOURS = ("primary", "success")
"""The variables of the theme that lines are drawn in, one after the other."""


class Chart(PlotextPlot):
    """Lines over time up to now, from zero to the largest value; its title names the lines and their last values.

    Args:
        title: What is drawn.
        text: Writes a value.
    """

    def __init__(self, title: str, text: Callable[[float], str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._text = text
        self._series: Mapping[str, Sequence[float]] = {}
        self._interval_s = 1.0

    def on_mount(self) -> None:
        """Draw in the colours of the theme, also when it changes."""
        super().on_mount()
        self.app.theme_changed_signal.subscribe(self, self._take_theme)
        self._take_theme(self.app.current_theme)

    def _take_theme(self, theme: Theme) -> None:
        # Colours that the terminal chooses have no numbers for plotext; this theme of it has no colours.
        self.theme = "textual-clear" if theme.ansi else "auto"
        self._draw()

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

    def render(self) -> RenderResult:
        """Draw nothing rather than axes without lines."""
        return super().render() if self.has_values else ""

    @property
    def has_values(self) -> bool:
        """Whether there is anything to draw, and room to draw it."""
        width, height = self.size
        has_room = width >= MIN_WIDTH and height >= MIN_HEIGHT
        return has_room and any(math.isfinite(value) for values in self._series.values() for value in values)

    def _draw(self) -> None:
        self.plt.clear_figure()
        self.border_title = self._heading()
        if self.has_values:
            self._draw_lines()
            self._draw_axes()
        self.refresh()

    def _heading(self) -> Content:
        heading = Content(self._title)
        for values, (name, colour) in zip(self._series.values(), self._colours().items(), strict=True):
            last = values[-1] if values else math.nan
            text = f"  {name} {self._text(last) if math.isfinite(last) else '-'}"
            heading += Content.styled(text, f"${colour}")
        return heading if self._series else heading + Content("  no history yet")

    def _colours(self) -> dict[str, str]:
        """The variable of the theme for each line."""
        return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(self._series)}

    def _draw_lines(self) -> None:
        variables = self.app.theme_variables
        for name, colour in self._colours().items():
            values = self._series[name]
            rgb = "default" if self.app.current_theme.ansi else Color.parse(variables[colour]).rgb
            times = [-self._interval_s * behind for behind in range(len(values) - 1, -1, -1)]
            # plotext joins what is beside a gap; each stretch of values is a line of its own.
            for start, end in _stretches(values):
                self.plt.plot(times[start:end], values[start:end], marker="braille", color=rgb)

    def _draw_axes(self) -> None:
        values = [value for line in self._series.values() for value in line if math.isfinite(value)]
        top = max(*values, 1.0)
        ticks = [0.0, top / 2, top] if self.size.height >= 2 * MIN_HEIGHT else [0.0, top]
        self.plt.ylim(0, top)
        self.plt.yticks(ticks, [self._text(tick) for tick in ticks])
        span_s = self._interval_s * max(map(len, self._series.values()))
        moments = _moments(span_s, max(1, self.size.width // LABEL_CELLS - 1))
        self.plt.xlim(-span_s, 0)
        labels = [f"-{_short(moment)}" if moment else "now" for moment in moments]
        self.plt.xticks([-moment for moment in moments], labels)


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
