"""Bytes from peers made fit for log lines: quoted as Go does, or freed of what would leave the line.

Source: Go ``strconv.Quote``, as seen in the trace lines of nats-server 2.15.
"""

from __future__ import annotations

__all__ = ["escape_unprintable", "go_quote"]


class _GoEscapes(dict[int, str]):
    """A table for ``str.translate`` that escapes what Go holds unprintable; entries given come first.

    Python and Go call the same characters printable, but for those newer than Python's Unicode tables.
    """

    def __init__(self, entries: dict[str, str]) -> None:
        # The usual characters are computed once: a payload of a mebibyte is translated in one call.
        usual = (*range(0x80), *range(0xDC80, 0xDD00))
        super().__init__({code: self.__missing__(code) for code in usual})
        self.update({ord(char): escape for char, escape in entries.items()})

    def __missing__(self, code: int) -> str:
        if chr(code).isprintable():
            return chr(code)
        if 0xDC80 <= code < 0xDD00:  # a byte that is not UTF-8, carried by "surrogateescape"
            return f"\\x{code - 0xDC00:02x}"
        if code < 0x80:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_CONTROLS = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\v": r"\v"}
_QUOTED = _GoEscapes({**_CONTROLS, "\t": r"\t", '"': r"\"", "\\": r"\\"})
_PLAIN = _GoEscapes({**_CONTROLS, "\t": "\t"})


def go_quote(data: bytes, limit: int = 0) -> str:
    r"""Quote bytes as Go's ``%q``: ``"caf\xe9\r\n"``.

    Args:
        data: Any bytes; what is not UTF-8 becomes ``\xNN``.
        limit: Show this many bytes and three dots when there are more; 0 shows all.
    """
    dots = "..." if 0 < limit < len(data) else ""
    shown = data[:limit] if dots else data
    return f'"{shown.decode("utf-8", "surrogateescape").translate(_QUOTED)}{dots}"'


def escape_unprintable(text: str) -> str:
    r"""Escape control characters and the like, so that text stays on its line: ``\n``, ``\x1b``, ``\u2028``.

    Quotes, backslashes and tabs stay as they are. Escaping twice changes nothing.
    """
    return text if text.isprintable() else text.translate(_PLAIN)
