"""Reads ``jetstream`` settings, of the server and of an account.

Nothing here is kept: a server without JetStream checks what it is given and refuses to start with it.

Source: nats-server ``server/opts.go``, parseJetStream and parseJetStreamForAccount.
"""

from __future__ import annotations

import re
from typing import Any

from natsctl.config.document import Node
from natsctl.config.readers import boolean, choice, duration, duration_text, integer, string
from natsctl.config.schema import Block, Key, Reader, RefusedError, Report
from natsctl.config.words import kind

__all__ = ["account_jetstream", "jetstream"]

_STORAGE_SIZE = re.compile(r"(?:[-+]?[0-9]{1,18}[KMGT])?", re.IGNORECASE)


def _storage_size(node: Node, report: Report) -> object:
    if isinstance(node.value, str):
        if not _STORAGE_SIZE.fullmatch(node.value):
            raise RefusedError("must be a size that ends in K, M, G or T")
        return node.value
    return integer(node, report)


def _size_from_zero(node: Node, report: Report) -> object:
    value = _storage_size(node, report)
    if str(value).startswith("-"):
        raise RefusedError("must not be negative")
    return value


def _count_from_zero(node: Node, report: Report) -> int:
    value = integer(node, report)
    if value < 0:
        raise RefusedError(f"must not be negative, found {value}")
    return value


def _sync(node: Node, report: Report) -> object:
    if isinstance(node.value, str) and node.value.lower() == "always":
        return node.value
    return duration(node, report)


_CIPHER = choice("aes", "chacha", "chachapoly", any_case=True)

_LIMITS = Block(
    Key("max_ack_pending", integer),
    Key("max_ha_assets", integer),
    Key("max_request_batch", integer),
    Key("duplicate_window", duration_text),
    Key(
        "batch",
        Block(
            Key("max_inflight_per_stream", integer),
            Key("max_inflight_total", integer),
            Key("max_msgs", integer),
            Key("timeout", duration_text),
        ),
    ),
)

_TPM = Block(
    Key("keys_file", string),
    Key("encryption_password", string),
    Key("srk_password", string),
    Key("pcr", integer),
    Key("cipher", _CIPHER),
)

_SERVER = Block(
    Key("enabled", boolean, ("enable",)),
    Key("store_dir", string, ("store", "storedir")),
    Key("max_memory_store", _storage_size, ("max_mem_store", "max_mem")),
    Key("max_file_store", _storage_size, ("max_file",)),
    Key("domain", string),
    Key("key", string, ("ek", "encryption_key")),
    Key("prev_key", string, ("prev_ek", "prev_encryption_key")),
    Key("cipher", _CIPHER),
    Key("strict", boolean),
    Key("sync_interval", _sync, ("sync",)),
    Key("extension_hint", string),
    Key("unique_tag", string),
    Key("limits", _LIMITS),
    Key("tpm", _TPM),
    Key("max_outstanding_catchup", _storage_size),
    Key("max_buffered_size", _storage_size),
    Key("max_buffered_msgs", integer),
    Key("request_queue_limit", integer),
    Key("info_queue_limit", integer),
    Key("meta_compact", _count_from_zero),
    Key("meta_compact_size", _size_from_zero),
    Key("meta_compact_sync", boolean),
)

_ACCOUNT = Block(
    Key("max_memory", integer, ("max_mem", "mem", "memory")),
    Key("max_store", integer, ("max_file", "max_disk", "store", "disk")),
    Key("max_streams", integer, ("streams",)),
    Key("max_consumers", integer, ("consumers",)),
    Key("max_bytes_required", boolean, ("max_stream_bytes", "max_bytes")),
    Key("memory_max_stream_bytes", integer, ("mem_max_stream_bytes",)),
    Key("disk_max_stream_bytes", integer, ("store_max_stream_bytes",)),
    Key("max_ack_pending", integer),
    Key("cluster_traffic", choice("", "system", "owner")),
)

_SWITCH = choice("enabled", "enable", "disabled", "disable", any_case=True)


def _switch_or(block: Block) -> Reader:
    """Make a reader of ``true``, ``enabled`` or a block; it gives whether JetStream is on."""

    def read(node: Node, report: Report) -> Any:
        if isinstance(node.value, bool):
            return node.value
        if isinstance(node.value, str):
            return _SWITCH(node, report).startswith("enable")
        if isinstance(node.value, dict):
            return block(node, report).get("enabled", True)
        raise RefusedError(f"must be a boolean, enabled, disabled or a map, found {kind(node.value)}")

    return read


jetstream = _switch_or(_SERVER)
"""Reads the server's ``jetstream``; gives whether it is on."""

account_jetstream = _switch_or(_ACCOUNT)
"""Reads an account's ``jetstream``; gives whether it is on."""
