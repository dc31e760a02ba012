"""The last minutes of a server as whole snapshots, to scroll back through, in memory that does not grow.

Bound: packed snapshots of at most ``max_bytes``. When they are more, single ones go, the more the older, so that the
whole span stays in reach and only its density suffers: with 5,000 connections a snapshot packs to some 300 KiB.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right

import msgspec

from natsctl.monitoring.snapshot import Snapshot
from natsctl.monitoring.times import NS

__all__ = ["Rewind"]

_FASTEST = 1


class Rewind:
    """Keeps the snapshots of one server.

    Args:
        span_s: How far back.
        max_bytes: How much memory.
    """

    def __init__(self, *, span_s: float = 1200.0, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._span_ns = int(span_s * NS)
        self._max_bytes = max_bytes
        self._times: list[int] = []
        self._packed: list[bytes] = []
        self._n_bytes = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Snapshot)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def times(self) -> list[int]:
        """When each snapshot was taken, oldest first."""
        return self._times

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, taken after those kept so far; one from before them, by a clock set back, begins anew."""
        if self._times and snapshot.taken_at_ns < self._times[-1]:
            self._drop(len(self._times))
        try:
            packed = zlib.compress(self._encoder.encode(snapshot), _FASTEST)
        except OverflowError:  # a number beyond 64 bits among the keys that are not typed: from no server of NATS
            return
        self._times.append(snapshot.taken_at_ns)
        self._packed.append(packed)
        self._n_bytes += len(packed)
        self._drop(bisect_right(self._times, snapshot.taken_at_ns - self._span_ns))
        while self._n_bytes > self._max_bytes and len(self._times) > 1:
            self._thin()

    def at(self, at_ns: int) -> Snapshot | None:
        """The snapshot that was on the screen at this time; None before the first."""
        index = bisect_right(self._times, at_ns) - 1
        return self._decoder.decode(zlib.decompress(self._packed[index])) if index >= 0 else None

    def _drop(self, count: int) -> None:
        self._n_bytes -= sum(map(len, self._packed[:count]))
        del self._times[:count], self._packed[:count]

    def _thin(self) -> None:
        """Let one go: where the hole it leaves is smallest for its age; never the newest, and the oldest last."""
        times, newest = self._times, self._times[-1]
        inner = range(1, len(times) - 1)
        gone = min(inner, key=lambda at: (times[at + 1] - times[at - 1]) / (newest - times[at] + NS), default=0)
        self._n_bytes -= len(self._packed[gone])
        del times[gone], self._packed[gone]
