"""``/routez``, and what ``/varz`` says of the cluster.

Source: nats-server ``monitor.go`` (HandleRoutez, Routez, createVarz).
"""

from __future__ import annotations

import time

from natsctl.broker.monitor.query import ListDetail, Query
from natsctl.broker.monitor.source import Source, format_rtt, to_ns, whole_or_float
from natsctl.broker.monitor.subscription import describe_interest, shown
from natsctl.broker.routes.documents import RoutePermission
from natsctl.broker.routes.route import Route
from natsctl.config.urls import server_url
from natsctl.monitoring.documents import ClusterOptsVarz, RouteInfo, Routez, SubjectPermission
from natsctl.monitoring.times import format_time, format_uptime

__all__ = ["cluster_options", "routez"]

_TLS_TIMEOUT_S = 2
"""What a port without TLS says."""
_NO_POOL = -1
"""One connection per peer."""


def routez(source: Source, query: Query) -> Routez:
    """Make ``/routez``."""
    detail = query.list_detail()
    mesh = source.broker.mesh
    us = mesh.info()
    return Routez(
        server_id=source.server_id,
        server_name=source.broker.identity.server_name,
        now=source.now(),
        import_=_permission(us.import_),
        export=_permission(us.export),
        num_routes=len(mesh.routes),
        routes=[_row(source, route, detail) for route in mesh.routes.values()],
    )


def _row(source: Source, route: Route, detail: ListDetail) -> RouteInfo:
    link, remote, now_ns = route.session, route.remote, time.time_ns()
    start_ns, active_ns = to_ns(route.started_at), source.wall_ns(route.last_activity)
    row = RouteInfo(
        rid=route.cid,
        remote_id=remote.server_id,
        remote_name=remote.server_name,
        did_solicit=route.did_solicit,
        is_configured=route.origin is not None and route.origin.is_configured,
        ip=route.ip,
        port=route.port,
        start=format_time(start_ns),
        last_activity=format_time(active_ns),
        rtt=format_rtt(route.rtt_s),
        uptime=format_uptime((now_ns - start_ns) / 1e9),
        idle=format_uptime((now_ns - active_ns) / 1e9),
        import_=_permission(remote.import_),
        export=_permission(remote.export),
        pending_size=link.pending_bytes,
        in_msgs=link.in_msgs,
        out_msgs=link.out_msgs,
        in_bytes=link.in_bytes,
        out_bytes=link.out_bytes,
        subscriptions=link.n_subscriptions,
        compression="not supported",
    )
    if detail is ListDetail.SUBJECT:
        row.subscriptions_list = [shown(interest.subject) for interest in link.interests()]
    elif detail is ListDetail.EVERYTHING:
        row.subscriptions_list_detail = [
            describe_interest(interest, route.cid, interest.account) for interest in link.interests()
        ]
    return row


def _permission(permission: RoutePermission | None) -> SubjectPermission | None:
    if permission is None:
        return None
    return SubjectPermission(allow=permission.allow or [], deny=permission.deny)


def cluster_options(source: Source) -> ClusterOptsVarz:
    """Tell how routes are taken; nothing without a cluster."""
    options, mesh = source.broker.options.cluster, source.broker.mesh
    if not options.is_on:
        return ClusterOptsVarz()
    return ClusterOptsVarz(
        name=source.broker.identity.cluster,
        addr=mesh.host,
        cluster_port=mesh.port,
        auth_timeout=whole_or_float(options.auth_timeout_s),
        urls=[server_url(url).address for url in options.routes],
        tls_timeout=whole_or_float(options.tls.timeout_s) if options.tls is not None else _TLS_TIMEOUT_S,
        tls_required=options.tls is not None,
        tls_verify=options.tls is not None,
        pool_size=_NO_POOL,
        write_deadline=round(options.write_deadline_s * 1e9),
        write_timeout="" if options.write_timeout == "default" else options.write_timeout,
        tls_cert_not_after=source.certificate_expiry("routes", options.tls),
    )
