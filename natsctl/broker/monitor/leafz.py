"""``/leafz``, and what ``/varz`` says of leafnodes.

Source: nats-server ``monitor.go`` (HandleLeafz, Leafz, createVarz).
"""

from __future__ import annotations

from natsctl.broker.auth import GLOBAL_ACCOUNT
from natsctl.broker.leafnodes.leaf import Leaf
from natsctl.broker.monitor.query import Query
from natsctl.broker.monitor.source import Source, format_rtt, whole_or_float
from natsctl.config.options import RemoteOptions
from natsctl.config.urls import LEAFNODE_PORT, server_url
from natsctl.engine.api import LinkKind
from natsctl.monitoring.documents import DenyRules, LeafInfo, LeafNodeOptsVarz, Leafz, RemoteLeafOptsVarz

__all__ = ["leaf_options", "leafz"]

_TLS_TIMEOUT_S = 2
"""What a port without TLS says."""


def leafz(source: Source, query: Query) -> Leafz:
    """Make ``/leafz``."""
    shows_subjects, account = query.boolean("subs"), query.text("acc")
    found = [leaf for leaf in source.broker.leafnodes.joined if not account or leaf.account == account]
    return Leafz(
        server_id=source.server_id,
        now=source.now(),
        leafnodes=len(found),
        leafs=[_row(leaf, shows_subjects=shows_subjects) for leaf in found],
    )


def _row(leaf: Leaf, *, shows_subjects: bool) -> LeafInfo:
    link = leaf.session
    row = LeafInfo(
        id=leaf.cid,
        name=leaf.server_name,
        is_spoke=leaf.link_kind is LinkKind.HUB,
        account=leaf.account,
        ip=leaf.ip,
        port=leaf.port,
        rtt=format_rtt(leaf.rtt_s),
        in_msgs=link.in_msgs,
        out_msgs=link.out_msgs,
        in_bytes=link.in_bytes,
        out_bytes=link.out_bytes,
        subscriptions=link.n_subscriptions,
        compression="not supported",
    )
    if shows_subjects:
        row.subscriptions_list = [interest.subject.decode("utf-8", "replace") for interest in link.interests()]
    return row


def leaf_options(source: Source) -> LeafNodeOptsVarz:
    """Tell how leafnodes are taken, and which hubs are connected to."""
    leafnodes = source.broker.leafnodes
    options = leafnodes.options
    document = LeafNodeOptsVarz(remotes=[_remote(remote) for remote in options.remotes])
    document.write_deadline = round(options.write_deadline_s * 1e9)
    document.write_timeout = "" if options.write_timeout == "default" else options.write_timeout
    if options.port:
        document.host, document.port = leafnodes.address
        document.auth_timeout = whole_or_float(options.auth_timeout_s)
        document.tls_timeout = whole_or_float(options.tls.timeout_s) if options.tls is not None else _TLS_TIMEOUT_S
        document.tls_required = options.tls is not None
        document.tls_verify = options.tls is not None and options.tls.wants_certificate
        document.tls_cert_not_after = source.certificate_expiry("leafnodes", options.tls)
    return document


def _remote(remote: RemoteOptions) -> RemoteLeafOptsVarz:
    deny = None
    if remote.deny_exports or remote.deny_imports:
        deny = DenyRules(exports=remote.deny_exports, imports=remote.deny_imports)
    return RemoteLeafOptsVarz(
        local_account=remote.account or GLOBAL_ACCOUNT,
        tls_timeout=whole_or_float(remote.tls.timeout_s) if remote.tls is not None else 0,
        urls=[server_url(url, LEAFNODE_PORT).address for url in remote.urls],
        deny=deny,
    )
