"""Messages as newline-delimited JSON: one object a line, the same going in and coming out.

Wire: ``{"subject":"foo","reply":"r","headers":{"K":["v"]},"body":"text"}``; a body that is no UTF-8 is ``body_base64``.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from natsctl.errors import UsageError
from natsctl.ops.message import Headers, Message, add_header

__all__ = ["Record", "read_record", "to_record", "write_record"]


class Record(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One message in JSON; what tells of its arrival (``time`` and below) is ignored when it is published again."""

    subject: str
    reply: str = ""
    headers: dict[str, str | list[str]] = {}
    body: str | None = None
    body_base64: bytes | None = None
    time: str = ""
    """When it arrived, RFC 3339 in UTC."""
    sid: int = 0
    seq: int = 0
    """Number of the message in this run, from 1."""
    rtt_s: float | None = None
    """Of a reply: seconds since the request."""


_decoder = msgspec.json.Decoder(Record)
_encoder = msgspec.json.Encoder()


def read_record(line: bytes, number: int) -> Message:
    """Read one line.

    Raises:
        UsageError: It is no message; names the line.
    """
    try:
        record = _decoder.decode(line)
        if record.body is not None and record.body_base64 is not None:
            raise UsageError("either body or body_base64, not both")
        headers: Headers = {}
        for name, values in record.headers.items():
            for value in [values] if isinstance(values, str) else values:
                add_header(headers, name, value)
    except (msgspec.DecodeError, UsageError) as error:
        reason = str(error)
        raise UsageError(f"line {number}: {reason[:1].lower()}{reason[1:]}") from None
    body = record.body_base64 if record.body is None else record.body.encode()
    return Message(record.subject, body or b"", record.reply, headers)


def to_record(message: Message, seq: int, *, with_body: bool = True, rtt_s: float | None = None) -> Record:
    """Make the record of a received message."""
    record = Record(
        subject=message.subject,
        reply=message.reply,
        headers=dict(message.headers),
        time=datetime.fromtimestamp(message.received_at, UTC).isoformat(),
        sid=message.sid,
        seq=seq,
        rtt_s=rtt_s,
    )
    if with_body:
        try:
            record.body = message.body.decode()
        except UnicodeDecodeError:
            record.body_base64 = message.body
    return record


def write_record(record: Record) -> bytes:
    """Write one line, with its end."""
    return _encoder.encode(record) + b"\n"
