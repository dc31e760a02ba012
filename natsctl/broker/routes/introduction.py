"""What we tell other servers of ourselves.

Source: nats-server ``route.go`` (sendRouteConnect, generateRouteInitialInfoJSON, setRouteInfoHostPortAndIP).
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from natsctl.broker.identity import Identity
from natsctl.broker.listener import advertised, join_address
from natsctl.broker.routes.documents import Gossip, RouteConnect, RouteInfo, RoutePermission
from natsctl.config import Options
from natsctl.config.urls import ServerUrl
from natsctl.protocol.documents import PROTOCOL_RELEASE

__all__ = ["Introduced", "connect_line", "introduce"]

_PROTOCOL = 1
"""Of routes: INFO may come again."""


class Introduced(Protocol):
    """Who is spoken of."""

    options: Options
    identity: Identity


def introduce(us: Introduced, address: tuple[str, int], gossip: int = Gossip.DEFAULT) -> RouteInfo:
    """Make our INFO, without the URLs of clients and leafnodes.

    Args:
        us: The broker.
        address: Where it takes routes.
        gossip: What to do with the news of us.
    """
    identity, options = us.identity, us.options.cluster
    host, port = advertised(options.advertise, *address)
    permissions = options.permissions
    return RouteInfo(
        server_id=identity.server_id,
        server_name=identity.server_name,
        version=PROTOCOL_RELEASE,
        proto=_PROTOCOL,
        go=identity.runtime,
        host=host,
        port=port,
        headers=not us.options.no_header_support,
        auth_required=bool(options.user),
        tls_required=options.tls is not None,
        tls_verify=options.tls is not None,
        max_payload=us.options.max_payload,
        ip=f"nats-route://{join_address(host, port)}/" if options.advertise else "",
        cluster=identity.cluster,
        cluster_dynamic=identity.cluster_is_dynamic,
        import_=RoutePermission.of(permissions.publish) if permissions is not None else None,
        export=RoutePermission.of(permissions.subscribe) if permissions is not None else None,
        gossip_mode=gossip,
    )


def connect_line(us: Introduced, url: ServerUrl) -> bytes:
    """Make our CONNECT for the server at this URL."""
    identity = us.identity
    connect = RouteConnect(
        user=url.user,
        password=url.password,
        tls_required=us.options.cluster.tls is not None,
        headers=not us.options.no_header_support,
        name=identity.server_id,
        cluster=identity.cluster,
        cluster_dynamic=identity.cluster_is_dynamic,
    )
    return b"CONNECT " + msgspec.json.encode(connect) + b"\r\n"
