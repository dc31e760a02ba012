"""Builds the document of a ``nats.conf`` from its tokens: values, variables, environment and included files.

Source: nats-server ``conf/parse.go``.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime

from natsctl.config.document import Node, Place, Value
from natsctl.config.lexer import MAX_DEPTH, Lexer, MalformedError, Token, TokenKind
from natsctl.config.words import quoted
from natsctl.errors import ConfigError, Problem

__all__ = ["MAX_SOURCE_BYTES", "MAX_WEIGHT", "Parser", "read_source"]

MAX_SOURCE_BYTES = 8 * 1024 * 1024
"""One file, and all files and environment values of one configuration together."""
MAX_WEIGHT = 4 * MAX_SOURCE_BYTES
"""Values and characters of a document whose variables are written out: repeated references grow exponentially."""
MAX_SOURCES_DEEP = 32
"""Files that include, and environment values that refer to, one another."""

_INT64 = range(-(2**63), 2**63)
_BCRYPT = "2a$"
_SECRETS = frozenset({"pass", "password", "token"})
_SCALE = {letter: (1000**power, 1024**power) for power, letter in enumerate("kmgtpe", start=1)}


class Parser:
    """Reads a configuration and everything it includes.

    Args:
        environ: Where variables are looked up that no enclosing map defines.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.budget = MAX_SOURCE_BYTES

    def parse(self, text: str, file: str, *, origin: tuple[str, ...] = ()) -> Node:
        """Read one text.

        Args:
            text: The configuration.
            file: Its name in problems; included files are relative to its directory.
            origin: The files and environment variables being read, outermost first.

        Raises:
            ConfigError: With the first problem of the grammar, of a variable or of an included file.
        """
        return _Source(self, text, file, origin).read()


