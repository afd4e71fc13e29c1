"""What buckets alone can tell: a spread near the true one, and rates of streams."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_otel.names import DURATION_BUCKETS, RATE_BUCKETS
from openrouter_otel.reporting.latency import Measured, latency
from openrouter_otel.reporting.quantiles import Quantile, quantile, spread
from openrouter_otel.reporting.rates import Rate, rate

Bucket = tuple[float, float]


def counted(values: list[float], layout: tuple[float, ...]) -> dict[Bucket, Decimal]:
    counts: dict[Bucket, Decimal] = {}
    edges = (0.0, *layout, math.inf)
    for value in values:
        upper = next(bound for bound in edges[1:] if value <= bound)
        bucket = edges[edges.index(upper) - 1], upper
        counts[bucket] = counts.get(bucket, Decimal(0)) + 1
    return counts


@given(st.lists(st.floats(0.001, 600), min_size=2, max_size=60))
def test_an_estimated_deviation_is_off_by_no_more_than_the_buckets_are_wide(seconds: list[float]) -> None:
    counts = counted(seconds, DURATION_BUCKETS)
    n = len(seconds)
    width = math.sqrt(sum(float(count) * (upper - lower) ** 2 for (lower, upper), count in counts.items()) / (n - 1))
    found = spread(counts, Decimal(str(sum(seconds))))
    assert found is not None
    assert abs(found - statistics.stdev(seconds)) <= width + 1e-9


def test_beyond_the_last_bound_the_sum_tells_how_far() -> None:
    seconds = [1.2] * 9 + [900.0]
    found = spread(counted(seconds, DURATION_BUCKETS), Decimal(str(sum(seconds))))
    assert found == pytest.approx(statistics.stdev(seconds), rel=0.001)


def test_one_value_has_no_spread_and_none_has_no_quantile() -> None:
    assert spread({(1.0, 1.5): Decimal(1)}, Decimal("1.2")) is None
    assert spread({}, Decimal(0)) is None
    assert quantile({}, 0.5) == Quantile(None, None, None)


def test_a_deviation_from_squares_is_exact_and_one_from_buckets_is_marked() -> None:
    counts = {(1.0, 1.5): Decimal(2)}
    exact = latency(Measured(Decimal(2), Decimal("2.6"), Decimal("3.40"), buckets=counts))
    estimated = latency(Measured(Decimal(2), Decimal("2.6"), buckets=counts))
    assert exact.stdev == pytest.approx(141.42, abs=0.01)
    assert (exact.stdev_estimated, estimated.stdev_estimated) == (False, True)
    assert estimated.stdev == pytest.approx(202, abs=3)


def test_a_rate_has_the_mean_of_its_streams_and_its_slow_end_bracketed() -> None:
    streams = [3.0, 40.0, 50.0, 60.0, 2000.0]
    found = rate(Decimal(5), Decimal(2153), counted(streams, RATE_BUCKETS))
    assert (found.count, found.mean) == (5, 430.6)
    assert (found.p5_range, found.median_range, found.p95_range) == ((2.2, 3.3), (47, 68), (1000, None))
    assert found.median is not None
    assert 47 < found.median < 68
    assert rate(Decimal(0), Decimal(0), {}) == Rate(count=0)
