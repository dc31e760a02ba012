"""What a configuration may ask for that ``natsctl server`` does not do yet.

Such a key is valid, for the file may also serve nats-server, but a broker must not start and quietly leave it out.
A feature that arrives is deleted from this table; nothing else knows about it.
"""

from __future__ import annotations

__all__ = ["UNAVAILABLE"]

_JWT = "operator mode"
_JETSTREAM = "JetStream"

UNAVAILABLE = {
    "prof_port": "profiling",
    "prof_block_rate": "profiling",
    "tls.ocsp_peer": "OCSP",
    "ocsp": "OCSP",
    "ocsp_cache": "OCSP",
    "cluster": "clustering",
    "leafnodes": "leafnodes",
    "gateway": "gateways",
    "connect_error_reports": "clustering",
    "reconnect_error_reports": "clustering",
    "websocket": "WebSocket",
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
    "accounts.*.limits.max_leafnodes": "leafnodes",
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
    "lame_duck_duration": "lame duck mode",
    "lame_duck_grace_period": "lame duck mode",
    "feature_flags": "feature flags",
}
"""Dotted path of a key (``*`` is the name of an account) to the feature it would switch on."""
