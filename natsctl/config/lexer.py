"""Cuts the text of a ``nats.conf`` into tokens.

The language has no grammar of its own: what a character means depends on where it stands. A ``}`` ends a map but may
begin a key at the top level, ``#`` is a comment before a value and part of it inside, ``1k`` is a number and ``1k]`` a
string. The lexer is therefore a machine whose states are named after what may come next, each a method that returns
the following state.

Source: nats-server ``conf/lex.go``; kept with its surprises, because a file must mean the same to both servers.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from natsctl.config.words import quoted

__all__ = ["MAX_DEPTH", "Lexer", "MalformedError", "Token", "TokenKind"]


class TokenKind(Enum):
    """What a token is."""

    KEY = auto()
    STRING = auto()
    INTEGER = auto()
    FLOAT = auto()
    BOOLEAN = auto()
    DATE = auto()
    VARIABLE = auto()
    INCLUDE = auto()
    ARRAY_START = auto()
    ARRAY_END = auto()
    MAP_START = auto()
    MAP_END = auto()


class Token(NamedTuple):
    """One token; ``text`` has its quotes and escapes resolved, ``offset`` is where it began."""

    kind: TokenKind
    text: str
    offset: int


class MalformedError(Exception):
    """The text breaks the grammar at an offset; the parser turns this into a problem with file, line and column."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_COMMENT = re.compile(r"(?:#|//)[^\r\n]*+")
_SPACES = re.compile(rf"[{_SPACE}]*+")
_BLANKS = re.compile(r"[ \t]*+")
# possessive throughout: a file of blanks must not fill memory with ways to go back
_FILLER = re.compile(rf"(?:[{_SPACE}]++|{_COMMENT.pattern})*+")
_REST_OF_LINE = re.compile(rf"(?:[ \t]++|{_COMMENT.pattern})*+")
_REST_OF_TOP_LINE = re.compile(rf"(?:[ \t]++|/(?!/)|{_COMMENT.pattern})*+")  # there a single slash is a blank
_BETWEEN_BRACES = re.compile(r"(?:[ \t\r\n]++|/(?!/))*+")
_BARE_KEY = re.compile(rf"[^{_SPACE}:=]+")
_BARE_INCLUDE = re.compile(r"[^\r\n;}' \t]*")

_WORD = re.compile(r"[^\r\n;,\]}' \t\\]*")
_QUOTED_RUN = re.compile(r'[^"\\]*')
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "\\": "\\"}
_HEX_PAIR = re.compile(r"[0-9a-fA-F]{2}")
_BLOCK_END = re.compile(r"\n\)(?=\n|\Z)")

