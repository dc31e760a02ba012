"""``/gatewayz`` and ``/jsz``: what a server without JetStream answers.

Source: nats-server ``monitor.go`` (HandleGatewayz, HandleJsz).
"""

from __future__ import annotations

from natsctl.broker.monitor.query import Query
from natsctl.broker.monitor.source import Source
from natsctl.monitoring.documents import Gatewayz, Jsz

__all__ = ["gatewayz", "jsz"]

_JSZ_BOOLEANS = (
    "accounts",
    "streams",
    "consumers",
    "direct-consumers",
    "config",
    "leader-only",
    "raft",
    "stream-leader-only",
)
"""What to tell of streams: nothing can be told, but a typing error still is one."""


def gatewayz(source: Source, query: Query) -> Gatewayz:
    """Make ``/gatewayz``."""
    query.boolean("accs")
    return Gatewayz(server_id=source.server_id, now=source.now())


def jsz(source: Source, query: Query) -> Jsz:
    """Make ``/jsz``."""
    for name in _JSZ_BOOLEANS:
        query.boolean(name)
    query.offset()
    query.limit()
    return Jsz(server_id=source.server_id, now=source.now(), disabled=True)
