"""``/healthz``: may the broker be sent work?

Source: nats-server ``monitor.go`` (HandleHealthz, healthz).
"""

from __future__ import annotations

from natsctl.broker.monitor.query import Query
from natsctl.broker.monitor.source import Source
from natsctl.monitoring.documents import Healthz, HealthzError
from natsctl.protocol.quote import go_quote

__all__ = ["healthz"]


def healthz(source: Source, query: Query) -> Healthz:
    """Answer a load balancer; who answers at all without JetStream is well, so only questions can be wrong.

    Raises:
        BadQueryError: A parameter that cannot be meant.
    """
    log = source.broker.log
    if query.boolean("js-enabled"):
        log.warn("Healthcheck: js-enabled deprecated, use js-enabled-only instead")
    for name in ("js-enabled-only", "js-server-only", "js-meta-only"):
        query.boolean(name)
    wants_details = query.boolean("details")
    account, stream, consumer = query.text("account"), query.text("stream"), query.text("consumer")
    if stream and not account:
        problem = '"account" must not be empty when checking stream health'
    elif consumer and not stream:
        problem = '"stream" must not be empty when checking consumer health'
    else:
        return Healthz(status="ok")
    log.warn(f"Healthcheck failed: {go_quote(problem.encode())}")
    if wants_details:
        return Healthz(status="error", errors=[HealthzError(type="BAD_REQUEST", error=problem)])
    return Healthz(status="error", error=problem)
