"""Tally -> latency: which counts, sums and spreads a group's figures come from. Pure.

Latency covers calls that went well; a failure's duration says nothing about a model's speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from openrouter_otel import names
from openrouter_otel.reporting import books, latency, rates
from openrouter_otel.reporting.books import K, Key, Totals
from openrouter_otel.reporting.distributions import Spread, well
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.latency import Latency, Measured
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.rates import Rate
from openrouter_otel.reporting.tally import Tally


def mean_ms(tally: Tally, interval: Interval) -> float | None:
    """Mean duration over an interval, None without a call."""
    count, total = (
        well(names.DURATION, tally.within(names.DURATION, interval, part)).sum() for part in ("_count", "_sum")
    )
    return latency.mean(count, total)


def means_ms(count: Totals, total: Totals, key: Callable[[Series], K]) -> dict[K, float | None]:
    """Mean durations by what `key` says of a series, from the histogram's ``_count`` and ``_sum``."""
    counts, sums = (well(names.DURATION, gained).by(key) for gained in (count, total))
    return {name: latency.mean(calls, sums.get(name, ZERO)) for name, calls in counts.items()}


def overall(tally: Tally) -> Latency:
    """How long the period's calls took."""
    return next(iter(latencies(tally, books.together).values()), Latency(0))


def latencies(tally: Tally, key: Key, metric: names.Metric = names.DURATION) -> dict[str, Latency]:
    """How long the period's calls, or their first tokens, took, by what `key` says of a series."""
    return {
        name: latency.latency(Measured(count, total, spread.squares, spread.shortest, spread.longest, spread.buckets))
        for name, count, total, spread in _measured(tally, metric, key)
    }


def output_rates(tally: Tally, key: Key) -> dict[str, Rate]:
    """Output tokens per second over the period."""
    return {
        name: rates.rate(count, total, spread.buckets)
        for name, count, total, spread in _measured(tally, names.OUTPUT_RATE, key)
    }


def _measured(tally: Tally, metric: names.Metric, key: Key) -> Iterator[tuple[str, Decimal, Decimal, Spread]]:
    """Count, sum and spread of each group, by name."""
    counts, sums = (well(metric, tally.period(metric, part)).by(key) for part in ("_count", "_sum"))
    spreads = tally.evidence.distributions.of(metric, key)
    for name in sorted(counts):
        yield name, counts[name], sums.get(name, ZERO), spreads.get(name, Spread())
