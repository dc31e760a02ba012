"""``/varz``: the broker in one document.

Source: nats-server ``monitor.go`` (HandleVarz, createVarz, updateVarzRuntimeFields).
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from natsctl import __version__
from natsctl.broker.monitor.leafz import leaf_options
from natsctl.broker.monitor.routez import cluster_options
from natsctl.broker.monitor.source import Source, to_ns, whole_or_float
from natsctl.broker.registry import Traffic
from natsctl.monitoring.documents import NatsctlVarz, PerKindStats, Varz
from natsctl.monitoring.times import format_time, format_uptime
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["varz"]

_TLS_TIMEOUT_S = 2
"""What a server without TLS says."""
_LOOPS = 1
"""Processors the broker's own code runs on at once."""


def varz(source: Source) -> Varz:
    """Make the document."""
    broker = source.broker
    options, identity = broker.options, broker.identity
    document = Varz(
        server_id=identity.server_id,
        server_name=identity.server_name,
        version=PROTOCOL_RELEASE,
        proto=1,
        go=identity.runtime,
        host=identity.host,
        port=identity.port,
        auth_required=broker.authenticator.is_required,
        tls_required=options.is_tls_required,
        tls_verify=options.tls is not None and options.tls.wants_certificate,
        connect_urls=identity.connect_urls,
        max_connections=options.max_connections,
        max_subscriptions=options.max_subscriptions,
        ping_interval=round(options.ping_interval_s * 1e9),
        ping_max=options.ping_max,
        http_host=source.http_host,
        http_port=source.http_port,
        https_port=source.https_port,
        http_base_path=options.http_base_path,
        auth_timeout=whole_or_float(options.auth_timeout_s),
        max_control_line=options.max_control_line,
        max_payload=options.max_payload,
        max_pending=options.max_pending,
        cluster=cluster_options(source),
        leaf=leaf_options(source),
        tls_timeout=whole_or_float(options.tls.timeout_s) if options.tls is not None else _TLS_TIMEOUT_S,
        tls_cert_not_after=source.certificate_expiry("clients", options.tls),
        write_deadline=round(options.write_deadline_s * 1e9),
        write_timeout="" if options.write_timeout == "default" else options.write_timeout,
        start=source.started,
        config_load_time=format_time(to_ns(broker.config_loaded_at)),
        config_digest=options.config_digest,
        tags=options.server_tags,
        metadata=options.server_metadata,
        system_account=source.system_account,
        natsctl=NatsctlVarz(version=__version__, engine=broker.engine.name),
    )
    _measure(source, document)
    _count(source, document)
    return document


def _measure(source: Source, document: Varz) -> None:
    process = source.process
    document.now = source.now()
    document.uptime = format_uptime((datetime.now(UTC) - source.broker.started_at).total_seconds())
    document.mem = process.memory_bytes
    document.cores = process.cores
    document.gomaxprocs = _LOOPS
    document.cpu = whole_or_float(process.cpu_percent)


def _count(source: Source, document: Varz) -> None:
    broker = source.broker
    total = Traffic()
    for traffic in broker.registry.traffic().values():
        total.add(traffic)
    document.connections = len(broker.registry.open)
    document.total_connections = broker.registry.total
    document.routes = document.remotes = len(broker.mesh.routes)
    document.leafnodes = len(broker.leafnodes.joined)
    document.in_client_msgs, document.in_client_bytes = total.in_msgs, total.in_bytes
    document.out_client_msgs, document.out_client_bytes = total.out_msgs, total.out_bytes
    document.stalled_clients = total.stalls
    for traffic in (broker.mesh.traffic(), *broker.leafnodes.traffic().values()):
        total.add(traffic)
    document.in_msgs, document.in_bytes = total.in_msgs, total.in_bytes
    document.out_msgs, document.out_bytes = total.out_msgs, total.out_bytes
    document.slow_consumers = broker.slow_consumers.total()
    document.slow_consumer_stats = _per_kind(broker.slow_consumers)
    document.stale_connections = broker.stale_connections.total()
    document.stale_connection_stats = _per_kind(broker.stale_connections)
    document.subscriptions = broker.engine.n_subscriptions()
    document.http_req_stats = dict(sorted(source.requests.items()))


def _per_kind(counted: Counter[str]) -> PerKindStats:
    return PerKindStats(clients=counted["Client"], routes=counted["Router"], leafs=counted["Leafnode"])
