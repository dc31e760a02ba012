"""The document of ``/leafz``: the leafnode connections, made or taken.

Source: nats-server 2.15 ``Leafz``, ``LeafInfo``.
"""

from __future__ import annotations

from natsctl.monitoring.documents.connz import ProxyInfo
from natsctl.monitoring.documents.fields import Document, Int, always, if_any

__all__ = ["LeafInfo", "Leafz"]


class LeafInfo(Document):
    """One leafnode connection."""

    id: Int = always(int)
    name: str = always(str)
    is_spoke: bool = always(bool)
    is_isolated: bool = False
    account: str = always(str)
    ip: str = always(str)
    port: Int = always(int)
    rtt: str = ""
    in_msgs: Int = always(int)
    out_msgs: Int = always(int)
    in_bytes: Int = always(int)
    out_bytes: Int = always(int)
    subscriptions: Int = always(int)
    subscriptions_list: list[str] = if_any(list)
    compression: str = ""
    proxy: ProxyInfo | None = None


class Leafz(Document):
    """All leafnode connections of one server."""

    server_id: str = always(str)
    now: str = always(str)
    leafnodes: Int = always(int)
    leafs: list[LeafInfo] = always(list)
