"""Durations: exact count, mean and deviation, and quantiles with the bracket they are certain to lie in. Pure.

Seconds come in, milliseconds go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.quantiles import Quantile, quantile, spread

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


def latency(measured: Measured) -> Latency:
    """All figures of one group of calls."""
    if not measured.count:
        return Latency(count=0)
    p50, p95, p99 = (quantile(measured.buckets, q, measured.shortest, measured.longest) for q in (0.5, 0.95, 0.99))
    exact, (shortest, longest) = _deviation(measured), _extremes(measured)
    estimated = spread(measured.buckets, measured.total) if measured.squares is None else None
    return Latency(
        count=int(measured.count),
        mean=mean(measured.count, measured.total),
        median=_ms(p50.guess),
        stdev=_ms(exact if estimated is None else estimated),
        min=_ms(shortest),
        max=_ms(longest),
        p50=_ms(p50.guess),
        p95=_ms(p95.guess),
        p99=_ms(p99.guess),
        p50_range=_bracket(p50),
        p95_range=_bracket(p95),
        p99_range=_bracket(p99),
        stdev_estimated=estimated is not None,
    )


def mean(count: Decimal, total: Decimal) -> float | None:
    """Milliseconds a call, None without a call."""
    return _ms(total / count) if count else None


def _deviation(measured: Measured) -> Decimal | None:
    """The sample standard deviation (n - 1)."""
    n = measured.count
    if measured.squares is None or n < 2:
        return None
    return max(Decimal(0), (measured.squares - measured.total * measured.total / n) / (n - 1)).sqrt()


def _extremes(measured: Measured) -> tuple[float | None, float | None]:
    """The known extremes; None where the buckets prove that no scrape came in time for the true one."""
    shortest, longest = measured.shortest, measured.longest
    filled = [bounds for bounds, count in measured.buckets.items() if count]
    if shortest is not None and any(shortest > upper for _, upper in filled):
        shortest = None
    if longest is not None and any(longest < lower for lower, _ in filled):
        longest = None
    return shortest, longest


def _bracket(found: Quantile) -> Range:
    return _ms(found.lower), _ms(found.upper)


def _ms(seconds: Decimal | float | None) -> float | None:
    return None if seconds is None else round(float(seconds) * MS, DIGITS)
