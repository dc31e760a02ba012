"""The shapes of recorded documents: which keys they have, and what kinds of values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from natsctl.monitoring.times import parse_time, parse_uptime
from natsctl.units import parse_duration

__all__ = ["ABSENT_KEYS", "misfits"]

ABSENT_KEYS = frozenset({"git_commit", "feature_flags"})
"""What only nats-server can say of itself."""

_FORMS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "num": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "time": lambda value: parse_time(value) > 0,
    "dur": lambda value: (
        parse_duration(value) >= 0 if "s" in value[-2:] and "d" not in value else parse_uptime(value) >= 0
    ),
}


def misfits(shape: Any, value: Any, path: str = "", *, absent: Collection[str] = ABSENT_KEYS) -> Iterator[str]:
    """Find where a document has not the recorded keys or kinds of values.

    Args:
        shape: Of the recording.
        value: The document, or a part of it.
        path: To that part.
        absent: Keys that it need not have.
    """
    if isinstance(shape, dict):
        for key, inner in shape.items():
            if key in value:
                yield from misfits(inner, value[key], f"{path}.{key}", absent=absent)
            elif key not in absent:
                yield f"{path}.{key} is missing"
    elif isinstance(shape, list):
        if shape and not value:
            yield f"{path} is empty"
        elif shape:
            yield from misfits(shape[0], _joined(value), f"{path}[]", absent=absent)
    elif not _FORMS[shape](value):
        yield f"{path} is {value!r}, not {shape}"


def _joined(items: list[Any]) -> Any:
    """One item with all that some item has, as the recordings show lists."""
    if not isinstance(items[0], dict):
        return items[0]
    whole: dict[str, Any] = {}
    for key, value in (entry for item in items for entry in item.items()):
        whole[key] = whole.get(key, []) + value if isinstance(value, list) else value
    return whole
