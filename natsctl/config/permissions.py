"""Reads ``permissions`` blocks: subjects that may be published and subscribed to.

Source: nats-server ``server/opts.go``, parseUserPermissions.
"""

from __future__ import annotations

import re

from natsctl.config.document import Node
from natsctl.config.options import Permission, Permissions, ResponsePermission
from natsctl.config.readers import duration_text, integer, string_or_strings
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report
from natsctl.config.words import kind, quoted
from natsctl.protocol.subject import has_wildcard, is_valid

__all__ = ["is_literal", "is_subject", "permissions", "subjects"]


_BLANK = re.compile(r"[ \t\r\n\f]")


def is_subject(text: str) -> bool:
    """Whether a configured text may name subjects, wildcards allowed."""
    return not _BLANK.search(text) and is_valid(text.encode())


def is_literal(text: str) -> bool:
    """Whether a configured text is a subject without wildcards."""
    return is_subject(text) and not has_wildcard(text.encode())


def _subjects(node: Node, report: Report, *, with_queues: bool) -> list[str]:
    found = string_or_strings(node, report)
    for text in found:
        words = text.split()
        is_right = is_subject(text) or (with_queues and len(words) == 2 and all(map(is_subject, words)))
        if not is_right:
            raise RefusedError(f"must hold valid subjects, found {quoted(text)}", node)
    return found


def subjects(node: Node, report: Report) -> list[str]:
    """Read one subject or an array of subjects."""
    return _subjects(node, report, with_queues=False)


def _subjects_and_queues(node: Node, report: Report) -> list[str]:
    return _subjects(node, report, with_queues=True)


def _direction(reader: Reader) -> Reader:
    """Make the reader of one direction: subjects to allow, or a map of those to allow and to deny."""
    both = Block(Key("allow", reader), Key("deny", reader))

    def read(node: Node, report: Report) -> Permission:
        if not isinstance(node.value, dict):
            return Permission(reader(node, report) or None)
        section = both(node, report)
        return Permission(section.get("allow") or None, section.get("deny", []))

    return read


_RESPONSES = Block(
    Key("max", integer, ("max_msgs", "max_messages", "max_responses"), to="max_msgs", zero_is_default=True),
    Key("expires", duration_text, ("expiration", "ttl"), to="expires_s", zero_is_default=True),
)


def _responses(node: Node, report: Report) -> ResponsePermission | None:
    right = ResponsePermission()
    if isinstance(node.value, bool):
        return right if node.value else None
    if not isinstance(node.value, dict):
        raise RefusedError(f"must be a boolean or a map, found {kind(node.value)}")
    _RESPONSES(node, report).fill(right)
    return right


_PERMISSIONS = Block(
    Key("publish", _direction(subjects), ("pub", "import"), to="publish"),
    Key("subscribe", _direction(_subjects_and_queues), ("sub", "export"), to="subscribe"),
    Key("allow_responses", _responses, ("publish_allow_responses",), to="allow_responses"),
)


def permissions(node: Node, report: Report) -> Permissions:
    """Read a ``permissions`` map.

    An empty list of subjects restricts nothing, as in nats-server; only the right to respond, given without a list
    of subjects to publish to, leaves nothing else to publish to.
    """
    read = Permissions()
    _PERMISSIONS(node, report).fill(read)
    if read.allow_responses is not None and read.publish.allow is None:
        read.publish.allow = []
    return read
