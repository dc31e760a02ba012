"""The arguments of what servers say to each other: interest and messages.

Wire: a route names the account first, a leafnode is bound to one::

    RS+ <account> <subject> [queue weight]      LS+ <subject> [queue weight]
    RS- <account> <subject> [queue]             LS- <subject> [queue]
    RMSG <account> <subject> <to> <size>        LMSG <subject> <to> <size>
    HMSG [account] <subject> <to> <header size> <size>

where ``<to>`` is nothing, ``<reply>``, ``| <queue>...`` or ``+ <reply> <queue>...``: one member of each queue group
named is to be served, besides those that want the subject without a group.

Source: nats-server ``route.go`` (parseRouteSub, processRoutedMsgArgs), ``leafnode.go`` (processLeafMsgArgs).
"""

from __future__ import annotations

from typing import NamedTuple

from natsctl.engine.grammar import PublishArgs, parse_size
from natsctl.errors import ClosedReason, WireError
from natsctl.protocol.quote import go_quote

__all__ = ["LinkMessage", "parse_interest", "parse_lost_interest", "parse_message", "unknown_operation"]


class LinkMessage(NamedTuple):
    """What the line of a message says; ``account`` is empty on a leafnode."""

    account: bytes
    args: PublishArgs
    queues: tuple[bytes, ...]


def _error(text: str, args: bytes) -> WireError:
    return WireError(ClosedReason.PROTOCOL_VIOLATION, log=f"{text}: {go_quote(args)}")


def unknown_operation(line: bytes) -> WireError:
    """Make the error for a line that servers do not send."""
    return WireError(
        ClosedReason.PROTOCOL_VIOLATION,
        wire="Unknown Protocol Operation",
        log=f"parser ERROR, proto='{go_quote(line[:32])}...'",
    )


def parse_interest(args: bytes, *, names_account: bool) -> tuple[bytes, bytes, bytes | None, int]:
    """Read what follows ``RS+`` or ``LS+``: account, subject, queue group, weight (1 without a group).

    Raises:
        WireError: Another number of arguments, or no weight.
    """
    parts = args.split()
    account = parts.pop(0) if names_account and parts else b""
    if len(parts) == 1:
        return account, parts[0], None, 1
    weight = parse_size(parts[2]) if len(parts) == 3 else -1
    if weight < 1:
        raise _error("interest takes a subject, or a subject, a queue group and its weight", args)
    return account, parts[0], parts[1], weight


def parse_lost_interest(args: bytes, *, names_account: bool) -> tuple[bytes, bytes, bytes | None]:
    """Read what follows ``RS-`` or ``LS-``: account, subject, queue group.

    Raises:
        WireError: Another number of arguments.
    """
    parts = args.split()
    account = parts.pop(0) if names_account and parts else b""
    if len(parts) not in (1, 2):
        raise _error("lost interest takes a subject, and perhaps a queue group", args)
    return account, parts[0], parts[1] if len(parts) == 2 else None


def parse_message(args: bytes, *, names_account: bool, has_header: bool) -> LinkMessage:
    """Read what follows ``RMSG``, ``LMSG`` or ``HMSG``.

    Raises:
        WireError: Too few arguments, or sizes that cannot be.
    """
    parts = args.split()
    n_first, n_sizes = 1 + names_account, 1 + has_header
    if len(parts) < n_first + n_sizes:
        raise _error("a message takes at least a subject and a size", args)
    account = parts[0] if names_account else b""
    subject = parts[n_first - 1]
    to = parts[n_first : len(parts) - n_sizes]
    reply = b""
    queues: tuple[bytes, ...] = ()
    if to and to[0] == b"|":
        queues = tuple(to[1:])
    elif to and to[0] == b"+" and len(to) > 1:
        reply, queues = to[1], tuple(to[2:])
    elif len(to) == 1:
        reply = to[0]
    elif to:
        raise _error("a message names queue groups behind | or +", args)
    size = parse_size(parts[-1])
    header_size = parse_size(parts[-2]) if has_header else 0
    if size < 0 or not 0 <= header_size <= size:
        raise _error("bad or missing size", args)
    header_text = parts[-2] if has_header else b""
    return LinkMessage(account, (subject, reply, header_text, parts[-1], header_size, size), queues)
