"""A parsed configuration: values that know where they stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from natsctl.errors import Problem

__all__ = ["Node", "Place", "Plain", "Value", "digest", "plain"]

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | datetime"
Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | datetime"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands.

    Units: ``line`` and ``column`` count from 1, in characters.
    """

    file: str
    line: int
    column: int

    def problem(self, message: str) -> Problem:
        """Say something about this place."""
        return Problem(message, self.file, self.line, self.column)


@dataclass(slots=True, eq=False)
class Node:
    """One value of a document.

    A value in a map has the place of its key, for that is where a reader looks; a value in an array has its own.
    A variable shares the value, and for a map or array the nodes below it, with the key it refers to.
    """

    value: Value
    place: Place
    is_referenced: bool = False
    """A variable somewhere refers to this key, so it needs no other meaning."""
    weight: int = 1
    """Values and characters below this node, with each reference written out."""
    height: int = 0
    """Maps and arrays below this node, one inside the other."""


def plain(node: Node) -> Plain:
    """Strip the places: dictionaries, lists and scalars of Python."""
    if isinstance(node.value, dict):
        return {key: plain(entry) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def digest(node: Node) -> str:
    """Fingerprint a document as nats-server does, so that both servers show the same for one file.

    Wire: ``sha256:<hex>`` over the compact JSON that Go's encoder writes, with sorted keys and a final newline.
    """
    total = hashlib.sha256()
    for part in _go_json(node.value):
        total.update(part.encode())
    total.update(b"\n")
    return f"sha256:{total.hexdigest()}"


def _go_json(value: Value) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for index, key in enumerate(sorted(value)):
            yield f"{',' if index else ''}{_go_string(key)}:"
            yield from _go_json(value[key].value)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield "," if index else ""
            yield from _go_json(item.value)
        yield "]"
    elif isinstance(value, str):
        yield _go_string(value)
    elif isinstance(value, datetime):
        yield f'"{value.replace(tzinfo=None).isoformat()}Z"'
    elif isinstance(value, float):
        yield _go_float(value)
    else:
        yield json.dumps(value)


_HTML = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def _go_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_HTML)


def _go_float(value: float) -> str:
    """Write the shortest digits, with an exponent below 1e-6 and from 1e21 on."""
    sign, digits, exponent = _shortest(value)
    if digits == "0":
        return f"{sign}0"
    magnitude = len(digits) + exponent
    if not -6 < magnitude <= 21:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{magnitude - 1:+d}"
    if exponent >= 0:
        return f"{sign}{digits}{'0' * exponent}"
    if magnitude > 0:
        return f"{sign}{digits[:magnitude]}.{digits[magnitude:]}"
    return f"{sign}0.{'0' * -magnitude}{digits}"


def _shortest(value: float) -> tuple[str, str, int]:
    """Split a float into sign, significant digits and the power of ten of the last one."""
    text = repr(abs(value))
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) - len(fraction)
    stripped = digits.rstrip("0")
    return "-" if str(value)[0] == "-" else "", stripped or "0", exponent + len(digits) - len(stripped)
