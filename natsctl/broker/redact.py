"""Wire content in traces, without its secrets.

nats-server hides the values of ``pass…``, ``auth_token…``, ``…sig`` and ``…nkey`` in the CONNECT lines it traces. It
does so by regular expression, which lets through what follows a comma, a brace or an escaped quote inside a password,
and keys in capitals, which its decoder accepts. Here the JSON is read: the same lines come out for everyday
credentials, and whole values disappear otherwise. Bearer tokens (``jwt``) are hidden as well.

Source: trace lines of nats-server 2.15.
"""

from __future__ import annotations

import json
import re

from natsctl.protocol.quote import escape_unprintable, go_quote

__all__ = ["redact_connect", "trace_op", "trace_payload"]

REDACTED = "[REDACTED]"

_SECRET_KEY = re.compile(r"pass|token|jwt|sig\Z|nkey\Z", re.IGNORECASE)
_SECRET_WORD = re.compile(r"pass|token|jwt|sig|nkey|\\", re.IGNORECASE)  # a backslash may spell any of the others
_JSON_STRING = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:\s*)?')
_JSON = json.JSONDecoder()


def trace_op(verb: bytes, args: bytes = b"") -> str:
    """Show a control line in a trace: ``[PUB foo 5]``, ``[PONG]``, ``[CONNECT {"pass":"[REDACTED]"}]``."""
    op = verb.decode("utf-8", "surrogateescape")
    if args:
        shown = redact_connect(args) if verb.upper() == b"CONNECT" else args.decode("utf-8", "surrogateescape")
        op = f"{op} {shown}"
    return escape_unprintable(f"[{op}]")


def trace_payload(payload: bytes, limit: int = 0) -> str:
    """Show a payload in a trace: ``MSG_PAYLOAD: ["hello"]``.

    Args:
        payload: Headers and payload, without the closing CRLF; with ``trace_headers`` nats-server shows the headers
            alone, without the four bytes that end them.
        limit: ``max_traced_msg_len``.
    """
    return f"MSG_PAYLOAD: [{go_quote(payload, limit)}]"


def redact_connect(args: bytes) -> str:
    """Hide the secrets in the document of a CONNECT line.

    What is not a JSON object is shown up to the first word that could announce a secret.
    """
    text = args.decode("utf-8", "surrogateescape")
    try:
        is_object = isinstance(_JSON.decode(text), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        word = _SECRET_WORD.search(text)
        return text[: word.start()] + REDACTED if word else text
    shown: list[str] = []
    at = 0
    while string := _JSON_STRING.search(text, at):
        end = string.end()
        shown.append(text[at:end])
        if string[2] and _SECRET_KEY.search(_JSON.decode(string[1])):
            value, end = _JSON.raw_decode(text, end)
            shown.append(f'"{REDACTED}"' if isinstance(value, str) else REDACTED)
        at = end
    return "".join((*shown, text[at:]))
