r"""Messages as the commands see them, and their headers on the wire.

Wire: ``NATS/1.0[ <status>[ <description>]]\r\n`` then ``<name>: <value>\r\n`` lines and an empty line.
Source: ADR-4. A server passes header blocks on unread, so a received block may hold any bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from natsctl.errors import UsageError

__all__ = ["HeaderBlock", "Headers", "Message", "add_header", "header_block_size", "parse_headers"]

Headers = dict[str, list[str]]
"""Header name, as written, to its values in the order sent."""

_VERSION = b"NATS/1.0"
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """A parsed header block: its fields and, where the server speaks, a status."""

    status: str = ""
    """Three digits such as ``503`` (no responders), or empty."""
    description: str = ""
    fields: Headers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, received or about to be sent."""

    subject: str
    body: bytes = b""
    reply: str = ""
    headers: Headers = field(default_factory=dict)
    status: str = ""
    """Status of the header block; empty on everything that applications send."""
    sid: int = 0
    """Subscription it came through; 0 when it is to be sent."""
    received_at: float = 0.0
    """Wall time in seconds since 1970; 0 when it is to be sent."""
    received_mono: float = 0.0
    """Monotonic time of arrival in seconds; 0 when it is to be sent."""

    @property
    def is_no_responders(self) -> bool:
        """Whether the server says with it that nobody listens on the subject of a request."""
        return self.status == "503" and not self.body


def parse_headers(block: bytes) -> HeaderBlock:
    """Read a header block; what is no header line is left out, bytes that are no UTF-8 are replaced."""
    first, _, rest = block.partition(b"\r\n")
    status, _, description = first.removeprefix(_VERSION).strip().partition(b" ")
    fields: Headers = {}
    for line in rest.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip():
            fields.setdefault(_text(name), []).append(_text(value))
    return HeaderBlock(_text(status), _text(description), fields)


def add_header(headers: Headers, name: str, value: str) -> None:
    """Append one value; a name may have several.

    Raises:
        UsageError: The name is no token, or the value holds a line break.
    """
    name, value = name.strip(), value.strip()
    if not _NAME.fullmatch(name):
        raise UsageError(f"invalid header name {name!r}: letters, digits and !#$%&'*+-.^_`|~ only")
    if "\r" in value or "\n" in value:
        raise UsageError(f"invalid value of header {name}: it holds a line break")
    headers.setdefault(name, []).append(value)


def header_block_size(headers: Mapping[str, Sequence[str]]) -> int:
    """Bytes that headers take on the wire; the server counts them as payload."""
    if not headers:
        return 0
    lines = sum(len(name.encode()) + len(value.encode()) + 4 for name, values in headers.items() for value in values)
    return len(_VERSION) + 2 + lines + 2


def _text(raw: bytes) -> str:
    return raw.strip().decode(errors="replace")
