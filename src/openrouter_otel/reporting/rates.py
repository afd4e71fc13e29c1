"""How fast answers were written: output tokens per second after the first token. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.latency import NOWHERE, Range
from openrouter_otel.reporting.quantiles import Buckets, quantile

DIGITS: Final = 6


@dataclass(frozen=True)
class Rate:
    """Tokens per second over streams; None where there is nothing to compute from.

    A slow stream is the bad one here, so the quantile to watch is the fifth and not the ninety-fifth.

    Attributes:
        count: streams.
        mean: of the streams' rates, each stream counting once.
    """

    count: int
    mean: float | None = None
    median: float | None = None
    p5: float | None = None
    p95: float | None = None
    median_range: Range = NOWHERE
    p5_range: Range = NOWHERE
    p95_range: Range = NOWHERE


def rate(count: Decimal, total: Decimal, counts: Buckets) -> Rate:
    """All figures of one group of streams.

    Args:
        count: streams.
        total: sum of their rates.
        counts: streams by (lower, upper] tokens per second.
    """
    if not count:
        return Rate(count=0)
    middle, slow, fast = (quantile(counts, q) for q in (0.5, 0.05, 0.95))
    return Rate(
        count=int(count),
        mean=_rounded(float(total / count)),
        median=_rounded(middle.guess),
        p5=_rounded(slow.guess),
        p95=_rounded(fast.guess),
        median_range=(_rounded(middle.lower), _rounded(middle.upper)),
        p5_range=(_rounded(slow.lower), _rounded(slow.upper)),
        p95_range=(_rounded(fast.lower), _rounded(fast.upper)),
    )


def _rounded(tokens_per_second: float | None) -> float | None:
    return None if tokens_per_second is None else round(tokens_per_second, DIGITS)
