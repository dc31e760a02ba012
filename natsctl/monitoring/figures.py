"""Numbers as nats-top shows them: short enough for a column.

Source: nats-top ``util.Psize`` and ``util.Nsize``; beyond G, where those stop, bytes go on to T here.
"""

from __future__ import annotations

__all__ = ["format_count", "format_size"]


def format_size(n_bytes: float, *, raw: bool = False) -> str:
    """Write a number of bytes: ``512``, ``1.5K``, ``14.3M``, in steps of 1024.

    Args:
        n_bytes: What to write.
        raw: Write all of its digits.
    """
    return _scaled(n_bytes, 1024, "KMGT", raw=raw)


def format_count(n: float, *, raw: bool = False) -> str:
    """Write a count: ``999``, ``12.5K``, ``1.2B``, in steps of 1000.

    Args:
        n: What to write.
        raw: Write all of its digits.
    """
    return _scaled(n, 1000, "KMBT", raw=raw)


def _scaled(value: float, step: int, units: str, *, raw: bool) -> str:
    if raw or value < step:
        return str(int(value))
    for unit in units:
        value /= step
        # What would be rounded up to a whole step belongs to the next unit.
        if round(value, 1) < step or unit == units[-1]:
            break
    return f"{value:.1f}{unit}"
