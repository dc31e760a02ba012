"""All of ``/varz`` as lines of name and value, with durations and sizes for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import NS
from natsctl.tui.views.server import server_names
from natsctl.units import format_bytes, format_duration

__all__ = ["Variable", "variables"]

_BYTES = {"mem", "max_payload", "max_pending", "max_control_line", "gomemlimit", "in_bytes", "out_bytes"}
_BYTES |= {"in_client_bytes", "out_client_bytes", "max_memory", "max_storage", "memory", "storage"}
_BYTES |= {"reserved_memory", "reserved_storage"}
_NANOSECONDS = {"ping_interval", "write_deadline", "sync_interval", "ack_wait", "handshake_timeout"}
_NANOSECONDS |= {"wait_time", "max_wait_time"}
_SECONDS = {"auth_timeout", "tls_timeout"}


@dataclass(frozen=True, slots=True)
class Variable:
    """One value of ``/varz``.

    Attributes:
        server: What the server is called.
        name: Where it is in the document, as ``cluster.addr`` or ``tags.0``.
        value: What it is, for people.
        exact: The number as it came, where ``value`` is a size or a duration, else "".
    """

    server: str
    name: str
    value: str
    exact: str = ""

    @property
    def haystack(self) -> str:
        """Where a search looks, in lower case."""
        return "\n".join((self.server, self.name, self.value, self.exact)).lower()


def variables(*snapshots: Snapshot) -> list[Variable]:
    """List everything that servers said, in their order; sections that do not apply to them are left out."""
    names = server_names(snapshots)
    return [
        Variable(names[snapshot.server], printable(path), *_described(key, value))
        for snapshot in snapshots
        if snapshot.varz is not None
        for path, key, value in _flattened("", "", msgspec.to_builtins(snapshot.varz))
    ]


def _flattened(path: str, key: str, value: Any) -> Iterator[tuple[str, str, object]]:
    """The path of each value, the last key on it that is no index, and the value."""
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _flattened(f"{path}.{inner}" if path else inner, inner, item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flattened(f"{path}.{index}", key, item)
    else:
        yield path, key, value


def _described(key: str, value: object) -> tuple[str, str]:
    """A value for people, and the exact number where that is something else."""
    if isinstance(value, bool):
        return ("yes" if value else "no"), ""
    if not isinstance(value, int | float):
        return printable(str(value)), ""
    if key in _BYTES:
        return format_bytes(value), str(value)
    if key in _NANOSECONDS:
        return format_duration(value / NS), str(value)
    if key in _SECONDS:
        return format_duration(value), str(value)
    if key == "cpu":
        return f"{value:.1f}%", str(value)
    return (f"{value:,}" if abs(value) >= 10_000 and not key.endswith("port") else str(value)), ""
