"""The times, uptimes and durations in the documents, as numbers.

A server's clock is read in nanoseconds since 1970 as whole numbers: that is what it prints, and differences stay exact.

Source: Go ``time.RFC3339Nano``; nats-server ``myUptime``; durations are Go's, see :mod:`natsctl.units`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from natsctl.units import parse_duration

__all__ = ["format_time", "format_uptime", "parse_rtt", "parse_time", "parse_uptime", "to_datetime"]

NS = 10**9

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_UPTIME = re.compile(r"(?:(\d{1,9})y)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_UPTIME_UNITS_S = (365 * 86400, 86400, 3600, 60, 1)
_EPOCH = datetime(1970, 1, 1)


def parse_time(text: str) -> int:
    """Read a time such as ``2026-01-02T03:04:05.123456789Z``, in UTC or with an offset as gnatsd 1.x has it.

    Returns:
        Nanoseconds since 1970, in UTC; negative before. Digits beyond the ninth are dropped.

    Raises:
        ValueError: Not a time.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f'invalid time "{text[:64]}"')
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    since = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second)) - _EPOCH
    seconds = since.days * 86400 + since.seconds
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds -= offset if sign == "+" else -offset
    return seconds * NS + int((fraction or "").ljust(9, "0"))


def format_time(at_ns: int) -> str:
    """Write a time as nats-server does: UTC, and as many digits of the fraction as say something."""
    seconds, fraction = divmod(at_ns, NS)
    whole = _EPOCH + timedelta(seconds=seconds)
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{whole.isoformat()}{digits}Z"


def to_datetime(at_ns: int) -> datetime:
    """Turn nanoseconds since 1970 into a datetime in UTC, which holds microseconds."""
    return (_EPOCH + timedelta(microseconds=at_ns // 1000)).replace(tzinfo=UTC)


def parse_uptime(text: str) -> int:
    """Read an uptime or idle time such as ``1y2d3h4m5s`` or ``15s``; a year has 365 days.

    Returns:
        Seconds.

    Raises:
        ValueError: Not an uptime.
    """
    match = _UPTIME.fullmatch(text)
    if match is None or not text:
        raise ValueError(f'invalid uptime "{text[:64]}"')
    return sum(int(count) * unit for count, unit in zip(match.groups(), _UPTIME_UNITS_S, strict=True) if count)


def format_uptime(seconds: float) -> str:
    """Write an uptime as nats-server does: whole seconds, from the largest unit that is not zero, ``0s`` at least."""
    rest = max(0, int(seconds))
    parts: list[str] = []
    for unit, letter in zip(_UPTIME_UNITS_S, "ydhms", strict=True):
        count, rest = divmod(rest, unit)
        if count or parts or letter == "s":
            parts.append(f"{count}{letter}")
    return "".join(parts)


def parse_rtt(text: str) -> float | None:
    """Read the ``rtt`` of a connection in seconds; None where the server has not measured one, or says nonsense."""
    try:
        return parse_duration(text)
    except ValueError:
        return None
