"""Durations and sizes as operators write them: Go's duration strings, 1024-based byte counts.

Source: Go ``time.ParseDuration`` and ``time.Duration.String`` for durations.
"""

from __future__ import annotations

import re

__all__ = ["format_bytes", "format_duration", "parse_duration"]

_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def parse_duration(text: str) -> float:
    """Read a Go duration such as ``1h30m``, ``500ms`` or ``-1.5s``; ``0`` needs no unit.

    Returns:
        Seconds.

    Raises:
        ValueError: The text is not a duration.
    """
    body = text.lstrip("+-")
    if len(text) - len(body) > 1 or not body:
        raise ValueError(f'invalid duration "{text}"')
    if body == "0":
        return 0.0
    total, at = 0.0, 0
    while at < len(body):
        part = _PART.match(body, at)
        if part is None:
            raise ValueError(f'invalid duration "{text}" (write for example 500ms, 30s, 2m or 1h30m)')
        total += float(part[1]) * _UNIT_S[part[2]]
        at = part.end()
    return -total if text[0] == "-" else total


def format_duration(seconds: float) -> str:
    """Write seconds as Go does: ``2m0s``, ``1.5s``, ``497µs``, ``0s``."""
    nanoseconds = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanoseconds else ""
    if nanoseconds == 0:
        return "0s"
    for limit, size, unit in ((10**3, 1, "ns"), (10**6, 10**3, "µs"), (10**9, 10**6, "ms")):
        if nanoseconds < limit:
            return f"{sign}{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    text = f"{_decimal(rest, 10**9)}s"
    if minutes >= 60:
        text = f"{minutes // 60}h{minutes % 60}m{text}"
    elif minutes:
        text = f"{minutes}m{text}"
    return sign + text


def _decimal(value: int, size: int) -> str:
    whole, fraction = divmod(value, size)
    digits = f"{fraction:0{len(str(size)) - 1}d}".rstrip("0") if fraction else ""
    return f"{whole}.{digits}" if digits else str(whole)


def format_bytes(n_bytes: float) -> str:
    """Write a byte count with 1024-based units and one decimal: ``512 B``, ``1.5 KiB``, ``3.0 GiB``."""
    if abs(n_bytes) < 1024:
        return f"{n_bytes:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        n_bytes /= 1024
        if abs(n_bytes) < 1024 or unit == "TiB":
            break
    return f"{n_bytes:.1f} {unit}"
