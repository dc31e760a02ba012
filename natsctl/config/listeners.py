"""Reads the blocks of listeners that speak another protocol: ``websocket`` and ``mqtt``.

Source: nats-server ``server/opts.go``, parseWebsocket and parseMQTT.
"""

from __future__ import annotations

from natsctl.config.document import Node
from natsctl.config.links import LISTEN
from natsctl.config.readers import (
    boolean,
    duration,
    integer,
    integer_between,
    seconds,
    string,
    string_or_strings,
    table,
)
from natsctl.config.schema import Block, Key, RefusedError, Report
from natsctl.config.tls import tls
from natsctl.config.words import kind

__all__ = ["mqtt", "websocket"]

_UINT16_MAX = 65535


def _handshake_timeout(node: Node, report: Report) -> float:
    if isinstance(node.value, float):
        raise RefusedError(f"must be a duration or an integer of seconds, found {kind(node.value)}")
    return seconds(node, report)


def _ignored(node: Node, report: Report) -> bool:
    report.warn(node.place, "consumer_replicas has no effect in this version of the server")
    return False


_LOGIN = Block(
    Key("user", string, ("username",)),
    Key("password", string, ("pass",)),
    Key("token", string),
    Key("timeout", seconds),
)

_COMMON = (
    *LISTEN,
    Key("tls", tls()),
    Key("authorization", _LOGIN, ("authentication",)),
    Key("no_auth_user", string),
)

websocket = Block(
    *_COMMON,
    Key("advertise", string),
    Key("no_tls", boolean),
    Key("same_origin", boolean),
    Key(
        "allowed_origins",
        string_or_strings,
        ("allowed_origin", "allow_origins", "allow_origin", "origins", "origin"),
    ),
    Key("handshake_timeout", _handshake_timeout),
    Key("compression", boolean, ("compress",)),
    Key("jwt_cookie", string),
    Key("user_cookie", string),
    Key("pass_cookie", string),
    Key("token_cookie", string),
    Key("headers", table(string)),
    Key("ping_interval", duration),
)
"""Reads the ``websocket`` block."""

mqtt = Block(
    *_COMMON,
    Key("ack_wait", duration),
    Key("max_ack_pending", integer_between(0, _UINT16_MAX), ("max_inflight",)),
    Key("js_domain", string),
    Key("js_api_timeout", duration),
    Key("stream_replicas", integer),
    Key("consumer_replicas", _ignored),
    Key("consumer_memory_storage", boolean),
    Key("consumer_inactive_threshold", duration, ("consumer_auto_cleanup",)),
    Key("reject_qos2_publish", boolean),
    Key("downgrade_qos2_subscribe", boolean),
)
"""Reads the ``mqtt`` block."""
