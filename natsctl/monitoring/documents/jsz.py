"""The document of ``/jsz``; a server without JetStream answers with :attr:`Jsz.disabled` and zeros.

Source: nats-server 2.15 ``JSInfo``, ``JetStreamStats``, ``JetStreamConfig``.
"""

from __future__ import annotations

from typing import Any

from natsctl.monitoring.documents.fields import Document, always, if_any

__all__ = ["JetStreamAPIStats", "JetStreamConfig", "JetStreamStats", "Jsz"]


class JetStreamAPIStats(Document):
    """Requests to the JetStream API."""

    level: int = always(int)
    total: int = always(int)
    errors: int = always(int)
    inflight: int = 0


class JetStreamConfig(Document):
    """Where JetStream stores, and how much.

    Units: sizes in bytes, ``sync_interval`` in nanoseconds.
    """

    max_memory: int = always(int)
    max_storage: int = always(int)
    store_dir: str = ""
    sync_interval: int = 0
    sync_always: bool = False
    domain: str = ""
    compress_ok: bool = False
    unique_tag: str = ""
    strict: bool = False


class JetStreamStats(Document):
    """What JetStream holds.

    Units: sizes in bytes.
    """

    memory: int = always(int)
    storage: int = always(int)
    reserved_memory: int = always(int)
    reserved_storage: int = always(int)
    accounts: int = always(int)
    ha_assets: int = always(int)
    api: JetStreamAPIStats = always(JetStreamAPIStats)


class Jsz(JetStreamStats):
    """JetStream of one server: the statistics first, as nats-server prints them, then whose they are."""

    server_id: str = always(str)
    now: str = always(str)
    disabled: bool = False
    config: JetStreamConfig = always(JetStreamConfig)
    limits: dict[str, Any] | None = None
    streams: int = always(int)
    streams_leader: int = 0
    consumers: int = always(int)
    consumers_leader: int = 0
    messages: int = always(int)
    bytes: int = always(int)
    meta_cluster: dict[str, Any] | None = None
    account_details: list[dict[str, Any]] = if_any(list)
    total: int = always(int)
