"""Histograms -> quantiles, each with the bracket it is certain to lie in, and a spread estimated from buckets. Pure.

A quantile is the order statistic of rank ceil(q * n); a histogram tells which bucket it is in (the bracket), and
logarithmic interpolation guesses where in it: durations and rates spread by factors. Numbers are in the metric's unit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from openrouter_otel.reporting.identity import BUCKET, Series

Labels = tuple[tuple[str, str], ...]
Buckets = Mapping[tuple[float, float], Decimal]


class Quantile(NamedTuple):
    """A guess within its bracket; `upper` is None in the last bucket when no maximum is known, all are without data."""

    guess: float | None
    lower: float | None
    upper: float | None


NOTHING: Final = Quantile(None, None, None)
ASKED: Final = (0.05, 0.5, 0.95, 0.99)  # those that reports tell


def histograms(cumulative: Iterable[tuple[Series, Decimal]]) -> dict[Series, dict[tuple[float, float], Decimal]]:
    """Counts by (lower, upper] bounds from cumulative counts, of each histogram by itself: layouts never mix."""
    found: defaultdict[Labels, list[tuple[float, Decimal]]] = defaultdict(list)
    for series, amount in cumulative:
        if not math.isnan(bound := series.bound):
            found[tuple(pair for pair in series.labels if pair[0] != BUCKET)].append((bound, amount))
    return {Series(labels): _counts(sorted(steps)) for labels, steps in found.items()}


def _counts(steps: list[tuple[float, Decimal]]) -> dict[tuple[float, float], Decimal]:
    counts = {}
    below, lower = Decimal(0), 0.0
    for upper, reached in steps:
        if reached > below:
            counts[lower, upper] = reached - below
        below, lower = max(below, reached), upper
    return counts


def merged(counted: Iterable[Buckets]) -> dict[tuple[float, float], Decimal]:
    """Several histograms as one; buckets of different layouts overlap."""
    counts: defaultdict[tuple[float, float], Decimal] = defaultdict(Decimal)
    for one in counted:
        for bucket, count in one.items():
            counts[bucket] += count
    return dict(counts)


def buckets(cumulative: Iterable[tuple[Series, Decimal]]) -> dict[tuple[float, float], Decimal]:
    """All histograms' counts by (lower, upper] bounds from cumulative counts."""
    return merged(histograms(cumulative).values())


def quantile(counts: Buckets, q: float, shortest: float | None = None, longest: float | None = None) -> Quantile:
    """One quantile; known extremes sharpen the guess, and the maximum bounds the last bucket."""
    found = sum(counts.values(), Decimal(0))
    if not found:
        return NOTHING
    place = rank(q, found)
    # Where layouts overlap, a value is possibly beyond the lower bound long before it is certainly below the upper one.
    lower, before, _ = _at_rank(place, sorted((lower, count) for (lower, _), count in counts.items()))
    upper, _, after = _at_rank(place, sorted((upper, count) for (_, upper), count in counts.items()))
    inside = float((place - before) / max(Decimal(1), after - before))
    if math.isinf(upper):
        known = longest if longest is not None and longest > lower else None
        return Quantile(_between(lower, known or lower, inside), lower, known)
    return Quantile(_within_extremes(_between(lower, upper, inside), lower, upper, shortest, longest), lower, upper)


def rank(q: float, count: Decimal) -> Decimal:
    """Which of the ascending values, from 1, a quantile is."""
    return max(Decimal(1), (Decimal(str(q)) * count).to_integral_value(ROUND_CEILING))


def _at_rank(place: Decimal, bounds: list[tuple[float, Decimal]]) -> tuple[float, Decimal, Decimal]:
    """The bound whose values hold a rank, with how many there are before it and up to it; equal bounds are one."""
    before = reached = Decimal(0)
    for bound, same in groupby(bounds, key=itemgetter(0)):
        before, reached = reached, reached + sum(count for _, count in same)
        if reached >= place:
            return bound, before, reached
    raise ValueError(f"no value has rank {place}")


def spread(counts: Buckets, total: Decimal) -> float | None:
    """The sample standard deviation (n - 1) if values lie in their buckets as the interpolation guesses.

    Args:
        counts: the buckets.
        total: the exact sum of all values; it tells how far beyond the last bound those of the last bucket lie.
    """
    n = float(sum(counts.values()))
    if n < 2:
        return None
    beyond = {lower: float(count) for (lower, upper), count in counts.items() if math.isinf(upper)}
    moments = [(float(count), *_moments(*bucket)) for bucket, count in counts.items() if not math.isinf(bucket[1])]
    rest = float(total) - sum(count * mean for count, mean, _ in moments)
    for lower, count in beyond.items():
        value = max(lower, rest / sum(beyond.values()))
        moments.append((count, value, value * value))
    mean = sum(count * first for count, first, _ in moments) / n
    return math.sqrt(max(0.0, sum(count * second for count, _, second in moments) - n * mean * mean) / (n - 1))


def _moments(lower: float, upper: float) -> tuple[float, float]:
    """Mean of a bucket's values and of their squares: spread evenly over the logarithm, which has no zero."""
    if lower <= 0:
        return upper / 2, upper * upper / 3
    width = math.log(upper / lower)
    return (upper - lower) / width, (upper * upper - lower * lower) / (2 * width)


def _between(lower: float, upper: float, share: float) -> float:
    if lower <= 0:
        return upper * share  # a logarithm has no zero
    return lower * math.pow(upper / lower, share)


def _within_extremes(guess: float, lower: float, upper: float, shortest: float | None, longest: float | None) -> float:
    """Known extremes sharpen the guess, never the bracket: a gauge forgets what no scrape came for in time."""
    if longest is not None and lower < longest <= upper:
        guess = min(guess, longest)
    if shortest is not None and lower < shortest <= upper:
        guess = max(guess, shortest)
    return guess
