"""How the period's values are spread: what quantiles, extremes and deviations of any group are computed from. Pure.

A source has either histograms, with gauges for the extremes, or every single value. Of all values a few order
statistics are enough: each is a bucket that is no wider than the value itself, so that one formula serves both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from openrouter_otel import names
from openrouter_otel.reporting import books, order, quantiles
from openrouter_otel.reporting.books import Book, Key, Totals
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.ledger import NOT_COUNTED, ZERO, Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.quantiles import Buckets


@dataclass(frozen=True)
class Spread:
    """How one group's values are spread, besides their count and sum.

    Attributes:
        squares: the sum of their squares; None where nobody kept it.
        shortest: known minimum.
        longest: known maximum.
        buckets: values by (lower, upper] bounds; layouts of different processes may overlap.
    """

    squares: Decimal | None = None
    shortest: float | None = None
    longest: float | None = None
    buckets: Buckets = field(default_factory=dict)


class Distributions(Protocol):
    """What a source knows of the spread of a histogram's values over the period."""

    def of(self, metric: names.Metric, key: Key) -> Mapping[str, Spread]:
        """Each group by itself, in the metric's unit; durations are those of calls that went well."""


def well(metric: names.Metric, calls: Totals) -> Totals:
    """Durations of calls that went well: a failure's says nothing about a model's speed."""
    return calls.of(outcome=names.OK) if metric is names.DURATION else calls


class Histograms:
    """From buckets; squares and extremes of durations are kept by other metrics, which know no user.

    Args:
        all_books: entries by the metric's Prometheus name.
        period: what they are asked about.
        shortest: readings of the minimum gauges in seconds over the period.
        longest: the same of the maximum.
    """

    def __init__(
        self,
        all_books: Mapping[str, Book],
        period: Interval,
        shortest: Iterable[Reading] = (),
        longest: Iterable[Reading] = (),
    ) -> None:
        self._books = all_books
        self._period = period
        self._shortest = list(_seconds(shortest))
        self._longest = list(_seconds(longest))
        self._histograms: dict[str, Mapping[Series, Buckets]] = {}

    def of(self, metric: names.Metric, key: Key) -> dict[str, Spread]:
        """See `Distributions`."""
        apart: defaultdict[str, list[Buckets]] = defaultdict(list)
        for series, counts in self._counted(metric).items():
            apart[key(series)].append(counts)
        buckets = {name: quantiles.merged(counted) for name, counted in apart.items()}
        if metric is not names.DURATION or key is books.user:
            return {name: Spread(buckets=counts) for name, counts in buckets.items()}
        squares = self._books[names.DURATION_SQUARED.prometheus].within(self._period).by(key)
        lows, highs = _best(self._shortest, key, min), _best(self._longest, key, max)
        return {
            name: Spread(squares.get(name), lows.get(name), highs.get(name), buckets.get(name, {}))
            for name in {*buckets, *squares, *lows, *highs}
        }

    def _counted(self, metric: names.Metric) -> Mapping[Series, Buckets]:
        name = f"{metric.prometheus}_bucket"
        if name not in self._histograms:
            gained = well(metric, self._books[name].within(self._period))
            self._histograms[name] = quantiles.histograms(gained.items())
        return self._histograms[name]


@dataclass(frozen=True)
class Known:
    """All that is known of one series' values.

    Attributes:
        ordered: every value, ascending; empty where they are no longer known.
        squares: the sum of their squares.
        shortest: the least, also where the values are no longer known.
        longest: the greatest.
    """

    ordered: Sequence[float] = ()
    squares: Decimal | None = None
    shortest: float | None = None
    longest: float | None = None


class Values:
    """From every value.

    Args:
        known: of each series, by the metric's Prometheus name.
    """

    def __init__(self, known: Mapping[str, Iterable[tuple[Series, Known]]]) -> None:
        self._known = known

    def of(self, metric: names.Metric, key: Key) -> dict[str, Spread]:
        """See `Distributions`."""
        apart: defaultdict[str, list[Known]] = defaultdict(list)
        for series, known in self._known[metric.prometheus]:
            apart[key(series)].append(known)
        return {name: _together(parts) for name, parts in apart.items()}


def _together(parts: Sequence[Known]) -> Spread:
    squares = [part.squares for part in parts if part.squares is not None]
    return Spread(
        squares=sum(squares, ZERO) if len(squares) == len(parts) else None,
        shortest=min((part.shortest for part in parts if part.shortest is not None), default=None),
        longest=max((part.longest for part in parts if part.longest is not None), default=None),
        buckets=order.buckets([part.ordered for part in parts if part.ordered], quantiles.ASKED),
    )


def _seconds(extremes: Iterable[Reading]) -> Iterable[tuple[Series, float]]:
    for reading in extremes:
        series = Series.of(reading.labels)
        yield from ((series, float(text)) for _, text in reading.points if text not in NOT_COUNTED)


def _best(
    extremes: Iterable[tuple[Series, float]], key: Key, better: Callable[[float, float], float]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for series, seconds in extremes:
        name = key(series)
        found[name] = better(found.get(name, seconds), seconds)
    return found
