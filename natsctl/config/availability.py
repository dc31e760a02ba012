"""What a configuration may ask for that ``natsctl server`` does not do yet.

Such a key is valid, for the file may also serve nats-server, but a broker must not start and quietly leave it out.
A feature that arrives is deleted from this table; nothing else knows about it.
"""

from __future__ import annotations

__all__ = ["UNAVAILABLE"]

_JWT = "operator mode"
_JETSTREAM = "JetStream"
_ISOLATION = "isolation of leafnodes"
_WEBSOCKET = "WebSocket"

UNAVAILABLE = {
    "prof_port": "profiling",
    "prof_block_rate": "profiling",
    "tls.ocsp_peer": "OCSP",
    "ocsp": "OCSP",
    "ocsp_cache": "OCSP",
    "cluster.pool_size": "route pooling",
    "cluster.accounts": "route pooling",
    "cluster.compression": "compression",
    "cluster.tls.ocsp_peer": "OCSP",
    "cluster.authorization.proxy_required": "the PROXY protocol",
    "leafnodes.compression": "compression",
    "leafnodes.tls.ocsp_peer": "OCSP",
    "leafnodes.remotes.tls.ocsp_peer": "OCSP",
    "leafnodes.isolate": _ISOLATION,
    "leafnodes.authorization.proxy_required": "the PROXY protocol",
    "leafnodes.authorization.users.proxy_required": "the PROXY protocol",
    "leafnodes.remotes.compression": "compression",
    "leafnodes.remotes.hub": "leafnode remotes that are the hub",
    "leafnodes.remotes.isolate": _ISOLATION,
    "leafnodes.remotes.request_isolation": _ISOLATION,
    "leafnodes.remotes.proxy": "proxies for leafnodes",
    "leafnodes.remotes.ws_compression": _WEBSOCKET,
    "leafnodes.remotes.ws_no_masking": _WEBSOCKET,
    "leafnodes.remotes.jetstream_cluster_migrate": _JETSTREAM,
    "gateway": "gateways",
    "websocket": _WEBSOCKET,
    "mqtt": "MQTT",
    "jetstream": _JETSTREAM,
    "store_dir": _JETSTREAM,
    "default_js_domain": _JETSTREAM,
    "mappings": "subject mapping",
    "accounts.*.nkey": "account nkeys",
    "accounts.*.exports": "account exports",
    "accounts.*.imports": "account imports",
    "accounts.*.mappings": "subject mapping",
    "accounts.*.jetstream": _JETSTREAM,
    "accounts.*.msg_trace": "message tracing",
    "accounts.*.users.proxy_required": "the PROXY protocol",
    "authorization.auth_callout": "auth callout",
    "authorization.proxy_required": "the PROXY protocol",
    "authorization.users.proxy_required": "the PROXY protocol",
    "proxy_protocol": "the PROXY protocol",
    "proxies": "the PROXY protocol",
    "operator": _JWT,
    "resolver": _JWT,
    "resolver_tls": _JWT,
    "resolver_preload": _JWT,
    "resolver_pinned_accounts": _JWT,
    "trusted_keys": _JWT,
    "default_sentinel": _JWT,
    "feature_flags": "feature flags",
}
"""Dotted path of a key (``*`` is the name of an account) to the feature it would switch on."""
