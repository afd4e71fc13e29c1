"""Order statistics over several sorted sequences are those of all values sorted together."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_otel.reporting import order
from openrouter_otel.reporting.quantiles import ASKED, quantile

values = st.one_of(st.floats(0, 1e6), st.sampled_from((0.0, 0.5, 1.0)))
parts = st.lists(st.lists(values, min_size=1, max_size=30).map(sorted), min_size=1, max_size=8)


@given(parts)
def test_every_rank_is_found(sequences: list[list[float]]) -> None:
    together = sorted(value for part in sequences for value in part)
    assert [order.at_rank(sequences, place) for place in range(1, len(together) + 1)] == together


@given(parts)
def test_quantiles_of_the_buckets_are_values_and_nothing_is_lost(sequences: list[list[float]]) -> None:
    together = sorted(value for part in sequences for value in part)
    counts = order.buckets(sequences, ASKED)

    assert sum(counts.values()) == len(together)
    for q in ASKED:
        value = together[math.ceil(Decimal(str(q)) * len(together)) - 1]
        assert quantile(counts, q) == (value, value, value)


@given(parts, st.floats(0.01, 1))
def test_any_other_quantile_is_within_its_bracket(sequences: list[list[float]], q: float) -> None:
    together = sorted(value for part in sequences for value in part)
    found = quantile(order.buckets(sequences, ASKED), q)

    assert found.lower is not None
    assert found.upper is not None
    assert found.lower <= together[math.ceil(Decimal(str(q)) * len(together)) - 1] <= found.upper


def test_of_no_values_there_are_no_buckets() -> None:
    assert order.buckets([], ASKED) == {}


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 1000])
def test_equal_values_are_one_bucket(count: int) -> None:
    assert order.buckets([[2.5] * count], ASKED) == {(2.5, 2.5): count}
