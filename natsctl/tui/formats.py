"""Rates, times, bars and foreign words as the dashboard writes them: short, and of a width that does not jump.

Counts and sizes are those of :mod:`natsctl.monitoring.figures`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from natsctl.monitoring.figures import format_count, format_size
from natsctl.monitoring.times import NS, format_uptime

__all__ = ["TIMES", "bar", "clean", "clock", "day", "rate", "rtt", "span", "sparkline", "two_units"]

TIMES = "\N{MULTIPLICATION SIGN}"

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_TICKS = "▁▂▃▄▅▆▇█"


def rate(per_s: float | None, *, of_bytes: bool = False, raw: bool = False) -> str:
    """Write a rate per second; "-" while it is not known."""
    if per_s is None:
        return "-"
    if of_bytes:
        return format_size(per_s, raw=raw)
    return f"{per_s:.1f}" if per_s < 1000 else format_count(per_s, raw=raw)


def rtt(seconds: float | None) -> str:
    """Write a round-trip time in the unit it is read best in: ``87µs``, ``1.2ms``, ``3.1s``; "" while not known."""
    if seconds is None:
        return ""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f}µs"
    return f"{seconds * 1e3:.1f}ms" if seconds < 1 else f"{seconds:.1f}s"


def span(seconds: float) -> str:
    """Write a span of time by its two largest units: ``12s``, ``3m5s``, ``4d7h``."""
    return two_units(format_uptime(seconds))


def two_units(uptime: str) -> str:
    """Keep the two largest units of an uptime as servers write it: ``3d4h`` of ``3d4h5m6s``."""
    units = [index for index, char in enumerate(uptime) if not char.isdigit()]
    return clean(uptime[: units[min(1, len(units) - 1)] + 1]) if units else ""


def clock(at_ns: int) -> str:
    """Write the time of day, by the clock and in the time zone here."""
    return datetime.fromtimestamp(at_ns / NS).strftime("%H:%M:%S")


def day(at_ns: int) -> str:
    """Write the date, in the time zone here."""
    return datetime.fromtimestamp(at_ns / NS).strftime("%Y-%m-%d")


def bar(share: float, width: int) -> str:
    """Draw a share from 0 to 1 as a bar; any share above 0 can be seen."""
    share = min(1.0, max(0.0, share))
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the newest values, the last of them at the right edge; nothing where there was none."""
    shown = values[-width:] if width > 0 else []
    top = max((value for value in shown if not math.isnan(value)), default=0.0) or 1.0
    ticks = (" " if math.isnan(value) else _TICKS[round(value / top * (len(_TICKS) - 1))] for value in shown)
    return "".join(ticks).rjust(max(0, width))


def clean(text: str) -> str:
    """Replace what is not printable: a client chooses its name, and must not command the terminal with it."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
