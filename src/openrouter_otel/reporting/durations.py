"""Tally -> latency: which histogram entries and gauges a group's figures come from. Pure.

Latency covers calls that went well; a failure's duration says nothing about a model's speed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import latency, quantiles, rates
from openrouter_otel.reporting.books import K, Key, Totals
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.latency import Latency, Measured
from openrouter_otel.reporting.ledger import NOT_COUNTED, ZERO, Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.quantiles import Buckets
from openrouter_otel.reporting.rates import Rate
from openrouter_otel.reporting.tally import NOTHING, Tally

PARTS: Final = ("_count", "_sum", "_bucket")


@dataclass(frozen=True)
class Histograms:
    """What one metric's histograms counted over the period.

    Attributes:
        count: observations.
        total: their sum.
        buckets: how they spread, by histogram.
        squares: the sum of their squares, where it is kept.
    """

    count: Totals
    total: Totals
    buckets: Mapping[Series, Buckets]
    squares: Totals = NOTHING

    def by(self, key: Key) -> dict[str, Histograms]:
        """Apart by what `key` says of a series."""
        buckets: defaultdict[str, dict[Series, Buckets]] = defaultdict(dict)
        for series, counts in self.buckets.items():
            buckets[key(series)][series] = counts
        count, total, squares = (totals.grouped(key) for totals in (self.count, self.total, self.squares))
        return {
            name: Histograms(count[name], total.get(name, NOTHING), buckets.get(name, {}), squares.get(name, NOTHING))
            for name in sorted(self.count.by(key))
        }


def mean_ms(tally: Tally, interval: Interval) -> float | None:
    """Mean duration over an interval, None without a call."""
    count, total = (_well(tally.within(names.DURATION, interval, part)).sum() for part in ("_count", "_sum"))
    return latency.mean(count, total)


def means_ms(count: Totals, total: Totals, key: Callable[[Series], K]) -> dict[K, float | None]:
    """Mean durations by what `key` says of a series, from the histogram's ``_count`` and ``_sum``."""
    sums = _well(total).by(key)
    return {name: latency.mean(calls, sums.get(name, ZERO)) for name, calls in _well(count).by(key).items()}


class Durations:
    """How long the period's calls took, in whatever way a table asks for."""

    def __init__(self, tally: Tally) -> None:
        count, total, buckets = (_well(tally.period(names.DURATION, part)) for part in PARTS)
        self._all = Histograms(
            count, total, quantiles.histograms(buckets.items()), tally.period(names.DURATION_SQUARED)
        )
        self._shortest, self._longest = _extremes(tally)

    def overall(self) -> Latency:
        """Of all calls."""
        shortest, longest = ([s for _, s in _seconds(readings)] for readings in (self._shortest, self._longest))
        return _latency(self._all, min(shortest, default=None), max(longest, default=None))

    def by(self, key: Key) -> dict[str, Latency]:
        """By what `key` says of a series."""
        lows, highs = _best(self._shortest, key, min), _best(self._longest, key, max)
        return {name: _latency(group, lows.get(name), highs.get(name)) for name, group in self._all.by(key).items()}

    def by_user(self, key: Key) -> dict[str, Latency]:
        """The same by user: no sum of squares and no extreme is kept by user."""
        return {name: _latency(group) for name, group in replace(self._all, squares=NOTHING).by(key).items()}


def first_tokens(tally: Tally, key: Key) -> dict[str, Latency]:
    """Times to the first token over the period."""
    return {name: _latency(group) for name, group in _histograms(tally, names.FIRST_TOKEN).by(key).items()}


def output_rates(tally: Tally, key: Key) -> dict[str, Rate]:
    """Output tokens per second over the period."""
    return {
        name: rates.rate(group.count.sum(), group.total.sum(), quantiles.merged(group.buckets.values()))
        for name, group in _histograms(tally, names.OUTPUT_RATE).by(key).items()
    }


def _histograms(tally: Tally, metric: names.Metric) -> Histograms:
    count, total, buckets = (tally.period(metric, part) for part in PARTS)
    return Histograms(count, total, quantiles.histograms(buckets.items()))


def _well(calls: Totals) -> Totals:
    return calls.of(outcome=names.OK)


def _latency(group: Histograms, shortest: float | None = None, longest: float | None = None) -> Latency:
    return latency.latency(
        Measured(
            count=group.count.sum(),
            total=group.total.sum(),
            squares=group.squares.sum() or None,
            shortest=shortest,
            longest=longest,
            buckets=quantiles.merged(group.buckets.values()),
        )
    )


def _extremes(tally: Tally) -> tuple[list[Reading], list[Reading]]:
    return ([], []) if tally.of_one_user else (tally.evidence.shortest, tally.evidence.longest)


def _seconds(extremes: Iterable[Reading]) -> Iterable[tuple[Series, float]]:
    for reading in extremes:
        series = Series.of(reading.labels)
        yield from ((series, float(text)) for _, text in reading.points if text not in NOT_COUNTED)


def _best(extremes: Iterable[Reading], key: Key, better: Callable[[float, float], float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for series, seconds in _seconds(extremes):
        name = key(series)
        found[name] = better(found.get(name, seconds), seconds)
    return found
