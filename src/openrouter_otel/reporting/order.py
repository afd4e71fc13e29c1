"""Order statistics of values that lie in several sorted sequences, without merging them. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate

from openrouter_otel.reporting.quantiles import Buckets, rank

Ordered = Sequence[float]  # ascending


def buckets(parts: Sequence[Ordered], asked: Iterable[float]) -> Buckets:
    """A histogram of all values that knows these quantiles exactly: each has a bucket no wider than itself."""
    count = sum(map(len, parts))
    if not count:
        return {}
    counts: dict[tuple[float, float], Decimal] = {}
    before, reached = min(part[0] for part in parts), 0
    for place in sorted({int(rank(q, Decimal(count))) for q in asked}):
        if place <= reached:
            continue
        value = at_rank(parts, place)
        below = sum(bisect_left(part, value) for part in parts)
        upto = sum(bisect_right(part, value) for part in parts)
        if below > reached:
            counts[before, value] = Decimal(below - reached)
        counts[value, value] = Decimal(upto - below)
        before, reached = value, upto
    if count > reached:
        counts[before, max(part[-1] for part in parts)] = Decimal(count - reached)
    return counts


def at_rank(parts: Sequence[Ordered], place: int) -> float:
    """The value of a rank, from 1.

    What may be it is narrowed down around a value that is sure to be in the middle: the median of all parts' medians,
    each weighing as much as its part.
    """
    spans = [(part, 0, len(part)) for part in parts]
    while True:
        pivot = _middle([(part[(low + high) // 2], high - low) for part, low, high in spans if low < high])
        below = [bisect_left(part, pivot, low, high) for part, low, high in spans]
        upto = [bisect_right(part, pivot, low, high) for part, low, high in spans]
        if place <= sum(below):
            spans = [(part, low, end) for (part, low, _), end in zip(spans, below, strict=True)]
        elif place > sum(upto):
            spans = [(part, start, high) for (part, _, high), start in zip(spans, upto, strict=True)]
        else:
            return pivot


def _middle(weighed: list[tuple[float, int]]) -> float:
    weighed.sort()
    reached = list(accumulate(weight for _, weight in weighed))
    return weighed[bisect_left(reached, (reached[-1] + 1) // 2)][0]
