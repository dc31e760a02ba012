"""The document of ``/gatewayz``: the connections between clusters.

Source: nats-server 2.15 ``Gatewayz``, ``RemoteGatewayz``, ``AccountGatewayz``.
"""

from __future__ import annotations

from natsctl.monitoring.documents.connz import ConnInfo
from natsctl.monitoring.documents.fields import Document, Int, always, if_any
from natsctl.monitoring.documents.subsz import SubDetail

__all__ = ["AccountGatewayz", "Gatewayz", "RemoteGatewayz"]


class AccountGatewayz(Document):
    """What a gateway knows of the interest in one account."""

    name: str = always(str)
    interest_mode: str = always(str)
    no_interest_count: Int = 0
    interest_only_threshold: Int = 0
    num_subs: Int = 0
    num_queue_subs: Int = 0
    subscriptions_list: list[str] = if_any(list)
    subscriptions_list_detail: list[SubDetail] = if_any(list)


class RemoteGatewayz(Document):
    """One connection with another cluster."""

    configured: bool = always(bool)
    connection: ConnInfo | None = None
    accounts: list[AccountGatewayz] = if_any(list)


class Gatewayz(Document):
    """All gateways of one server, by the name of the other cluster."""

    server_id: str = always(str)
    now: str = always(str)
    name: str = ""
    host: str = ""
    port: Int = 0
    outbound_gateways: dict[str, RemoteGatewayz] = always(dict)
    inbound_gateways: dict[str, list[RemoteGatewayz]] = always(dict)
