"""Readers of single values: numbers, strings, durations, addresses, lists.

Each takes a node and a report and gives a Python value, or refuses with a sentence that continues the key's name.
Readers with parameters are made by a function of the same look.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from natsctl.config.document import Node
from natsctl.config.schema import Reader, RefusedError, Report
from natsctl.config.words import kind, quoted
from natsctl.protocol.nkey import decode_public
from natsctl.units import parse_duration

__all__ = [
    "ACCOUNT",
    "INT32_MAX",
    "OPERATOR",
    "HostPort",
    "boolean",
    "choice",
    "duration",
    "duration_text",
    "each",
    "host_port",
    "integer",
    "integer_between",
    "name_without_blanks",
    "nkey",
    "percentage",
    "seconds",
    "string",
    "string_or_strings",
    "strings",
    "table",
    "timeout",
    "unlimited_at_zero",
    "unlimited_below_zero",
]

INT32_MAX = 2**31 - 1
ACCOUNT = 0 << 3
OPERATOR = 14 << 3

_GO_DURATION_MAX_S = 2**63 / 1e9
_GO_DURATION = re.compile(r"[-+]?[0-9.a-zµμ]*")
_LONG_TIMEOUT_S = 60
_HOST_PORT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]*)\]|(?P<host>[^\[\]:]*)):(?P<port>[^\[\]:]*)")
_PERCENTAGE = re.compile(r"([0-9]{1,3})%?")
_PORT = re.compile(r"[-+]?[0-9]{1,18}")


class HostPort(NamedTuple):
    """An address to listen on; an empty host where only a port was given."""

    host: str
    port: int


def _expect(node: Node, kinds: type | tuple[type, ...], wanted: str) -> Any:
    if not isinstance(node.value, kinds) or (isinstance(node.value, bool) and kinds is not bool):
        raise RefusedError(f"must be {wanted}, found {kind(node.value)}", node)
    return node.value


def string(node: Node, _: Report) -> str:
    """Read a string."""
    return str(_expect(node, str, "a string"))


def boolean(node: Node, _: Report) -> bool:
    """Read a boolean, which is never quoted."""
    return bool(_expect(node, bool, "a boolean (true or false, not quoted)"))


def integer(node: Node, _: Report) -> int:
    """Read an integer or a size such as ``64KB``."""
    return int(_expect(node, int, "an integer"))


def integer_between(low: int, high: int) -> Reader:
    """Make a reader of integers within limits, both included."""

    def read(node: Node, report: Report) -> int:
        value = integer(node, report)
        if not low <= value <= high:
            raise RefusedError(f"must be from {low} to {high}, found {value}")
        return value

    return read


def percentage(low: int) -> Reader:
    """Make a reader of integers up to 100 that may be strings with a percent sign."""

    def read(node: Node, _: Report) -> int:
        value = node.value
        if isinstance(value, str) and (match := _PERCENTAGE.fullmatch(value)):
            value = int(match[1])
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= 100:
            raise RefusedError(f"must be a percentage from {low} to 100", node)
        return value

    return read


def unlimited_at_zero(node: Node, report: Report) -> int:
    """Read a limit that 0 switches off."""
    value = integer(node, report)
    return value if value > 0 else -1


def unlimited_below_zero(node: Node, report: Report) -> int:
    """Read a limit that any negative number switches off."""
    return max(integer(node, report), -1)


def name_without_blanks(node: Node, report: Report) -> str:
    """Read the name of a server, cluster or gateway."""
    value = string(node, report)
    if " " in value:
        raise RefusedError(f"must not contain blanks, found {quoted(value)}")
    return value


def choice(*words: str, any_case: bool = False) -> Reader:
    """Make a reader of one word out of a few."""

    def read(node: Node, report: Report) -> str:
        value = string(node, report)
        word = value.lower() if any_case else value
        if word not in words:
            raise RefusedError(f"must be one of {', '.join(map(repr, words))}, found {quoted(value)}")
        return word

    return read


def _parse_duration(node: Node, text: str) -> float:
    wanted = "must be a duration such as 500ms, 30s or 1h30m"
    try:
        if not _GO_DURATION.fullmatch(text):
            raise ValueError
        value = parse_duration(text)
    except ValueError:
        raise RefusedError(f"{wanted}, found {quoted(text)}", node) from None
    if abs(value) >= _GO_DURATION_MAX_S:
        raise RefusedError(f"{wanted} below 292 years, found {quoted(text)}", node)
    return value


def duration_text(node: Node, _: Report) -> float:
    """Read a duration that must have a unit.

    Units: seconds.
    """
    return _parse_duration(node, _expect(node, str, "a duration such as 500ms, 30s or 1h30m"))


def seconds(node: Node, report: Report) -> float:
    """Read a duration, or a number that counts seconds.

    Units: seconds.
    """
    if isinstance(node.value, str):
        return _parse_duration(node, node.value)
    return float(_expect(node, (int, float), "a number of seconds or a duration"))


def duration(node: Node, report: Report) -> float:
    """Read a duration; a plain integer still counts seconds, with a warning.

    Units: seconds.
    """
    value = _expect(node, (str, int), "a duration such as 500ms, 30s or 1h30m")
    if isinstance(value, str):
        return _parse_duration(node, value)
    if abs(value) >= _GO_DURATION_MAX_S:
        raise RefusedError(f"must be a duration below 292 years, found {value} s")
    report.warn(node.place, f"the number {value} counts seconds here; write a duration such as {value}s")
    return float(value)


def timeout(node: Node, report: Report) -> float:
    """Read how long a client may take to log in; a long time is doubtful.

    Units: seconds.
    """
    value = seconds(node, report)
    if value > _LONG_TIMEOUT_S:
        message = (
            f"a timeout of {value:g} s is above {_LONG_TIMEOUT_S} s (1m without quotes is a million, not a minute)"
        )
        report.warn(node.place, message)
    return value


def host_port(node: Node, _: Report) -> HostPort:
    """Read ``host:port``, or a port alone."""
    value = _expect(node, (str, int), "a port or host:port")
    if isinstance(value, int):
        return HostPort("", value)
    match = _HOST_PORT.fullmatch(value)
    if match is None:
        raise RefusedError(f"must be a port or host:port, found {quoted(value)}")
    if not _PORT.fullmatch(match["port"]):
        raise RefusedError(f"must end with a port number, found {quoted(match['port'])}")
    return HostPort(match["bracketed"] or match["host"] or "", int(match["port"]))


def each(reader: Reader, what: str) -> Reader:
    """Make a reader of arrays; a refused item becomes an error and is left out."""

    def read(node: Node, report: Report) -> list[Any]:
        items = _expect(node, list, f"an array of {what}")
        results = (report.read(f"each of the {what}", item, reader) for item in items)
        return [value for is_read, value in results if is_read]

    return read


def strings(node: Node, _: Report) -> list[str]:
    """Read an array of strings."""
    items = _expect(node, list, "an array of strings")
    return [_expect(item, str, "an array of strings") for item in items]


def string_or_strings(node: Node, report: Report) -> list[str]:
    """Read an array of strings, or a string alone."""
    if isinstance(node.value, str):
        return [node.value]
    items = _expect(node, list, "a string or an array of strings")
    return [_expect(item, str, "an array of strings") for item in items]


def table(reader: Reader) -> Reader:
    """Make a reader of maps whose keys are free and whose values are alike."""

    def read(node: Node, report: Report) -> dict[str, Any]:
        entries: dict[str, Node] = _expect(node, dict, "a map")
        results = {key: report.read(quoted(key), entry, reader) for key, entry in entries.items()}
        return {key: value for key, (is_read, value) in results.items() if is_read}

    return read


def nkey(prefix: int, whose: str) -> Reader:
    """Make a reader of public nkeys of one kind."""

    def read(node: Node, report: Report) -> str:
        value = string(node, report)
        try:
            decode_public(prefix, value)
        except ValueError as error:
            raise RefusedError(f"must be the public nkey of {whose}: {error}", node) from None
        return value

    return read
