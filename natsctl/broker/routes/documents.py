"""The JSON documents of the route protocol.

Routes are not pooled and not compressed, and leaf traffic comes as that of the server it came by: what would offer
more (``route_pool_size``, ``compression``, ``lnoc``) is left out.

Source: nats-server ``server.go`` (Info), ``route.go`` (connectInfo).
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from natsctl.config.options import Permission

__all__ = ["Gossip", "RouteConnect", "RouteInfo", "RoutePermission"]


class Gossip(IntEnum):
    """What a server does with the news of another one."""

    DEFAULT = 0
    DISABLED = 1
    """Connect to it, and tell nobody."""
    OVERRIDE = 2
    """Connect to it and tell others, though somebody else had to tell us."""


class RoutePermission(msgspec.Struct, omit_defaults=True):
    """Subjects that come from or go to other servers."""

    allow: list[str] | None = None
    deny: list[str] = []

    @classmethod
    def of(cls, permission: Permission) -> RoutePermission | None:
        """Write an option; None when it restricts nothing."""
        return cls(permission.allow, permission.deny) if permission.allow is not None or permission.deny else None


class RouteInfo(msgspec.Struct, omit_defaults=True, kw_only=True):
    r"""What a server says of itself, or of another one.

    Wire: ``INFO {...} \r\n``.

    Attributes:
        client_id: Only what serves clients or leafnodes sends it.
        ip: URL of its route port, where it is to be reached under another address than its connection comes from.
        cluster_dynamic: Whether it would take another cluster name.
        connect_urls: Where clients reach it.
        route_account: The account that this connection is for alone; empty for all.
    """

    server_id: str = ""
    server_name: str = ""
    version: str = ""
    proto: int = 0
    go: str = ""
    host: str = ""
    port: int = 0
    headers: bool = False
    auth_required: bool = False
    tls_required: bool = False
    tls_verify: bool = False
    max_payload: int = 0
    client_id: int = 0
    ip: str = ""
    cluster: str = ""
    cluster_dynamic: bool = False
    connect_urls: list[str] = []
    ldm: bool = False
    import_: RoutePermission | None = msgspec.field(default=None, name="import")
    export: RoutePermission | None = None
    leafnode_urls: list[str] = []
    route_account: str = ""
    gossip_mode: int = 0


class RouteConnect(msgspec.Struct, kw_only=True):
    r"""What the server that made the connection says first.

    Wire: ``CONNECT {...}\r\n``.

    Attributes:
        name: Its id.
        lang: Never from a server; clients say it.
        gateway: Its gateway, if it thinks that this is the port for those.
    """

    echo: bool = True
    verbose: bool = False
    pedantic: bool = False
    user: str = ""
    password: str = msgspec.field(default="", name="pass")
    tls_required: bool = False
    headers: bool = False
    name: str = ""
    cluster: str = ""
    cluster_dynamic: bool = False
    lang: str = ""
    gateway: str = ""
