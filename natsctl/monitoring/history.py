"""The recent past as numbers for sparklines and charts, in rings whose memory does not grow.

Bounds: with the defaults a ring holds 15 minutes at one reading per second (900 values of 8 bytes). Each server has
:data:`SERVER_SERIES` rings; of the connections of a server the busiest and the pinned have rings, together at most
``max_connections``, so that 100 servers with any number of connections stay below 250 MiB, and one below 3 MiB.
"""

from __future__ import annotations

import heapq
import math
from array import array
from collections.abc import Iterator

from natsctl.monitoring.rates import Rates
from natsctl.monitoring.snapshot import ConnectionKey, Snapshot

__all__ = ["CONNECTION_SERIES", "SERVER_SERIES", "History", "Ring"]

SERVER_SERIES = (
    "in_msgs_per_s",
    "out_msgs_per_s",
    "in_bytes_per_s",
    "out_bytes_per_s",
    "cpu",
    "mem",
    "connections",
    "subscriptions",
    "slow_consumers",
)
"""What is kept of a server; the last five are fields of ``/varz``."""

CONNECTION_SERIES = ("in_msgs_per_s", "out_msgs_per_s", "in_bytes_per_s", "out_bytes_per_s", "pending_bytes")
"""What is kept of a connection."""

MIN_SAMPLES = 60
MAX_SAMPLES = 9_000


class Ring:
    """The last values of one series; NaN where there was none.

    Args:
        size: How many values are kept.
    """

    def __init__(self, size: int) -> None:
        self._values = array("d", [math.nan]) * size
        self._next = 0
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    def __iter__(self) -> Iterator[float]:
        return iter(self.last(self._filled))

    def append(self, value: float | None) -> None:
        """Add a value, in the place of the oldest when the ring is full; None leaves a gap."""
        self._values[self._next] = math.nan if value is None else value
        self._next = (self._next + 1) % len(self._values)
        self._filled = min(self._filled + 1, len(self._values))

    def last(self, count: int) -> list[float]:
        """The newest values.

        Shape: at most ``count``, oldest first.
        """
        count = min(count, self._filled)
        start = (self._next - count) % len(self._values)
        if start + count <= len(self._values):
            return self._values[start : start + count].tolist()
        return (self._values[start:] + self._values[: self._next]).tolist()


class History:
    """The recent past of one server and of those of its connections that matter.

    Args:
        interval_s: Seconds between snapshots, as polled.
        span_s: How far back to remember; the rings have so many values, from 60 to 9,000.
        busiest: How many connections with the most messages get rings at each snapshot.
        max_connections: How many connections have rings at most; the one seen longest ago loses its own first.
    """

    def __init__(
        self, *, interval_s: float = 1.0, span_s: float = 900.0, busiest: int = 32, max_connections: int = 64
    ) -> None:
        self._size = min(MAX_SAMPLES, max(MIN_SAMPLES, math.ceil(span_s / interval_s)))
        self._busiest = busiest
        self._max_connections = max_connections
        self._pinned: set[ConnectionKey] = set()
        self._restarts = 0
        self._server = {name: Ring(self._size) for name in SERVER_SERIES}
        self._connections: dict[ConnectionKey, dict[str, Ring]] = {}

    def server(self, series: str) -> Ring:
        """The ring of one of :data:`SERVER_SERIES`."""
        return self._server[series]

    def connection(self, cid: ConnectionKey, series: str) -> Ring | None:
        """The ring of one of :data:`CONNECTION_SERIES`; None when none is kept for this connection."""
        rings = self._connections.get(cid)
        return rings[series] if rings else None

    def pin(self, cid: ConnectionKey) -> None:
        """Keep the history of a connection from now on, however idle; it counts towards ``max_connections``."""
        if len(self._pinned) < self._max_connections:
            self._pinned.add(cid)

    def unpin(self, cid: ConnectionKey) -> None:
        """Keep the history of a connection only while it is among the busiest."""
        self._pinned.discard(cid)

    def add(self, snapshot: Snapshot) -> None:
        """Take in the next snapshot; one that failed leaves gaps."""
        if snapshot.restarts != self._restarts:  # the cids start anew
            self._restarts = snapshot.restarts
            self._connections.clear()
            self._pinned.clear()
        varz = None if snapshot.is_stale else snapshot.varz
        for name in SERVER_SERIES[:4]:
            self._server[name].append(getattr(snapshot.rates, name, None))
        for name in SERVER_SERIES[4:]:
            self._server[name].append(getattr(varz, name, None))
        self._add_connections(snapshot)

    def _add_connections(self, snapshot: Snapshot) -> None:
        rates = snapshot.connection_rates
        for cid in (*heapq.nlargest(self._busiest, rates, key=lambda cid: _msgs_per_s(rates[cid])), *self._pinned):
            if cid in rates:
                rings = self._connections.pop(cid, None)
                self._connections[cid] = rings or {name: Ring(self._size) for name in CONNECTION_SERIES}
        for cid in [cid for cid in self._connections if cid not in self._pinned]:
            if len(self._connections) <= self._max_connections:
                break
            del self._connections[cid]
        pending = {conn.cid: conn.pending_bytes for conn in snapshot.connz.connections} if snapshot.connz else {}
        for cid, rings in self._connections.items():
            measured = rates.get(cid)
            for name in CONNECTION_SERIES[:4]:
                rings[name].append(getattr(measured, name, None))
            rings["pending_bytes"].append(None if snapshot.is_stale else pending.get(cid))


def _msgs_per_s(rates: Rates) -> float:
    return rates.in_msgs_per_s + rates.out_msgs_per_s
