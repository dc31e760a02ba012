"""The grammar of the client protocol: verbs letter by letter, arguments, and the errors of both.

A verb is refused at its first wrong byte, without waiting for the line to end: a peer that speaks another protocol is
told at once. The state numbers and texts in the errors are those of nats-server, because operators search for them.

Source: nats-server ``parser.go`` (parse, protoSnippet), ``client.go`` (splitArg, processPub, processHeaderPub,
parseSub, processUnsub), ``util.go`` (parseSize).
"""

from __future__ import annotations

import re
from typing import TypeAlias

from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.quote import go_quote

__all__ = [
    "PAYLOAD_CR_STATE",
    "PAYLOAD_LF_STATE",
    "PUBLISH",
    "PublishArgs",
    "control_line_error",
    "parse_hpub",
    "parse_pub",
    "parse_size",
    "parse_sub",
    "parse_unsub",
    "scan_verb",
    "unknown_operation",
]

PUBLISH = re.compile(
    rb"(?:PUB|(H)PUB) ([^ \t\r\n]++) ++()(?:([^ \t\r\n]++) )?(?(1)([1-9][0-9]{0,8}+) )([0-9]{1,9}+)\r\n"
)
"""A faultless PUB or HPUB line as clients write it: the H, subject, nothing, reply, header size (HPUB only), size.

From the empty group on, the bytes go out to the receivers as they stand, so only the form they expect counts: one
blank between two arguments, CRLF at the end, HPUB only where headers follow. Some clients write two blanks where the
reply would be.
"""

PAYLOAD_CR_STATE = 41
PAYLOAD_LF_STATE = 42

_STATES = {
    b"PUB": (0, 29, 30, 31),
    b"HPUB": (0, 18, 19, 20, 21),
    b"SUB": (0, 43, 44, 45),
    b"UNSUB": (0, 59, 60, 61, 62, 63),
    b"PING": (0, 29, 34, 35),
    b"PONG": (0, 29, 37, 38),
    b"CONNECT": (0, 10, 11, 12, 13, 14, 15),
    b"INFO": (0, 71, 72, 73),
    b"+OK": (0, 1, 2),
    b"-ERR": (0, 4, 5, 6, 7),
    b"HMSG": (0, 18, 24, 25, 26),
}
"""Verb to parser state at each of its letters; a verb with one more state than letters wants a blank behind it."""

_PREFIXES = {verb[:n]: states[n] for verb, states in _STATES.items() for n in range(len(verb))}
_WANTS_BLANK = {verb: states[-1] for verb, states in _STATES.items() if len(states) > len(verb)}
_LONGEST = max(map(len, _STATES))
_SNIPPET_BYTES = 32
_MAX_SIZE_DIGITS = 9
_BLANKS = re.compile(rb"[ \t]+")
_BLANKS_AND_ENDS = re.compile(rb"[ \t\r\n]+")
"""What parts the arguments of SUB and UNSUB; in those of a publish a stray CR is a byte like any other."""


PublishArgs: TypeAlias = tuple[bytes, bytes, bytes, bytes, int, int]
"""What PUB and HPUB say: subject, reply, header size and size as written, header size, size.

A plain tuple, because one is made for every message. The sizes as written go out again to the receivers; the header
size of PUB is 0, the size counts headers and payload.
"""


def unknown_operation(data: bytes, at: int, state: int, offset: int = 0) -> WireError:
    """Make the error for a byte that no verb allows; ``offset`` bytes of ``data`` came with earlier reads."""
    stop = at + _SNIPPET_BYTES
    snippet = data[at : stop if stop <= len(data) else len(data) - 1]
    return WireError(
        ClosedReason.PROTOCOL_VIOLATION,
        wire="Unknown Protocol Operation",
        log=f"Client parser ERROR, state={state}, i={max(at - offset, 0)}: proto='{go_quote(snippet)}...'",
    )


def control_line_error(limit: int) -> WireError:
    """Make the error for an argument part longer than max_control_line."""
    return WireError(
        ClosedReason.MAX_CONTROL_LINE_EXCEEDED,
        wire="maximum control line exceeded",
        log=f"maximum control line exceeded: limit is {limit} bytes",
    )


