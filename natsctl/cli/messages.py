"""How messages come in on the command line, and how they are shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from natsctl.cli.output import printable
from natsctl.errors import UsageError
from natsctl.ops.lines import read_whole
from natsctl.ops.message import Headers, Message, add_header

__all__ = ["human_message", "open_input", "parse_header_options", "read_body"]


def parse_header_options(options: Sequence[str] | None) -> Headers:
    """Read ``-H NAME:VALUE`` options.

    Raises:
        UsageError: One has no colon, or cannot be sent.
    """
    headers: Headers = {}
    for option in options or ():
        name, colon, value = option.partition(":")
        if not colon:
            raise UsageError(f'invalid header "{option}": write NAME:VALUE')
        add_header(headers, name, value)
    return headers


async def read_body(body: str | None, max_bytes: int) -> bytes:
    """Make a message body of an argument: the text itself, ``@file``, ``-`` for stdin; without one, stdin if piped.

    Raises:
        UsageError: It is larger than ``max_bytes``.
        OSError: The file cannot be read.
    """
    if body is None and sys.stdin.isatty():
        return b""
    if body is None or body == "-":
        return await read_whole(sys.stdin.fileno(), max_bytes)
    if body.startswith("@"):
        with open_input(body[1:]) as file:
            return await read_whole(file.fileno(), max_bytes)
    return body.encode(errors="surrogateescape")


def open_input(file: str) -> BinaryIO:
    """Open a file named on the command line; ``-`` is stdin."""
    return sys.stdin.buffer if file == "-" else Path(file).expanduser().open("rb")


def human_message(message: Message, first_line: str, *, with_body: bool = True, on_terminal: bool) -> bytes:
    """Show a message for people: a first line, headers, an empty line, the body and an empty line.

    A body goes through unchanged unless it meets a terminal, which it could command.
    """
    lines = [printable(first_line)] if first_line else []
    lines += [printable(f"{name}: {value}") for name, values in message.headers.items() for value in values]
    if not with_body:
        return "".join(f"{line}\n" for line in lines).encode()
    if message.headers:
        lines.append("")
    head = "".join(f"{line}\n" for line in lines).encode()
    body = message.body or b"nil body"
    if on_terminal:
        body = printable(body.decode(errors="backslashreplace")).encode()
    return head + body + (b"\n" if body.endswith(b"\n") else b"\n\n")
