"""Tally -> latency: which histogram entries and gauges a group's figures come from. Pure.

Latency covers calls that went well; a failure's duration says nothing about a model's speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from openrouter_otel import names
from openrouter_otel.reporting import latency, quantiles, rates
from openrouter_otel.reporting.books import K, Key, Totals
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.latency import Latency, Measured
from openrouter_otel.reporting.ledger import NOT_COUNTED, ZERO, Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.rates import Rate
from openrouter_otel.reporting.tally import NOTHING, Tally

PARTS = ("_count", "_sum", "_bucket")


def mean_ms(tally: Tally, interval: Interval) -> float | None:
    """Mean duration over an interval, None without a call."""
    count, total = (_well(tally.within(names.DURATION, interval, part)).sum() for part in PARTS[:2])
    return latency.mean(count, total)


def means_ms(count: Totals, total: Totals, key: Callable[[Series], K]) -> dict[K, float | None]:
    """Mean durations by what `key` says of a series, from the histogram's ``_count`` and ``_sum``."""
    sums = _well(total).by(key)
    return {name: latency.mean(calls, sums.get(name, ZERO)) for name, calls in _well(count).by(key).items()}


def overall(tally: Tally) -> Latency:
    """Durations of all calls of the period."""
    shortest, longest = ([seconds for _, seconds in _seconds(readings)] for readings in _extremes(tally))
    return _latency(_durations(tally), min(shortest, default=None), max(longest, default=None))


def by(tally: Tally, key: Key) -> dict[str, Latency]:
    """Durations over the period by what `key` says of a series."""
    shortest, longest = _extremes(tally)
    lows, highs = _best(shortest, key, min), _best(longest, key, max)
    return {name: _latency(parts, lows.get(name), highs.get(name)) for name, parts in _apart(_durations(tally), key)}


def by_user(tally: Tally, key: Key) -> dict[str, Latency]:
    """The same by user: no sum of squares and no extreme is kept by user."""
    parts = _durations(tally)[: len(PARTS)]
    return {name: _latency([*group, NOTHING], None, None) for name, group in _apart(parts, key)}


def first_tokens(tally: Tally, key: Key) -> dict[str, Latency]:
    """Times to the first token over the period."""
    parts = [tally.period(names.FIRST_TOKEN, part) for part in PARTS]
    return {name: _latency([*group, NOTHING], None, None) for name, group in _apart(parts, key)}


def output_rates(tally: Tally, key: Key) -> dict[str, Rate]:
    """Output tokens per second over the period."""
    parts = [tally.period(names.OUTPUT_RATE, part) for part in PARTS]
    return {
        name: rates.rate(count.sum(), total.sum(), quantiles.buckets(buckets.items()))
        for name, (count, total, buckets) in _apart(parts, key)
    }


def _durations(tally: Tally) -> list[Totals]:
    parts = [_well(tally.period(names.DURATION, part)) for part in PARTS]
    return [*parts, tally.period(names.DURATION_SQUARED)]


def _well(calls: Totals) -> Totals:
    return calls.of(outcome=names.OK)


def _apart(parts: list[Totals], key: Key) -> list[tuple[str, list[Totals]]]:
    grouped = [part.grouped(key) for part in parts]
    return [(name, [group.get(name, NOTHING) for group in grouped]) for name in sorted(parts[0].by(key))]


def _latency(parts: list[Totals], shortest: float | None, longest: float | None) -> Latency:
    count, total, buckets, squares = parts
    return latency.latency(
        Measured(
            count=count.sum(),
            total=total.sum(),
            squares=squares.sum() or None,
            shortest=shortest,
            longest=longest,
            buckets=quantiles.buckets(buckets.items()),
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