def scan_verb(data: bytes, start: int, offset: int = 0) -> tuple[bytes, int] | None:
    """Read the verb at ``start``.

    Returns:
        The verb in capitals and where its arguments begin (blanks skipped), or None when the bytes end before that
        is known.

    Raises:
        WireError: A byte that no verb has there.
    """
    word = data[start : start + _LONGEST].upper()
    for length in range(1, len(word) + 1):
        verb = word[:length]
        if verb in _STATES:
            return _after_verb(data, start + length, verb, offset)
        if verb not in _PREFIXES:
            raise unknown_operation(data, start + length - 1, _PREFIXES[word[: length - 1]], offset)
    return None


def _after_verb(data: bytes, at: int, verb: bytes, offset: int) -> tuple[bytes, int] | None:
    if verb in (b"PING", b"PONG", b"+OK"):
        return verb, at
    blanks = _BLANKS.match(data, at)
    begin = blanks.end() if blanks is not None else at
    if begin >= len(data):
        return None
    if blanks is None and verb in _WANTS_BLANK:
        raise unknown_operation(data, at, _WANTS_BLANK[verb], offset)
    return verb, begin


def _split(args: bytes, blanks: re.Pattern[bytes] = _BLANKS) -> list[bytes]:
    return [part for part in blanks.split(args) if part]


def _violation(log: str) -> WireError:
    # Ill-formed arguments close the connection without a word; only the log tells.
    return WireError(ClosedReason.PROTOCOL_VIOLATION, log=log)


def parse_size(text: bytes) -> int:
    """Read a size of one to nine digits; anything else gives -1."""
    return int(text) if text.isdigit() and len(text) <= _MAX_SIZE_DIGITS else -1


def parse_pub(args: bytes) -> PublishArgs:
    """Read ``<subject> [reply] <size>``.

    Raises:
        WireError: Another number of arguments, or no size.
    """
    parts = _split(args)
    if len(parts) not in (2, 3):
        raise _violation(f"processPub Parse Error: {go_quote(args)}")
    size = parse_size(parts[-1])
    if size < 0:
        raise _violation(f"processPub Bad or Missing Size: {go_quote(args)}")
    reply = parts[1] if len(parts) == 3 else b""
    return parts[0], reply, b"", parts[-1], 0, size


def parse_hpub(args: bytes) -> PublishArgs:
    """Read ``<subject> [reply] <header size> <total size>``.

    Raises:
        WireError: Another number of arguments, or sizes that cannot be.
    """
    parts = _split(args)
    if len(parts) not in (3, 4):
        raise _violation(f"processHeaderPub Parse Error: {go_quote(args)}")
    header_size, size = parse_size(parts[-2]), parse_size(parts[-1])
    if header_size < 0:
        raise _violation(f"processHeaderPub Bad or Missing Header Size: {go_quote(args)}")
    if size < 0:
        raise _violation(f"processHeaderPub Bad or Missing Total Size: {go_quote(args)}")
    if header_size > size:
        raise _violation(f"processHeaderPub Header Size larger then TotalSize: {go_quote(args)}")
    reply = parts[1] if len(parts) == 4 else b""
    return parts[0], reply, parts[-2], parts[-1], header_size, size


def parse_sub(args: bytes) -> tuple[bytes, bytes | None, bytes]:
    """Read ``<subject> [queue] <sid>``.

    Raises:
        WireError: Another number of arguments.
    """
    parts = _split(args, _BLANKS_AND_ENDS)
    if len(parts) not in (2, 3):
        raise _violation(f"processSub Parse Error: {go_quote(args)}")
    return parts[0], parts[1] if len(parts) == 3 else None, parts[-1]


def parse_unsub(args: bytes) -> tuple[bytes, int]:
    """Read ``<sid> [max]``; a max that is no number counts as none (0).

    Raises:
        WireError: Another number of arguments.
    """
    parts = _split(args, _BLANKS_AND_ENDS)
    if len(parts) not in (1, 2):
        raise _violation(f"processUnsub Parse Error: {go_quote(args)}")
    return parts[0], max(parse_size(parts[1]), 0) if len(parts) == 2 else 0
