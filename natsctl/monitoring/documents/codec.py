"""Documents to JSON and back: written as nats-server writes them, read from any server there ever was."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import msgspec

from natsctl.monitoring.documents.fields import Document

__all__ = ["decode", "encode"]

D = TypeVar("D", bound=Document)

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""What Go escapes so that no document can end a script element; JSON has none of these outside of strings."""

_encoder = msgspec.json.Encoder()


@cache
def _decoder(kind: type[D]) -> msgspec.json.Decoder[D]:
    return msgspec.json.Decoder(kind)


def encode(document: object, *, indent: int = 2) -> bytes:
    """Write a document byte for byte as nats-server would.

    Args:
        document: A Document, or whatever else is to look like one.
        indent: Blanks per level; 0 writes all on one line, as ``/healthz`` is.
    """
    text = _encoder.encode(document)
    if indent:
        text = msgspec.json.format(text, indent=indent)
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def decode(text: bytes, kind: type[D]) -> D:
    """Read a document of some server, old or new.

    Keys that are missing or null have the value of an empty document, unknown keys are passed over, and a number in
    quotes is a number.

    Raises:
        ValueError: Not JSON, or a value that cannot be meant; the message says where.
    """
    decoder: msgspec.json.Decoder[D] = _decoder(kind)
    try:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError:
            # Off the fast path: 2.x writes null for an empty list here and there, and 1.x had other types.
            return msgspec.convert(_without_nulls(msgspec.json.decode(text)), kind, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value if inner is not None]
    return value
