"""Latencies in an HDR histogram: three digits of precision from a microsecond to an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # it has no types

__all__ = ["PERCENTILES", "Latencies"]

PERCENTILES = (50.0, 90.0, 99.0, 99.9, 99.99)
_MAX_US = 3_600_000_000
_DIGITS = 3
_MAX_COUNTED = 4096
"""Different values counted aside: the histogram takes a microsecond for each value, the counter 40 ns."""


class Latencies:
    """Durations, counted.

    Units: microseconds.
    """

    def __init__(self, encoded: bytes = b"") -> None:
        self._counter: Counter[int] = Counter()
        self._histogram = HdrHistogram.decode(encoded) if encoded else HdrHistogram(1, _MAX_US, _DIGITS)

    def add(self, value_us: int, n: int = 1) -> None:
        """Count one duration n times."""
        self._counter[value_us] += n
        if len(self._counter) > _MAX_COUNTED:
            self._fold()

    def merge(self, encoded: bytes) -> None:
        """Add what another one counted, as it was encoded."""
        self._fold()
        self._histogram.add(HdrHistogram.decode(encoded))

    def encode(self) -> bytes:
        """Write it in the compressed form that HdrHistogram tools read (version 2, base64)."""
        self._fold()
        return bytes(self._histogram.encode())

    @property
    def count(self) -> int:
        """How many durations were counted."""
        self._fold()
        return int(self._histogram.get_total_count())

    @property
    def min_us(self) -> int:
        """The shortest."""
        self._fold()
        return int(self._histogram.get_min_value())

    @property
    def max_us(self) -> int:
        """The longest."""
        self._fold()
        return int(self._histogram.get_max_value())

    @property
    def mean_us(self) -> float:
        """The mean."""
        self._fold()
        return float(self._histogram.get_mean_value())

    @property
    def stddev_us(self) -> float:
        """The standard deviation."""
        self._fold()
        return float(self._histogram.get_stddev())

    def percentile(self, percentile: float) -> int:
        """Give the duration that so many percent do not exceed."""
        self._fold()
        return int(self._histogram.get_value_at_percentile(percentile))

    def buckets(self) -> Iterator[tuple[int, int]]:
        """Give each duration that occurred, ascending, with its count; near ones are one."""
        self._fold()
        for item in self._histogram.get_recorded_iterator():
            yield int(item.value_iterated_to), int(item.count_added_in_this_iter_step)

    def _fold(self) -> None:
        for value, n in self._counter.items():
            self._histogram.record_value(min(max(value, 1), _MAX_US), n)
        self._counter.clear()
