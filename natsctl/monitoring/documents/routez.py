"""The document of ``/routez``: the connections to the other servers of the cluster.

Source: nats-server 2.15 ``Routez``, ``RouteInfo``, ``SubjectPermission``.
"""

from __future__ import annotations

import msgspec

from natsctl.monitoring.documents.fields import Document, Int, always, if_any
from natsctl.monitoring.documents.subsz import SubDetail

__all__ = ["RouteInfo", "Routez", "SubjectPermission"]


class SubjectPermission(Document):
    """Subjects allowed and denied."""

    allow: list[str] = if_any(list)
    deny: list[str] = if_any(list)


class RouteInfo(Document):
    """One connection of a route; a peer has several when routes are pooled."""

    rid: Int = always(int)
    remote_id: str = always(str)
    remote_name: str = always(str)
    did_solicit: bool = always(bool)
    is_configured: bool = always(bool)
    ip: str = always(str)
    port: Int = always(int)
    start: str = always(str)
    last_activity: str = always(str)
    rtt: str = ""
    uptime: str = always(str)
    idle: str = always(str)
    import_: SubjectPermission | None = msgspec.field(default=None, name="import")
    export: SubjectPermission | None = None
    pending_size: Int = always(int)
    in_msgs: Int = always(int)
    out_msgs: Int = always(int)
    in_bytes: Int = always(int)
    out_bytes: Int = always(int)
    subscriptions: Int = always(int)
    subscriptions_list: list[str] = if_any(list)
    subscriptions_list_detail: list[SubDetail] = if_any(list)
    account: str = ""
    compression: str = ""


class Routez(Document):
    """All routes of one server."""

    server_id: str = always(str)
    server_name: str = always(str)
    now: str = always(str)
    import_: SubjectPermission | None = msgspec.field(default=None, name="import")
    export: SubjectPermission | None = None
    num_routes: Int = always(int)
    routes: list[RouteInfo] = always(list)
