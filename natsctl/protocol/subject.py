"""Subjects: dot-separated tokens, ``*`` for one token, ``>`` for the rest.

Source: nats-server ``sublist.go`` (Insert, IsValidLiteralSubject, subjectIsSubsetMatch).
Shape: subjects are bytes as on the wire, where no blank can be in them; a stray CR can, and counts as any other byte.
"""

from __future__ import annotations

import re

__all__ = ["covers", "has_wildcard", "is_valid", "is_valid_literal"]

_VALID = re.compile(rb"(?:[^.]+\.)*[^.]+")
_EARLY_REST = re.compile(rb"(?:^|\.)>\.")
_WILDCARD = re.compile(rb"(?:^|\.)[*>](?:\.|$)")


def is_valid(subject: bytes) -> bool:
    """Whether a subscription may name this subject: no empty token, ``>`` only last."""
    return _VALID.fullmatch(subject) is not None and _EARLY_REST.search(subject) is None


def has_wildcard(subject: bytes) -> bool:
    """Whether some whole token is ``*`` or ``>``."""
    return _WILDCARD.search(subject) is not None


def is_valid_literal(subject: bytes) -> bool:
    """Whether a message may be published to this subject: valid, and without wildcards."""
    return _VALID.fullmatch(subject) is not None and not has_wildcard(subject)


def covers(pattern: bytes, subject: bytes) -> bool:
    """Whether every subject that ``subject`` (itself perhaps a pattern) stands for is matched by ``pattern``."""
    wanted, given = pattern.split(b"."), subject.split(b".")
    for index, token in enumerate(wanted):
        if token == b">":
            return len(given) > index
        if index >= len(given) or given[index] == b">":
            return False
        if token != b"*" and token != given[index]:
            return False
    return len(given) == len(wanted)
