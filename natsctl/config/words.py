"""How problems in a configuration are worded: quoting, kinds of values, and the key that was probably meant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches

__all__ = ["did_you_mean", "kind", "quoted"]

_SHOWN = 256


def quoted(text: str) -> str:
    """Quote text from a file for a message: one line, printable, at most 256 characters of it."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return json.dumps(shown, ensure_ascii=not shown.isprintable())


def kind(value: object) -> str:
    """Name the kind of a parsed value with its article."""
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a float"
        case str():
            return "a string"
        case datetime():
            return "a date"
        case list():
            return "an array"
    return "a map"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the known key nearest to a misspelt one, as the end of a message; empty when none is near."""
    near = get_close_matches(name[:_SHOWN].lower(), list(known), n=1)
    return f', did you mean "{near[0]}"?' if near else ""
