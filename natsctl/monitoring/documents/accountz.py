"""The documents of ``/accountz`` (which accounts, or one in detail) and ``/accstatz`` (their traffic).

Source: nats-server 2.15 ``Accountz``, ``AccountInfo``, ``AccountStatz``, ``AccountStat``.
"""

from __future__ import annotations

from typing import Any

from natsctl.monitoring.documents.fields import Document, Int, always, if_any
from natsctl.monitoring.documents.subsz import SublistStats

__all__ = ["AccountInfo", "AccountStat", "Accountz", "Accstatz", "DataStats", "ExtExport", "ExtImport", "MapDest"]
__all__ += ["MsgBytes"]


class MapDest(Document):
    """One destination of a subject mapping.

    Units: ``weight`` in percent.
    """

    subject: str = always(str)
    weight: Int = always(int)
    cluster: str = ""


class ExtExport(Document):
    """A stream or service that an account offers to others."""

    name: str = ""
    subject: str = ""
    type: str = ""
    token_req: bool = False
    revocations: dict[str, Int] = if_any(dict)
    response_type: str = ""
    response_threshold: Int = 0
    service_latency: dict[str, Any] | None = None
    account_token_position: Int = 0
    advertise: bool = False
    allow_trace: bool = False
    description: str = ""
    info_url: str = ""
    approved_accounts: list[str] = if_any(list)
    revoked_activations: dict[str, str] = if_any(dict)


class ExtImport(Document):
    """A stream or service that an account takes from another; nats-server adds its own under ``$SYS``."""

    name: str = ""
    subject: str = ""
    account: str = ""
    token: str = ""
    to: str = ""
    local_subject: str = ""
    type: str = ""
    allow_trace: bool = False
    invalid: bool = always(bool)
    share: bool = always(bool)
    tracking: bool = always(bool)
    tracking_header: dict[str, list[str]] | None = None
    latency: dict[str, Any] | None = None
    m1: dict[str, Any] | None = None


class AccountInfo(Document):
    """One account in detail."""

    account_name: str = always(str)
    update_time: str = always(str)
    is_system: bool = False
    expired: bool = always(bool)
    complete: bool = always(bool)
    jetstream_enabled: bool = always(bool)
    leafnode_connections: Int = always(int)
    client_connections: Int = always(int)
    subscriptions: Int = always(int)
    mappings: dict[str, list[MapDest]] = if_any(dict)
    exports: list[ExtExport] = if_any(list)
    imports: list[ExtImport] = if_any(list)
    jwt: str = ""
    issuer_key: str = ""
    name_tag: str = ""
    tags: list[str] = if_any(list)
    decoded_jwt: dict[str, Any] | None = None
    validation_result_jwt: list[dict[str, Any]] = if_any(list)
    revoked_user: dict[str, str] = if_any(dict)
    revoked_activations: dict[str, str] = if_any(dict)
    sublist_stats: SublistStats | None = None
    responses: dict[str, ExtImport] = if_any(dict)


class Accountz(Document):
    """The names of the accounts, or with ``acc=`` one of them in detail."""

    server_id: str = always(str)
    now: str = always(str)
    system_account: str = ""
    accounts: list[str] = if_any(list)
    account_detail: AccountInfo | None = None


class MsgBytes(Document):
    """Messages and their payload bytes."""

    msgs: Int = always(int)
    bytes: Int = always(int)


class DataStats(MsgBytes):
    """Traffic of an account in one direction, and what of it went by other servers."""

    gateways: MsgBytes = always(MsgBytes)
    routes: MsgBytes = always(MsgBytes)
    leafs: MsgBytes = always(MsgBytes)


class AccountStat(Document):
    """Connections and traffic of one account."""

    acc: str = always(str)
    name: str = always(str)
    conns: Int = always(int)
    leafnodes: Int = always(int)
    total_conns: Int = always(int)
    num_subscriptions: Int = always(int)
    sent: DataStats = always(DataStats)
    received: DataStats = always(DataStats)
    slow_consumers: Int = always(int)


class Accstatz(Document):
    """Traffic of the accounts that have connections, or with ``unused=1`` of all."""

    server_id: str = always(str)
    now: str = always(str)
    account_statz: list[AccountStat] = always(list)
