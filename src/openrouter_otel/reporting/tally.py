"""The evidence's books, added up once for each interval that several tables are about. Pure."""

from __future__ import annotations

from datetime import date

from openrouter_otel import names
from openrouter_otel.reporting.books import Book, Totals
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.period import Interval

NOTHING = Totals({})


class Tally:
    """What every table is made of, so that all of them are sums of the same increments.

    Args:
        evidence: what the source told.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._within: dict[tuple[str, Interval], Totals] = {}
        self._by_day: dict[str, dict[date, Totals]] = {}

    def book(self, metric: names.Metric, part: str = "") -> Book:
        """A metric's entries; `part` is ``_sum``, ``_count`` or ``_bucket`` of a histogram."""
        return self.evidence.books[f"{metric.prometheus}{part}"]

    def within(self, metric: names.Metric, interval: Interval, part: str = "") -> Totals:
        """What each series gained in an interval whose ends are edges."""
        key = f"{metric.prometheus}{part}", interval
        if key not in self._within:
            self._within[key] = self.book(metric, part).within(interval)
        return self._within[key]

    def period(self, metric: names.Metric, part: str = "") -> Totals:
        """What each series gained in the period asked for."""
        return self.within(metric, self.evidence.period, part)

    def by_day(self, metric: names.Metric, part: str = "") -> dict[date, Totals]:
        """The period's gains by local day; days without any are left out."""
        name = f"{metric.prometheus}{part}"
        if name not in self._by_day:
            self._by_day[name] = self.book(metric, part).by_day(self.evidence.period, self.evidence.tz)
        return self._by_day[name]

    def unpriced(self, interval: Interval) -> int:
        """Calls that ended with no price known, without those whose price was found out within the interval."""
        unknown = self.within(names.REQUESTS, interval).of(cost_source=names.UNPRICED).sum()
        return int(max(unknown - self.within(names.RESOLVED, interval).sum(), ZERO))
