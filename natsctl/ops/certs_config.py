"""Blocks of ``nats.conf`` that use certificates."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

__all__ = ["indented", "quoted", "tls_block"]


def tls_block(certificate: Path, key: Path, ca: Path) -> str:
    """Write a ``tls`` block that demands certificates of the CA from the other side."""
    lines = (
        f"cert_file: {quoted(str(certificate))}",
        f"key_file: {quoted(str(key))}",
        f"ca_file: {quoted(str(ca))}",
        "verify: true",
    )
    return "tls {\n" + indented("\n".join(lines)) + "\n}"


def indented(text: str) -> str:
    """Write lines as they stand inside a block."""
    return textwrap.indent(text, "  ")


def quoted(text: str) -> str:
    """Write a string of ``nats.conf``."""
    return json.dumps(text, ensure_ascii=False)
