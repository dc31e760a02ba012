"""How long things are valid: Go's durations, and days, weeks and years where people type them."""

from __future__ import annotations

import re
from datetime import timedelta

from natsctl.config.words import quoted
from natsctl.units import parse_duration

__all__ = ["MAX_LIFETIME", "format_hours", "format_lifetime", "parse_expiry", "parse_lifetime", "read_expiry"]

MAX_LIFETIME = timedelta(hours=2_562_047)
"""Go's longest duration, 292 years; cfssl refuses what is longer."""

_UNIT_DAYS = {"d": 1, "w": 7, "y": 365}
_LONG_PART = re.compile(r"(\d+)([dwy])")


def parse_expiry(text: str) -> timedelta:
    """Read a duration of cfssl's files: Go's, whose largest unit is the hour.

    Raises:
        ValueError: It is no duration, or not one that cfssl would take; the message says what to write.
    """
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        long = _parse_long(text)
        if long is None:
            raise ValueError(f"invalid duration {quoted(text)} (write for example 8760h)") from error
        raise ValueError(f"duration {quoted(text)} has a unit Go does not know (write {format_hours(long)})") from None
    if abs(seconds) > MAX_LIFETIME.total_seconds():
        raise ValueError(f"duration {quoted(text)} exceeds the limit of {format_hours(MAX_LIFETIME)}")
    return timedelta(seconds=seconds)


def read_expiry(text: str) -> timedelta | None:
    """Read a lifetime of a document; None when it is not given.

    Raises:
        ValueError: It is no duration, or is negative.
    """
    lifetime = parse_expiry(text) if text else timedelta()
    if lifetime < timedelta():
        raise ValueError(f"duration {quoted(text)} is negative")
    return lifetime or None


def parse_lifetime(text: str) -> timedelta:
    """Read a duration people type: ``30d``, ``2w``, ``1y``, ``1d12h``, or one of Go's.

    Raises:
        ValueError: It is no duration, is negative, or exceeds `MAX_LIFETIME`.
    """
    long = _parse_long(text)
    lifetime = parse_expiry(text) if long is None else long
    if not timedelta() <= lifetime <= MAX_LIFETIME:
        raise ValueError(f"duration {quoted(text)} is not between 0 and {format_hours(MAX_LIFETIME)}")
    return lifetime


def format_lifetime(lifetime: timedelta) -> str:
    """Write a lifetime in its largest sensible unit: ``364d``, ``5h``, ``12m``; negative ones as they are past."""
    sign, seconds = ("-", -lifetime.total_seconds()) if lifetime < timedelta() else ("", lifetime.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{sign}{seconds // size:.0f}{unit}"
    return f"{sign}{seconds:.0f}s"


def format_hours(lifetime: timedelta) -> str:
    """Write a lifetime as cfssl's files have it: ``8760h``."""
    return f"{lifetime.total_seconds() / 3600:.0f}h"


def _parse_long(text: str) -> timedelta | None:
    """Read a duration that begins with days, weeks or years; None when it does not, or is too long to count."""
    total, at = timedelta(), 0
    try:
        while part := _LONG_PART.match(text, at):
            total += timedelta(days=int(part[1]) * _UNIT_DAYS[part[2]])
            at = part.end()
        rest = timedelta(seconds=parse_duration(text[at:])) if at < len(text) else timedelta()
    except (ValueError, OverflowError):
        return None
    return total + rest if at else None
