"""Statistics of durations: exact where sums are known, bracketed where only buckets are."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_otel.names import DURATION_BUCKETS
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.latency import Latency, Measured, latency
from openrouter_otel.reporting.quantiles import buckets

INFINITE = (*DURATION_BUCKETS, math.inf)
OTHER_LAYOUT = (0.1, 1.0, 5.0, 30.0, math.inf)


def cumulative(seconds: list[float], process: str, layout: tuple[float, ...]) -> list[tuple[Series, Decimal]]:
    return [
        (
            Series.of({"process": process, "le": "+Inf" if math.isinf(bound) else str(bound)}),
            Decimal(sum(value <= bound for value in seconds)),
        )
        for bound in layout
    ]


durations = st.lists(st.floats(0.001, 1000), min_size=1, max_size=40)


@given(durations, st.lists(st.floats(0.001, 1000), max_size=40))
def test_the_true_order_statistic_is_inside_its_bracket_even_with_two_layouts(
    seconds: list[float], others: list[float]
) -> None:
    counted = buckets([*cumulative(seconds, "a", INFINITE), *cumulative(others, "b", OTHER_LAYOUT)])
    everything = sorted(seconds + others)
    found = latency(Measured(Decimal(len(everything)), Decimal(1), buckets=counted))
    for q, guess, (lower, upper) in (
        (0.5, found.p50, found.p50_range),
        (0.95, found.p95, found.p95_range),
        (0.99, found.p99, found.p99_range),
    ):
        true = everything[math.ceil(Decimal(str(q)) * len(everything)) - 1] * 1000
        assert lower is not None
        assert guess is not None
        assert lower - 1e-6 <= true <= (math.inf if upper is None else upper) + 1e-6
        assert lower <= guess <= (math.inf if upper is None else upper)


@given(st.lists(st.integers(1, 600_000), min_size=2, max_size=30))
def test_mean_and_deviation_are_those_of_the_calls(milliseconds: list[int]) -> None:
    seconds = [Decimal(value) / 1000 for value in milliseconds]
    squares = sum((value * value for value in seconds), Decimal(0))
    found = latency(Measured(Decimal(len(seconds)), sum(seconds, Decimal(0)), squares))
    assert found.mean == pytest.approx(statistics.fmean(milliseconds))
    assert found.stdev == pytest.approx(statistics.stdev(milliseconds), abs=1e-3)


def test_nothing_measured_is_nothing_said() -> None:
    assert latency(Measured()) == Latency(count=0)
    assert latency(Measured()).p95_range == (None, None)


def test_one_call_has_no_deviation_and_is_its_own_extreme() -> None:
    counted = buckets(cumulative([0.9], "a", INFINITE))
    found = latency(Measured(Decimal(1), Decimal("0.9"), Decimal("0.81"), 0.9, 0.9, counted))
    assert (found.stdev, found.p50, found.p50_range) == (None, 900, (680, 1000))


def test_an_extreme_that_the_buckets_refute_was_not_seen_in_time() -> None:
    counted = {(1.0, 1.5): Decimal(1), (2.2, 3.3): Decimal(0), (4.7, 6.8): Decimal(1)}
    found = latency(Measured(Decimal(2), Decimal(7), shortest=2.0, longest=3.7, buckets=counted))
    assert (found.min, found.max) == (None, None)
    found = latency(Measured(Decimal(2), Decimal(7), shortest=1.5, longest=4.8, buckets=counted))
    assert (found.min, found.max) == (1500.0, 4800.0)


def test_beyond_the_last_bucket_the_known_maximum_is_the_bound() -> None:
    counted = buckets(cumulative([700.0], "a", INFINITE))
    assert latency(Measured(Decimal(1), Decimal(700), longest=700.0, buckets=counted)).p99_range == (600_000, 700_000)
    assert latency(Measured(Decimal(1), Decimal(700), buckets=counted)).p99_range == (600_000, None)


def test_inside_a_bucket_the_guess_is_logarithmic_and_in_the_first_linear() -> None:
    middle = {(1.0, 4.0): Decimal(2)}
    first = {(0.0, 4.0): Decimal(2)}
    assert latency(Measured(Decimal(2), Decimal(1), buckets=middle)).p50 == pytest.approx(2000)
    assert latency(Measured(Decimal(2), Decimal(1), buckets=first)).p50 == pytest.approx(2000)
    assert latency(Measured(Decimal(4), Decimal(1), buckets={(1.0, 16.0): Decimal(4)})).p50 == pytest.approx(4000)
