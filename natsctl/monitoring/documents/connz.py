"""The document of ``/connz``: the connections of clients and leafnodes, open or closed.

Source: nats-server 2.15 ``Connz``, ``ConnInfo``.
"""

from __future__ import annotations

from natsctl.monitoring.documents.fields import Document, Int, always, if_any
from natsctl.monitoring.documents.subsz import SubDetail

__all__ = ["ConnInfo", "Connz", "ProxyInfo", "TLSPeerCert"]


class TLSPeerCert(Document):
    """A certificate the client showed."""

    subject: str = ""
    spki_sha256: str = ""
    cert_sha256: str = ""


class ProxyInfo(Document):
    """The proxy a client came through."""

    key: str = always(str)


class ConnInfo(Document):
    """One connection; ``stop`` and ``reason`` are there when it is closed.

    ``in_*`` counts what the server received from the client, ``out_*`` what it sent to it. A cid is not used twice in
    the life of a server, but starts anew with the next: ``cid`` and ``start`` together name a connection.

    Units: ``rtt`` is a Go duration, ``uptime`` and ``idle`` whole seconds as ``1y2d3h4m5s``, see
        :mod:`natsctl.monitoring.times`.
    """

    cid: Int = always(int)
    kind: str = ""
    type: str = ""
    ip: str = always(str)
    port: Int = always(int)
    start: str = always(str)
    last_activity: str = always(str)
    stop: str = ""
    reason: str = ""
    rtt: str = ""
    uptime: str = always(str)
    idle: str = always(str)
    pending_bytes: Int = always(int)
    in_msgs: Int = always(int)
    out_msgs: Int = always(int)
    in_bytes: Int = always(int)
    out_bytes: Int = always(int)
    stalls: Int = 0
    subscriptions: Int = always(int)
    name: str = ""
    lang: str = ""
    version: str = ""
    tls_version: str = ""
    tls_cipher_suite: str = ""
    tls_peer_certs: list[TLSPeerCert] = if_any(list)
    tls_first: bool = False
    authorized_user: str = ""
    account: str = ""
    subscriptions_list: list[str] = if_any(list)
    subscriptions_list_detail: list[SubDetail] = if_any(list)
    jwt: str = ""
    issuer_key: str = ""
    name_tag: str = ""
    tags: list[str] = if_any(list)
    mqtt_client: str = ""
    proxy: ProxyInfo | None = None


class Connz(Document):
    """A page of connections: ``num_connections`` of ``total``, from ``offset``, at most ``limit``.

    nats-server says ``"connections": null`` when asked for an account it does not know; that reads as an empty page.
    """

    server_id: str = always(str)
    now: str = always(str)
    num_connections: Int = always(int)
    total: Int = always(int)
    offset: Int = always(int)
    limit: Int = always(int)
    connections: list[ConnInfo] = always(list)