_DIGITS = re.compile(r"\d+")
_END_OF_NUMBER = re.compile(r"[\r\n},; \t]|\Z")
_SIZE_SUFFIX = re.compile(r"[kmgtpeKMGTPE][bBiI]*")
_FRACTION = re.compile(r"\.\d+")
_ADDRESS_REST = re.compile(r"[\d.:-]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

MAX_DEPTH = 100
"""Maps, arrays and braces inside one another; deeper nesting is refused rather than followed."""

_BOOLEANS = frozenset({"true", "false", "on", "off", "yes", "no"})

_State = Callable[[], "_State | None"]


class Lexer:
    """The tokens of one text, by iteration.

    Raises:
        MalformedError: While iterating, at the first place where no token can stand.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tokens: deque[Token] = deque()
        self._after: list[_State] = []  # what follows the value, map, array or brace that is open

    def __iter__(self) -> Iterator[Token]:
        state: _State | None = self._top
        while state is not None:
            state = state()
            while self._tokens:
                yield self._tokens.popleft()

    # --- small tools ---------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _open(self, after: _State) -> None:
        """Note what follows the value, map, array or brace that begins here."""
        if len(self._after) >= MAX_DEPTH:
            raise MalformedError(f"nested deeper than {MAX_DEPTH} levels", self._at)
        self._after.append(after)

    def _emit(self, kind: TokenKind, text: str, offset: int) -> None:
        self._tokens.append(Token(kind, text, offset))

    def _unexpected(self, wanted: str) -> MalformedError:
        found = self._peek()
        return MalformedError(f"expected {wanted}, found {found!r}" if found else f"expected {wanted}", self._at)

    # --- the top level, which one or more pairs of braces may enclose ----------------------------------------------

    def _top(self) -> _State | None:
        self._skip(_FILLER)
        if self._at == len(self._text):
            return None
        if self._peek() == "{":
            self._at += 1
            self._open(self._top)
            return self._braces
        return self._key(self._after_top_value, is_top=True)

    def _after_top_value(self) -> _State:
        self._skip(_REST_OF_TOP_LINE)
        found = self._peek()
        if found and found not in "\r\n;,}":
            raise self._unexpected("the end of the line after a value")
        self._at += len(found)
        return self._top

    def _braces(self) -> _State | None:
        self._skip(_FILLER)
        if self._at == len(self._text):
            return None
        match self._peek():
            case "{":
                self._at += 1
                self._open(self._after_inner_braces)
                return self._braces
            case "}":
                self._at += 1
                return self._after.pop()
        return self._key(self._after_braces_value, is_top=True)

    def _after_braces_value(self) -> _State:
        self._skip(_REST_OF_TOP_LINE)
        found = self._peek()
        if not found or found not in "\r\n;,}":
            raise self._unexpected("the end of the line or '}' after a value")
        self._at += 1
        return self._after.pop() if found == "}" else self._braces

    def _after_inner_braces(self) -> _State:
        self._skip(_BETWEEN_BRACES)
        if self._take(_COMMENT):
            return self._braces
        found = self._peek()
        if not found or found not in ";,}":
            raise self._unexpected("'}'")
        self._at += 1
        return self._after.pop() if found == "}" else self._braces

    # --- keys ------------------------------------------------------------------------------------------------------

    def _key(self, after_value: _State, *, is_top: bool) -> _State | None:
        start, found = self._at, self._peek()
        if found in ":=/":
            raise self._unexpected("a key")
        if found in "\"'":
            key = self._quoted_name()
        else:
            key = self._take(_BARE_KEY)
            if key.lower() == "include" and self._peek() not in ("", ":", "="):
                self._include()
                return after_value
        self._skip(_SPACES)
        at_end = self._at == len(self._text)
        if at_end and is_top and key == "}":
            return None  # the stray closing brace that nats-server lets a file end with
        if self._peek() in (":", "="):
            self._at += 1
            at_end = False
        if not is_top:
            self._skip(_SPACES)
        if at_end or (not is_top and self._peek() in ("}", ",", "")):
            raise MalformedError(f"key {quoted(key)} has no value", start)
        self._emit(TokenKind.KEY, key, start)
        self._open(after_value)
        return self._value

    def _quoted_name(self) -> str:
        start = self._at
        end = self._text.find(self._text[start], start + 1)
        if end < 0:
            raise MalformedError("a quote has no end", start)
        self._at = end + 1
        return self._text[start + 1 : end]

    def _include(self) -> None:
        self._skip(_BLANKS)
        start, found = self._at, self._peek()
        if found in ("'", '"'):
            self._emit(TokenKind.INCLUDE, self._quoted_name(), start)
            return
        if not found or found in "[{(-\\\r\n" or found.isdecimal():
            raise self._unexpected("the name of a file to include")
        self._emit(TokenKind.INCLUDE, self._take(_BARE_INCLUDE), start)
        if self._peek() == "'":
            self._at += 1

    # --- maps and arrays -------------------------------------------------------------------------------------------

    def _map(self) -> _State | None:
        self._skip(_FILLER)
        match self._peek():
            case "":
                raise MalformedError("the file ends inside a map", self._at)
            case "]":
                raise self._unexpected("a key or '}'")
            case "}":
                return self._close(TokenKind.MAP_END)
        return self._key(self._after_map_value, is_top=False)

    def _after_map_value(self) -> _State:
        self._skip(_REST_OF_LINE)
        match self._peek():
            case "}":
                return self._close(TokenKind.MAP_END)
            case "\r" | "\n" | "," | ";" | "/":
                self._at += 1
                return self._map
        raise self._unexpected("',', a new line or '}' after a value in a map")

    def _array(self) -> _State:
        self._skip(_FILLER)
        match self._peek():
            case "":
                raise MalformedError("the file ends inside an array", self._at)
            case "," | "/":
                raise self._unexpected("a value in an array")
            case "]":
                return self._close(TokenKind.ARRAY_END)
        self._open(self._after_array_value)
        return self._value

    def _after_array_value(self) -> _State:
        self._skip(_REST_OF_LINE)
        match self._peek():
            case "]":
                return self._close(TokenKind.ARRAY_END)
            case "\r" | "\n" | "," | "/":
                self._at += 1
                return self._array
        raise self._unexpected("',', a new line or ']' after a value in an array")

    def _close(self, kind: TokenKind) -> _State:
        self._emit(kind, "", self._at)
        self._at += 1
        return self._after.pop()

    # --- values ----------------------------------------------------------------------------------------------------

    def _value(self) -> _State:
        self._skip(_BLANKS)
        start, found = self._at, self._peek()
        match found:
            case "[":
                self._at += 1
                self._emit(TokenKind.ARRAY_START, "", start)
                return self._array
            case "{":
                self._at += 1
                self._emit(TokenKind.MAP_START, "", start)
                return self._map
            case "'":
                self._emit(TokenKind.STRING, self._quoted_name(), start)
            case '"':
                self._at += 1
                self._emit(TokenKind.STRING, self._unescaped(_QUOTED_RUN), start)
                self._at += 1
            case "(":
                self._block()
            case "." | "\r" | "\n":
                raise self._unexpected("a value (a number begins with a digit)" if found == "." else "a value")
            case _ if found == "-" or found.isdecimal():
                self._number()
            case _:
                self._bare(start)
        return self._after.pop()

    def _block(self) -> None:
        start = self._at
        end = _BLOCK_END.search(self._text, start + 1)
        if end is None:
            raise MalformedError("a block has no line that holds only ')'", start)
        # nats-server counts the parenthesis in when nothing at all follows it
        content_end = end.end() if end.end() == len(self._text) else end.end() - 1
        self._emit(TokenKind.STRING, self._text[start + 1 : content_end], start)
        self._at = end.end()

    def _unescaped(self, run: re.Pattern[str]) -> str:
        """Read runs of plain text and the escapes between them; stops before what the run excludes."""
        start = self._at
        parts: list[bytes] = []
        while True:
            parts.append(self._take(run).encode())
            if self._peek() != "\\":
                break
            parts.append(self._escape())
        if run is _QUOTED_RUN and not self._peek():
            raise MalformedError("a quoted string has no end", start - 1)
        try:
            return b"".join(parts).decode()
        except UnicodeDecodeError:
            raise MalformedError("the \\x escapes of this string are not UTF-8", start) from None

    def _escape(self) -> bytes:
        start = self._at
        self._at += 2
        name = self._text[start + 1 : start + 2]
        if name in _ESCAPES:
            return _ESCAPES[name].encode()
        if name != "x":
            raise MalformedError(f'invalid escape character {name!r}, allowed are \\xHH \\t \\n \\r \\" \\\\', start)
        digits = self._take(_HEX_PAIR)
        if not digits:
            raise MalformedError("expected two hexadecimal digits after \\x", start)
        return bytes.fromhex(digits)

    def _bare(self, start: int) -> None:
        """Read the rest of a bare string, boolean or variable that began at ``start``."""
        prefix = self._text[start : self._at]
        rest = self._unescaped(_WORD)
        word, is_verbatim = prefix + rest, self._at - start == len(prefix) + len(rest)
        if self._peek() == "'":
            self._at += 1
        elif is_verbatim and word.lower() in _BOOLEANS:
            self._emit(TokenKind.BOOLEAN, word.lower(), start)
            return
        elif is_verbatim and word.startswith("$"):
            self._emit(TokenKind.VARIABLE, word[1:], start)
            return
        self._emit(TokenKind.STRING, word, start)

    def _number(self) -> None:
        """Read an integer, size, float, date or address, or a bare string that begins like one."""
        start = self._at
        is_negative = self._peek() == "-"
        self._at += is_negative
        if not self._take(_DIGITS):
            raise self._unexpected("a digit")
        found = self._peek()
        if found == ".":
            self._fraction(start)
        elif found == "-" and not is_negative:
            self._date(start)
        elif self._take(_SIZE_SUFFIX):
            if _END_OF_NUMBER.match(self._text, self._at):
                self._emit(TokenKind.INTEGER, self._text[start : self._at], start)
            else:
                self._bare(start)
        elif is_negative or _END_OF_NUMBER.match(self._text, self._at):
            self._emit(TokenKind.INTEGER, self._text[start : self._at], start)
        else:
            self._at += 1  # whatever it is, even ']': nats-server has read on before it decides for a string
            self._bare(start)

    def _fraction(self, start: int) -> None:
        if not self._take(_FRACTION):
            self._at += 1
            raise self._unexpected("a digit after '.'")
        kind = TokenKind.FLOAT
        if self._peek() == ".":
            self._skip(_ADDRESS_REST)
            kind = TokenKind.STRING
        self._emit(kind, self._text[start : self._at], start)

    def _date(self, start: int) -> None:
        self._at = start
        date = self._take(_DATE)
        if not date:
            raise MalformedError("expected a date of the form 2006-01-02T15:04:05Z", start)
        self._emit(TokenKind.DATE, date, start)
