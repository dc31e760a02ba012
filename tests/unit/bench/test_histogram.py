from __future__ import annotations

import statistics

from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.bench.histogram import Latencies

values = st.lists(st.tuples(st.integers(1, 10_000_000), st.integers(1, 5)), min_size=1, max_size=200)


def filled(pairs: list[tuple[int, int]]) -> Latencies:
    latencies = Latencies()
    for value, n in pairs:
        latencies.add(value, n)
    return latencies


@settings(deadline=None)
@given(values)
def test_three_digits_are_right(pairs: list[tuple[int, int]]) -> None:
    latencies = filled(pairs)
    every = sorted(value for value, n in pairs for _ in range(n))
    assert latencies.count == len(every)
    for percentile in (50.0, 90.0, 99.0):
        rank = int(len(every) * percentile / 100)  # HdrHistogram rounds it to one of the two neighbours
        around = every[max(0, rank - 1)], every[min(rank, len(every) - 1)]
        assert around[0] * 0.999 - 1 <= latencies.percentile(percentile) <= around[1] * 1.001 + 1
    assert abs(latencies.mean_us - statistics.fmean(every)) <= statistics.fmean(every) / 1000 + 1
    assert abs(latencies.max_us - every[-1]) <= every[-1] / 1000 + 1
    assert sum(n for _, n in latencies.buckets()) == len(every)


@settings(deadline=None)
@given(values, values)
def test_merging_is_counting_together(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    merged = filled(left)
    merged.merge(filled(right).encode())
    assert list(merged.buckets()) == list(filled(left + right).buckets())


def test_more_different_values_than_are_counted_aside_are_all_there() -> None:
    latencies = filled([(value, 1) for value in range(1, 20_001)])
    assert latencies.count == 20_000
    assert abs(latencies.percentile(50.0) - 10_000) <= 11


def test_what_is_out_of_range_is_counted_at_its_end() -> None:
    latencies = filled([(-5, 1), (0, 1), (10**12, 1)])
    assert latencies.count == 3
    assert latencies.min_us <= 1
    assert latencies.max_us >= 3_590_000_000
