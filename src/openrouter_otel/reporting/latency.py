"""Durations: exact count, mean and deviation, and quantiles with the bracket they are certain to lie in. Pure.

Seconds come in, milliseconds go out. A quantile is the order statistic of rank ceil(q * n); a histogram tells which
bucket it is in (the bracket), and logarithmic interpolation guesses where in it: durations spread by factors.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Final

from openrouter_otel.reporting.identity import BUCKET, Series

MS: Final = 1000
DIGITS: Final = 6  # of a millisecond: a nanosecond
Range = tuple[float | None, float | None]
NOWHERE: Final[Range] = (None, None)


@dataclass(frozen=True)
class Latency:
    """Statistics in milliseconds; None where there is nothing to compute from.

    Attributes:
        stdev_estimated: the deviation was computed from buckets, since no sum of squares is kept by user.
    """

    count: int
    mean: float | None = None
    median: float | None = None
    stdev: float | None = None
    min: float | None = None
    max: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    p50_range: Range = NOWHERE
    p95_range: Range = NOWHERE
    p99_range: Range = NOWHERE
    stdev_estimated: bool = False


@dataclass(frozen=True)
class Measured:
    """What was measured of one group of calls, in seconds.

    Attributes:
        count: calls.
        total: sum of their durations.
        squares: sum of the squared durations; None where nobody kept it.
        shortest: known minimum.
        longest: known maximum.
        buckets: calls by (lower, upper] bounds; layouts of different processes may overlap.
    """

    count: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    squares: Decimal | None = None
    shortest: float | None = None
    longest: float | None = None
    buckets: Mapping[tuple[float, float], Decimal] = field(default_factory=dict)


def buckets(cumulative: Iterable[tuple[Series, Decimal]]) -> dict[tuple[float, float], Decimal]:
    """Counts by bucket from cumulative counts, each histogram by itself so that different layouts never mix."""
    histograms: defaultdict[Series, list[tuple[float, Decimal]]] = defaultdict(list)
    for series, amount in cumulative:
        if not math.isnan(series.bound):
            histograms[series.without(BUCKET)].append((series.bound, amount))
    counts: defaultdict[tuple[float, float], Decimal] = defaultdict(Decimal)
    for steps in histograms.values():
        below, lower = Decimal(0), 0.0
        for upper, reached in sorted(steps):
            if reached > below:
                counts[lower, upper] += reached - below
            below, lower = max(below, reached), upper
    return dict(counts)


def latency(measured: Measured) -> Latency:
    """All figures of one group of calls."""
    if not measured.count:
        return Latency(count=0)
    guesses = {q: _quantile(measured, q) for q in (0.5, 0.95, 0.99)}
    return Latency(
        count=int(measured.count),
        mean=_ms(measured.total / measured.count),
        median=_ms(guesses[0.5][0]),
        stdev=_ms(_deviation(measured)),
        min=_ms(measured.shortest),
        max=_ms(measured.longest),
        p50=_ms(guesses[0.5][0]),
        p95=_ms(guesses[0.95][0]),
        p99=_ms(guesses[0.99][0]),
        p50_range=_bracket(guesses[0.5]),
        p95_range=_bracket(guesses[0.95]),
        p99_range=_bracket(guesses[0.99]),
    )


_Guess = tuple[float | None, float | None, float | None]


def _deviation(measured: Measured) -> Decimal | None:
    """The sample standard deviation (n - 1)."""
    n = measured.count
    if measured.squares is None or n < 2:
        return None
    return max(Decimal(0), (measured.squares - measured.total * measured.total / n) / (n - 1)).sqrt()


def _quantile(measured: Measured, q: float) -> _Guess:
    """(guess, lower, upper) in seconds; the upper bound is None in the last bucket when no maximum is known."""
    found = sum(measured.buckets.values())
    if not found:
        return None, None, None
    rank = max(Decimal(1), (Decimal(str(q)) * found).to_integral_value(ROUND_CEILING))
    bounds = sorted({bound for bucket in measured.buckets for bound in bucket})
    # Certainly / possibly at or below a bound: they differ only where layouts overlap.
    certain = {b: sum(count for (_, upper), count in measured.buckets.items() if upper <= b) for b in bounds}
    possible = {b: sum(count for (lower, _), count in measured.buckets.items() if lower < b) for b in bounds}
    lower = max((b for b in bounds if possible[b] < rank), default=bounds[0])
    upper = min(b for b in bounds if certain[b] >= rank)
    inside = float((rank - possible[lower]) / max(Decimal(1), certain[upper] - possible[lower]))
    if math.isinf(upper):
        longest = measured.longest
        upper_known = longest if longest is not None and longest > lower else None
        return _between(lower, upper_known or lower, inside), lower, upper_known
    return _within_extremes(_between(lower, upper, inside), lower, upper, measured), lower, upper


def _between(lower: float, upper: float, share: float) -> float:
    if lower <= 0:
        return upper * share  # a logarithm has no zero
    return lower * math.pow(upper / lower, share)


def _within_extremes(guess: float, lower: float, upper: float, measured: Measured) -> float:
    """Known extremes sharpen the guess, never the bracket: a gauge forgets what no scrape came for in time."""
    shortest, longest = measured.shortest, measured.longest
    if longest is not None and lower < longest <= upper:
        guess = min(guess, longest)
    if shortest is not None and lower < shortest <= upper:
        guess = max(guess, shortest)
    return guess


def _bracket(guess: _Guess) -> Range:
    return _ms(guess[1]), _ms(guess[2])


def _ms(seconds: Decimal | float | None) -> float | None:
    return None if seconds is None else round(float(seconds) * MS, DIGITS)
