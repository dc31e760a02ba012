"""The query of a page's URL, read as nats-server reads it, down to the words of its refusals.

Source: nats-server ``monitor.go`` (decodeBool, decodeInt, decodeUint64, decodeState, decodeSubs); Go ``strconv``.
"""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import parse_qsl

from natsctl.protocol.quote import go_quote

__all__ = ["DEFAULT_LIMIT", "BadQueryError", "ListDetail", "Query", "State"]

DEFAULT_LIMIT = 1024
"""Rows of a page that asks for no other number."""

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("", "0", "f", "F", "FALSE", "false", "False")
_SIGNED = re.compile(r"[+-]?[0-9]+")
_UNSIGNED = re.compile(r"[0-9]+")
_MOST_DIGITS = 4096
"""Python refuses to read numbers much longer; nobody means one."""


class BadQueryError(Exception):
    """A parameter that cannot be meant; the message is the body of the answer."""


class State(Enum):
    """Which connections to list."""

    OPEN = "open"
    CLOSED = "closed"
    ANY = "any"


class ListDetail(Enum):
    """How much to tell of each subscription."""

    NOTHING = 0
    SUBJECT = 1
    EVERYTHING = 2


class Query:
    """The parameters of one request; of a repeated one the first counts, an empty one is as good as none."""

    def __init__(self, query_string: bytes) -> None:
        pairs = parse_qsl(query_string.decode("latin-1"), errors="surrogateescape")
        self._values = dict(reversed(pairs))

    def text(self, name: str) -> str:
        """Give a parameter as it is."""
        return self._values.get(name, "")

    def boolean(self, name: str) -> bool:
        """Read a yes or no.

        Raises:
            BadQueryError: Neither.
        """
        value = self.text(name)
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise _refusal("boolean", name, "ParseBool", value, "invalid syntax")

    def integer(self, name: str) -> int:
        """Read a number, 0 where there is none.

        Raises:
            BadQueryError: No number of 64 bits.
        """
        return self._number("int", name, "Atoi", _SIGNED, -(2**63), 2**63)

    def unsigned(self, name: str) -> int:
        """Read a number that is not negative, 0 where there is none.

        Raises:
            BadQueryError: No number of 64 bits.
        """
        return self._number("uint64", name, "ParseUint", _UNSIGNED, 0, 2**64)

    def offset(self) -> int:
        """Read how many rows to skip."""
        return max(self.integer("offset"), 0)

    def limit(self) -> int:
        """Read how many rows to show at most."""
        given = self.integer("limit")
        return given if given > 0 else DEFAULT_LIMIT

    def list_detail(self) -> ListDetail:
        """Read what ``subs`` asks for: ``detail``, or a yes or no."""
        if self.text("subs").lower() == "detail":
            return ListDetail.EVERYTHING
        return ListDetail.SUBJECT if self.boolean("subs") else ListDetail.NOTHING

    def state(self) -> State:
        """Read which connections are meant.

        Raises:
            BadQueryError: Not a state.
        """
        given = self.text("state")
        try:
            return State({"": "open", "all": "any"}.get(given.lower(), given.lower()))
        except ValueError:
            raise BadQueryError(f"Error decoding state for {given}") from None

    def _number(self, kind: str, name: str, function: str, form: re.Pattern[str], low: int, end: int) -> int:
        value = self.text(name)
        if not value:
            return 0
        if not form.fullmatch(value):
            raise _refusal(kind, name, function, value, "invalid syntax")
        if len(value) > _MOST_DIGITS or not low <= int(value) < end:
            raise _refusal(kind, name, function, value, "value out of range")
        return int(value)


def _refusal(kind: str, name: str, function: str, value: str, why: str) -> BadQueryError:
    quoted = go_quote(value.encode("utf-8", "surrogateescape"))
    return BadQueryError(f"Error decoding {kind} for '{name}': strconv.{function}: parsing {quoted}: {why}")
