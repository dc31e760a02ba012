"""The document of ``/jsz``; a server without JetStream answers with :attr:`Jsz.disabled` and zeros.

Source: nats-server 2.15 ``JSInfo``, ``JetStreamStats``, ``JetStreamConfig``.
"""

from __future__ import annotations

from typing import Any

from natsctl.monitoring.documents.fields import Document, Int, always, if_any

__all__ = ["JetStreamAPIStats", "JetStreamConfig", "JetStreamStats", "Jsz"]


class JetStreamAPIStats(Document):
    """Requests to the JetStream API."""

    level: Int = always(int)
    total: Int = always(int)
    errors: Int = always(int)
    inflight: Int = 0


class JetStreamConfig(Document):
    """Where JetStream stores, and how much.

    Units: sizes in bytes, ``sync_interval`` in nanoseconds.
    """

    max_memory: Int = always(int)
    max_storage: Int = always(int)
    store_dir: str = ""
    sync_interval: Int = 0
    sync_always: bool = False
    domain: str = ""
    compress_ok: bool = False
    unique_tag: str = ""
    strict: bool = False


class JetStreamStats(Document):
    """What JetStream holds.

    Units: sizes in bytes.
    """

    memory: Int = always(int)
    storage: Int = always(int)
    reserved_memory: Int = always(int)
    reserved_storage: Int = always(int)
    accounts: Int = always(int)
    ha_assets: Int = always(int)
    api: JetStreamAPIStats = always(JetStreamAPIStats)


class Jsz(JetStreamStats):
    """JetStream of one server: the statistics first, as nats-server prints them, then whose they are."""

    server_id: str = always(str)
    now: str = always(str)
    disabled: bool = False
    config: JetStreamConfig = always(JetStreamConfig)
    limits: dict[str, Any] | None = None
    streams: Int = always(int)
    streams_leader: Int = 0
    consumers: Int = always(int)
    consumers_leader: Int = 0
    messages: Int = always(int)
    bytes: Int = always(int)
    meta_cluster: dict[str, Any] | None = None
    account_details: list[dict[str, Any]] = if_any(list)
    total: Int = always(int)
