import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natsctl.protocol.quote import escape_unprintable, go_quote


@pytest.mark.parametrize(
    ("data", "quoted"),
    [
        (b"", '""'),
        (b"hello", '"hello"'),
        (b'say "hi" \\o/', r'"say \"hi\" \\o/"'),
        (b"\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        (b"\x00\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("café 日本 🚀".encode(), '"café 日本 🚀"'),
        (b"caf\xe9", r'"caf\xe9"'),
        (b"\xe2\x82", r'"\xe2\x82"'),
        (b"\xed\xa0\x80", r'"\xed\xa0\x80"'),
        ("\x85\u00a0\u200b\u2028\ufeff".encode(), r'"\u0085\u00a0\u200b\u2028\ufeff"'),
        ("\ufffd".encode(), '"\ufffd"'),
        ("\U000e0001".encode(), r'"\U000e0001"'),
    ],
)
def test_bytes_are_quoted_as_go_quotes_them(data: bytes, quoted: str) -> None:
    assert go_quote(data) == quoted


@pytest.mark.parametrize(
    ("limit", "quoted"),
    [(0, r'"ab\ncd"'), (5, r'"ab\ncd"'), (4, r'"ab\nc..."'), (1, '"a..."'), (9, r'"ab\ncd"')],
)
def test_a_limit_counts_bytes_before_they_are_quoted(limit: int, quoted: str) -> None:
    assert go_quote(b"ab\ncd", limit) == quoted


def test_a_limit_may_split_a_character() -> None:
    assert go_quote("é!".encode(), 1) == r'"\xc3..."'


@given(st.binary())
def test_a_quoted_text_is_printable_and_holds_no_loose_quote(data: bytes) -> None:
    quoted = go_quote(data)
    assert quoted.isprintable()
    assert '"' not in quoted[1:-1].replace(r"\\", "").replace(r"\"", "")


@given(st.binary())
def test_quoting_loses_nothing(data: bytes) -> None:
    # Python reads every escape that Go writes; \x stands for a byte, the others for a character.
    unquoted = bytearray()
    rest = go_quote(data)[1:-1]
    while rest:
        length = {"x": 4, "u": 6, "U": 10}.get(rest[1:2], 2) if rest[0] == "\\" else 1
        piece, rest = rest[:length], rest[length:]
        if piece.startswith(r"\x"):
            unquoted.append(int(piece[2:], 16))
        elif piece.startswith("\\"):
            unquoted += piece.encode().decode("unicode_escape").encode()
        else:
            unquoted += piece.encode()
    assert bytes(unquoted) == data


def test_no_character_that_ends_a_line_or_steers_a_terminal_passes() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    passed = escape_unprintable(everything)
    assert {unicodedata.category(char) for char in passed if char != "\t"}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


@given(st.text())
def test_escaping_twice_changes_nothing(text: str) -> None:
    once = escape_unprintable(text)
    assert escape_unprintable(once) == once


def test_quotes_backslashes_and_tabs_stay_in_plain_text() -> None:
    assert escape_unprintable('a "b"\t\\ c\n') == 'a "b"\t\\ c\\n'
