"""Reads a gauge of extremes over the period: whole days, which the cache keeps, and the odd hours at both ends."""

from __future__ import annotations

from functools import partial

from openrouter_otel.reporting.edges import cut, days
from openrouter_otel.reporting.fetching import Query, in_order
from openrouter_otel.reporting.ledger import Reading, within
from openrouter_otel.reporting.period import DAY, Interval
from openrouter_otel.reporting.scope import Scope


def read(scope: Scope, metric: str, query: Query, period: Interval) -> list[Reading]:
    """Its readings over the period, day by day.

    Args:
        scope: what is read.
        metric: the gauge.
        query: tells which extreme of a window.
        period: the time that is asked about.
    """
    whole, odd = _apart(scope, period)
    found = [reading for _, kept in scope.cache.readings(metric) for reading in within(kept, whole)]
    spans = scope.frame.pieces()
    tasks = [partial(_daily, scope, metric, query, span) for span in spans]
    for span, readings in zip(spans, in_order(tasks), strict=True):
        scope.remember(metric, span, readings)
        found += within(readings, whole)
    for window in odd:
        found += scope.fetch.windows(metric, [window], query)
    return scope.kept(found)


def _apart(scope: Scope, period: Interval) -> tuple[Interval, list[Interval]]:
    """The period's whole days, and what is left of it before and after them."""
    first, last = _day_of(scope, period.since + 1), _day_of(scope, period.until)
    whole, odd = Interval(first.until, last.since), []
    if first.since == period.since:
        whole = Interval(period.since, whole.until)
    else:
        odd.append(Interval(period.since, min(whole.since, period.until)))
    if period.until == scope.frame.now or last.until == period.until:
        whole = Interval(whole.since, period.until)
    elif whole.until >= whole.since:
        odd.append(Interval(whole.until, period.until))
    return whole, odd


def _day_of(scope: Scope, instant: int) -> Interval:
    """The whole local day that an instant is in."""
    around = Interval(instant - 1 - 2 * DAY, instant + 2 * DAY)
    return next(day for day in days(around, scope.frame.tz) if instant in day)


def _daily(scope: Scope, metric: str, query: Query, span: Interval) -> list[Reading]:
    return scope.fetch.windows(metric, cut(days(span, scope.frame.tz), [scope.frame.closed]), query)
