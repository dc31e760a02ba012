"""All of ``/varz`` as lines of name and value, with durations and sizes for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from natsctl.monitoring.diagnosis import printable
from natsctl.monitoring.documents import Varz
from natsctl.units import format_bytes, format_duration

__all__ = ["Variable", "variables"]

NS_PER_S = 1e9

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
        name: Where it is in the document, as ``cluster.addr`` or ``tags.0``.
        value: What it is, for people.
        exact: The number as it came, where ``value`` is a size or a duration, else "".
    """

    name: str
    value: str
    exact: str = ""

    def mentions(self, needle: str) -> bool:
        """Whether a search for this text, in lower case, should find it."""
        return needle in self.name.lower() or needle in self.value.lower() or needle in self.exact


def variables(varz: Varz) -> list[Variable]:
    """List everything that the server said, in its order; sections that do not apply to it are left out."""
    return list(_flattened("", "", msgspec.to_builtins(varz)))


def _flattened(path: str, key: str, value: Any) -> Iterator[Variable]:
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _flattened(f"{path}.{inner}" if path else inner, inner, item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flattened(f"{path}.{index}", key, item)
    else:
        yield _described(path, key, value)


def _described(path: str, key: str, value: object) -> Variable:
    name = printable(path)
    if isinstance(value, bool):
        return Variable(name, "yes" if value else "no")
    if not isinstance(value, int | float):
        return Variable(name, printable(str(value)))
    if key in _BYTES:
        return Variable(name, format_bytes(value), str(value))
    if key in _NANOSECONDS:
        return Variable(name, format_duration(value / NS_PER_S), str(value))
    if key in _SECONDS:
        return Variable(name, format_duration(value), str(value))
    if key == "cpu":
        return Variable(name, f"{value:.1f}%", str(value))
    return Variable(name, f"{value:,}" if abs(value) >= 10_000 and not key.endswith("port") else str(value))
