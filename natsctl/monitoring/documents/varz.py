"""The document of ``/varz``: one server, its limits and its counters.

Source: nats-server 2.15 ``Varz`` and the ``...OptsVarz`` types it contains.
"""

from __future__ import annotations

from typing import Any

from natsctl.monitoring.documents.fields import Document, Int, Number, always, if_any
from natsctl.monitoring.documents.jsz import JetStreamConfig, JetStreamStats

__all__ = [
    "ClusterOptsVarz",
    "DenyRules",
    "DiskIOWaitStats",
    "GatewayOptsVarz",
    "JetStreamVarz",
    "LeafNodeOptsVarz",
    "MQTTOptsVarz",
    "NatsctlVarz",
    "PerKindStats",
    "ProxiesOptsVarz",
    "ProxyOptsVarz",
    "RemoteGatewayOptsVarz",
    "RemoteLeafOptsVarz",
    "Varz",
    "WebsocketOptsVarz",
]


class ClusterOptsVarz(Document):
    """How the server takes routes; empty without a cluster.

    Units: timeouts in seconds, ``write_deadline`` in nanoseconds.
    """

    name: str = ""
    addr: str = ""
    cluster_port: Int = 0
    auth_timeout: Number = 0
    urls: list[str] = if_any(list)
    tls_timeout: Number = 0
    tls_required: bool = False
    tls_verify: bool = False
    pool_size: Int = 0
    write_deadline: Int = 0
    write_timeout: str = ""
    tls_cert_not_after: str = ""


class RemoteGatewayOptsVarz(Document):
    """A gateway to another cluster, as configured."""

    name: str = always(str)
    tls_timeout: Number = 0
    urls: list[str] = if_any(list)


class GatewayOptsVarz(Document):
    """How the server takes gateways; empty without."""

    name: str = ""
    host: str = ""
    port: Int = 0
    auth_timeout: Number = 0
    tls_timeout: Number = 0
    tls_required: bool = False
    tls_verify: bool = False
    advertise: str = ""
    connect_retries: Int = 0
    gateways: list[RemoteGatewayOptsVarz] = if_any(list)
    reject_unknown: bool = False
    write_deadline: Int = 0
    write_timeout: str = ""
    tls_cert_not_after: str = ""


class DenyRules(Document):
    """Subjects that a leafnode remote neither imports nor exports."""

    exports: list[str] = if_any(list)
    imports: list[str] = if_any(list)


class RemoteLeafOptsVarz(Document):
    """A leafnode connection to make, as configured."""

    local_account: str = ""
    tls_timeout: Number = 0
    urls: list[str] = if_any(list)
    deny: DenyRules | None = None
    tls_ocsp_peer_verify: bool = False


class LeafNodeOptsVarz(Document):
    """How the server takes leafnodes, and which it connects to; empty without."""

    host: str = ""
    port: Int = 0
    auth_timeout: Number = 0
    tls_timeout: Number = 0
    tls_required: bool = False
    tls_verify: bool = False
    remotes: list[RemoteLeafOptsVarz] = if_any(list)
    tls_ocsp_peer_verify: bool = False
    write_deadline: Int = 0
    write_timeout: str = ""
    tls_cert_not_after: str = ""


class MQTTOptsVarz(Document):
    """How the server takes MQTT clients; empty without."""

    host: str = ""
    port: Int = 0
    no_auth_user: str = ""
    auth_timeout: Number = 0
    tls_map: bool = False
    tls_timeout: Number = 0
    tls_pinned_certs: list[str] = if_any(list)
    js_domain: str = ""
    ack_wait: Int = 0
    max_ack_pending: Int = 0
    tls_ocsp_peer_verify: bool = False
    tls_cert_not_after: str = ""


class WebsocketOptsVarz(Document):
    """How the server takes WebSocket clients; empty without."""

    host: str = ""
    port: Int = 0
    advertise: str = ""
    no_auth_user: str = ""
    jwt_cookie: str = ""
    handshake_timeout: Int = 0
    auth_timeout: Number = 0
    no_tls: bool = False
    tls_map: bool = False
    tls_pinned_certs: list[str] = if_any(list)
    same_origin: bool = False
    allowed_origins: list[str] = if_any(list)
    compression: bool = False
    tls_ocsp_peer_verify: bool = False
    tls_cert_not_after: str = ""


class JetStreamVarz(Document):
    """JetStream in short; empty without."""

    config: JetStreamConfig | None = None
    stats: JetStreamStats | None = None
    meta: dict[str, Any] | None = None
    limits: dict[str, Any] | None = None


