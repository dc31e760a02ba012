"""What changed since an earlier run, and whether the change is more than the runs themselves vary."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from natsctl.bench.document import Document, Setting
from natsctl.units import format_duration

__all__ = ["Change", "compare", "differences"]

_PERCENTILES = ("50", "99", "99.9")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure, then and now.

    Attributes:
        spread: By how much the change itself is uncertain, as a share; None when the runs were too short to tell.
    """

    name: str
    before: float
    now: float
    unit: str
    spread: float | None = None

    @property
    def ratio(self) -> float:
        """The change as a share of the earlier figure."""
        return self.now / self.before - 1

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" (spread ±{self.spread:.1%})"
        noise = ", within the spread" if self.spread is not None and abs(self.ratio) <= self.spread else ""
        return f"{self.name}: {self._shown(self.before)} -> {self._shown(self.now)}, {self.ratio:+.1%}{spread}{noise}"

    def _shown(self, value: float) -> str:
        return format_duration(value / 1e6) if self.unit == "µs" else f"{value:,.0f} {self.unit}"


def compare(before: Document, now: Document) -> list[Change]:
    """Set the figures of two runs side by side, those that both have.

    The spread of a rate is that of both steady states, from their tenths of a second.
    """
    return [change for change in _changes(before, now) if change.before > 0]


def differences(before: Setting, now: Setting) -> list[str]:
    """Name what was asked for differently, as ``msg_size 128 -> 256``: such runs are hard to compare."""
    fields = Setting.__struct_fields__
    pairs = ((name, getattr(before, name), getattr(now, name)) for name in fields)
    return [f"{name} {then} -> {value}" for name, then, value in pairs if then != value]


def _changes(before: Document, now: Document) -> Iterator[Change]:
    for what in ("publishers", "subscribers"):
        then, since = getattr(before, what), getattr(now, what)
        if since.members:
            yield Change(f"{what}, whole run", then.msgs_per_s, since.msgs_per_s, "msgs/sec")
    if before.steady and now.steady:
        for what in ("published", "delivered"):
            rates = [getattr(steady, f"{what}_per_s") for steady in (before.steady, now.steady)]
            spreads = [getattr(steady, f"{what}_spread") for steady in (before.steady, now.steady)]
            spread = None if None in spreads else math.hypot(*spreads)
            yield Change(f"{what}, steady state", rates[0], rates[1], "msgs/sec", spread)
    if before.latency and now.latency:
        for percentile in _PERCENTILES:
            values = [document.percentiles_us.get(percentile, 0) for document in (before.latency, now.latency)]
            yield Change(f"latency P{percentile}", values[0], values[1], "µs")