def read_source(path: str) -> str:
    """Read a configuration file as text.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not UTF-8, or too large.
    """
    with open(path, "rb") as file:
        data = file.read(MAX_SOURCE_BYTES + 1)
    if len(data) > MAX_SOURCE_BYTES:
        raise ValueError(f"larger than {MAX_SOURCE_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None


class _Source:
    """One text being read: its tokens, the maps and arrays that are open, and the keys that wait for a value."""

    def __init__(self, parser: Parser, text: str, file: str, origin: tuple[str, ...]) -> None:
        self._parser = parser
        self._text = text
        self._file = file
        self._origin = origin
        self._line_starts: list[int] = []
        self._open: list[Node] = []
        self._keys: list[Token] = []

    def read(self) -> Node:
        self._parser.budget -= len(self._text)
        if self._parser.budget < 0:
            raise ConfigError([Problem(f"files and variables hold more than {MAX_SOURCE_BYTES} bytes", self._file)])
        nul = self._text.find("\0")
        if nul >= 0:
            raise ConfigError([self._place(nul).problem("a NUL character is not allowed")])
        root = Node({}, Place(self._file, 1, 1))
        self._open.append(root)
        try:
            for token in Lexer(self._text):
                self._take(token)
        except MalformedError as error:
            raise ConfigError([self._place(error.offset).problem(error.message)]) from None
        self._check_extent(root)
        return root

    def _place(self, offset: int) -> Place:
        if not self._line_starts:
            self._line_starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        line = bisect_right(self._line_starts, offset)
        return Place(self._file, line, offset - self._line_starts[line - 1] + 1)

    def _take(self, token: Token) -> None:
        match token.kind:
            case TokenKind.KEY:
                self._keys.append(token)
            case TokenKind.INCLUDE:
                self._include(token)
            case TokenKind.MAP_START:
                self._open.append(Node({}, self._place(token.offset)))
            case TokenKind.ARRAY_START:
                self._open.append(Node([], self._place(token.offset)))
            case TokenKind.MAP_END | TokenKind.ARRAY_END:
                node = self._open.pop()
                self._check_extent(node)
                self._put(node)
            case TokenKind.VARIABLE:
                self._put(self._resolve(token))
            case _:
                self._put(Node(_scalar(token), self._place(token.offset), weight=1 + len(token.text)))

    def _put(self, node: Node) -> None:
        container = self._open[-1]
        container.weight += node.weight
        container.height = max(container.height, node.height + 1)
        if isinstance(container.value, dict):
            key = self._keys.pop()
            node.place = self._place(key.offset)
            self._define(container.value, key.text, node)
        elif isinstance(container.value, list):
            container.value.append(node)

    def _define(self, target: dict[str, Node], key: str, node: Node) -> None:
        target.pop(key, None)  # a repeated key counts where it stands last
        target[key] = node

    def _check_extent(self, node: Node) -> None:
        if node.weight > MAX_WEIGHT:
            raise ConfigError([node.place.problem(f"more than {MAX_WEIGHT} values when its variables are written out")])
        if node.height > MAX_DEPTH:
            raise ConfigError([node.place.problem(f"nested deeper than {MAX_DEPTH} levels")])

    # --- variables ---------------------------------------------------------------------------------------------------

    def _resolve(self, token: Token) -> Node:
        place = self._place(token.offset)
        if token.text.startswith(_BCRYPT):  # the one hash that may stand unquoted
            return Node(f"${token.text}", place, weight=len(token.text))
        for container in reversed(self._open):
            if isinstance(container.value, dict) and token.text in container.value:
                found = container.value[token.text]
                found.is_referenced = True
                return Node(found.value, place, weight=found.weight, height=found.height)
        if token.text in self._parser.environ:
            return self._from_environment(token.text, place)
        raise ConfigError([place.problem(f"{self._variable(token.text)} is not defined")])

    def _variable(self, name: str) -> str:
        """Name a variable, but not where it is more likely a password whose first character is ``$``."""
        is_secret = bool(self._keys) and self._keys[-1].text.lower() in _SECRETS
        return "the variable" if is_secret else f"variable {quoted(name)}"

    def _from_environment(self, name: str, place: Place) -> Node:
        marker = f"${name}"
        if marker in self._origin:
            raise ConfigError([place.problem(f"{self._variable(name)} refers to itself")])
        text = f"value={self._parser.environ[name]}"
        try:
            text.encode()
            root = self._read_nested(text, self._file, marker, place)
        except (ConfigError, UnicodeEncodeError):
            message = f"the environment's value of {self._variable(name)} is not a configuration value"
            raise ConfigError([place.problem(message)]) from None
        assert isinstance(root.value, dict)
        found = root.value["value"]
        return Node(found.value, place, weight=found.weight, height=found.height)

    def _read_nested(self, text: str, file: str, marker: str, place: Place) -> Node:
        if len(self._origin) >= MAX_SOURCES_DEEP:
            raise ConfigError([place.problem(f"files and variables lead {MAX_SOURCES_DEEP} deep into one another")])
        return self._parser.parse(text, file, origin=(*self._origin, marker))

    # --- includes ----------------------------------------------------------------------------------------------------

    def _include(self, token: Token) -> None:
        place = self._place(token.offset)
        path = os.path.normpath(f"{os.path.dirname(self._file) or '.'}/{token.text}")  # absolute names are joined too
        real = os.path.realpath(path)
        if real in self._origin:
            chain = " -> ".join((*self._origin[self._origin.index(real) :], real))
            raise ConfigError([place.problem(f"files include one another: {chain}")])
        try:
            text = read_source(path)
        except (OSError, ValueError) as error:
            reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else error
            raise ConfigError([place.problem(f"cannot include {quoted(path)}: {reason}")]) from None
        root = self._read_nested(text, path, real, place)
        container = self._open[-1]
        assert isinstance(container.value, dict) and isinstance(root.value, dict)
        for key, node in root.value.items():
            self._define(container.value, key, node)
        container.weight += root.weight
        container.height = max(container.height, root.height)


def _scalar(token: Token) -> Value:
    """Read the value of a token that is neither a map nor an array.

    Raises:
        MalformedError: A number out of range, or a date that does not exist.
    """
    match token.kind:
        case TokenKind.BOOLEAN:
            return token.text in ("true", "yes", "on")
        case TokenKind.INTEGER:
            return _integer(token)
        case TokenKind.FLOAT:
            return _float(token)
        case TokenKind.DATE:
            try:
                return datetime.strptime(token.text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            except ValueError:
                raise MalformedError(f"{quoted(token.text)} is not a date of the calendar", token.offset) from None
    return token.text


def _integer(token: Token) -> int:
    digits = token.text.rstrip("kmgtpebiKMGTPEBI")
    suffix = token.text[len(digits) :].lower()
    if not token.text.isascii():
        raise MalformedError("an integer is written with the digits 0 to 9", token.offset)
    magnitude = digits.lstrip("-0") or "0"
    if len(magnitude) > 19:
        raise MalformedError("the integer does not fit into 64 bits", token.offset)
    value = -int(magnitude) if digits[0] == "-" else int(magnitude)
    if suffix:
        if suffix[1:] not in ("", "b", "i", "ib"):
            raise MalformedError(f"unknown size suffix {quoted(suffix)}", token.offset)
        value *= _SCALE[suffix[0]][suffix[1:] != ""]
    if value not in _INT64:
        raise MalformedError("the integer does not fit into 64 bits", token.offset)
    return value


def _float(token: Token) -> float:
    if not token.text.isascii():
        raise MalformedError("a float is written with the digits 0 to 9", token.offset)
    value = float(token.text)
    if value in (float("inf"), float("-inf")):
        raise MalformedError("the float is out of range", token.offset)
    return value