class PerKindStats(Document):
    """One count for each kind of connection."""

    clients: Int = always(int)
    routes: Int = always(int)
    gateways: Int = always(int)
    leafs: Int = always(int)


class DiskIOWaitStats(Document):
    """How long JetStream waited for the disk.

    Units: times in nanoseconds.
    """

    waiters: Int = always(int)
    waits: Int = always(int)
    wait_time: Int = always(int)
    max_wait_time: Int = always(int)


class ProxyOptsVarz(Document):
    """The public key of a trusted proxy."""

    key: str = always(str)


class ProxiesOptsVarz(Document):
    """The proxies a server trusts."""

    trusted: list[ProxyOptsVarz] = if_any(list)


class NatsctlVarz(Document):
    """What only our own broker says: its version, and the engine that runs."""

    version: str = always(str)
    engine: str = always(str)


class Varz(Document):
    """One server: who it is, its limits, its counters since start.

    Counters go back to 0 when the server restarts; ``server_id`` and ``start`` tell one life from the next.

    Units: ``ping_interval`` and ``write_deadline`` in nanoseconds; ``auth_timeout`` and ``tls_timeout`` in seconds;
        ``mem`` in bytes; ``cpu`` in percent of one core; ``in_bytes`` and ``out_bytes`` count payloads with headers.
        ``start``, ``now`` and ``config_load_time`` are times, see :mod:`natsctl.monitoring.times`.
    """

    server_id: str = always(str)
    server_name: str = always(str)
    version: str = always(str)
    proto: Int = always(int)
    git_commit: str = ""
    go: str = always(str)
    host: str = always(str)
    port: Int = always(int)
    auth_required: bool = False
    tls_required: bool = False
    tls_verify: bool = False
    tls_ocsp_peer_verify: bool = False
    ip: str = ""
    connect_urls: list[str] = if_any(list)
    ws_connect_urls: list[str] = if_any(list)
    max_connections: Int = always(int)
    max_subscriptions: Int = 0
    ping_interval: Int = always(int)
    ping_max: Int = always(int)
    http_host: str = always(str)
    http_port: Int = always(int)
    http_base_path: str = always(str)
    https_port: Int = always(int)
    auth_timeout: Number = always(int)
    max_control_line: Int = always(int)
    max_payload: Int = always(int)
    max_pending: Int = always(int)
    cluster: ClusterOptsVarz = always(ClusterOptsVarz)
    gateway: GatewayOptsVarz = always(GatewayOptsVarz)
    leaf: LeafNodeOptsVarz = always(LeafNodeOptsVarz)
    mqtt: MQTTOptsVarz = always(MQTTOptsVarz)
    websocket: WebsocketOptsVarz = always(WebsocketOptsVarz)
    jetstream: JetStreamVarz = always(JetStreamVarz)
    tls_timeout: Number = always(int)
    write_deadline: Int = always(int)
    write_timeout: str = ""
    start: str = always(str)
    now: str = always(str)
    uptime: str = always(str)
    mem: Int = always(int)
    cores: Int = always(int)
    gomaxprocs: Int = always(int)
    gomemlimit: Int = 0
    cpu: Number = always(int)
    connections: Int = always(int)
    total_connections: Int = always(int)
    routes: Int = always(int)
    remotes: Int = always(int)
    leafnodes: Int = always(int)
    in_msgs: Int = always(int)
    in_bytes: Int = always(int)
    in_client_msgs: Int = always(int)
    in_client_bytes: Int = always(int)
    out_msgs: Int = always(int)
    out_bytes: Int = always(int)
    out_client_msgs: Int = always(int)
    out_client_bytes: Int = always(int)
    slow_consumers: Int = always(int)
    stale_connections: Int = always(int)
    stalled_clients: Int = always(int)
    subscriptions: Int = always(int)
    http_req_stats: dict[str, Int] = always(dict)
    config_load_time: str = always(str)
    config_digest: str = always(str)
    tags: list[str] = if_any(list)
    metadata: dict[str, str] = if_any(dict)
    feature_flags: dict[str, bool] = if_any(dict)
    trusted_operators_jwt: list[str] = if_any(list)
    trusted_operators_claim: list[dict[str, Any]] = if_any(list)
    system_account: str = ""
    pinned_account_fails: Int = 0
    ocsp_peer_cache: dict[str, Any] | None = None
    slow_consumer_stats: PerKindStats = always(PerKindStats)
    stale_connection_stats: PerKindStats | None = None
    disk_io_wait_stats: DiskIOWaitStats = always(DiskIOWaitStats)
    proxies: ProxiesOptsVarz | None = None
    tls_cert_not_after: str = ""
    natsctl: NatsctlVarz | None = None
