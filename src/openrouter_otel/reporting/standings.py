"""Budgets -> how each stands: what is used, what its period will end with, and when it is used up. Pure.

Periods and pace are those of `budget_rules`, so that the report, the boards and the alerts agree: calendar days, weeks
from Monday and months in UTC, whatever the report's own zone; a day goes on like the last 24 hours, a week and a month
like the last seven days, which hold each day of the week once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from openrouter_otel import names
from openrouter_otel.budgets import Budget
from openrouter_otel.reporting.books import Totals
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Standing, ratio, rounded
from openrouter_otel.reporting.period import DAY, UTC, Interval, iso, local, running
from openrouter_otel.reporting.tally import Tally

PACE_OF: Final = {"day": DAY, "week": 7 * DAY, "month": 7 * DAY}
OK, AT_RISK, EXCEEDED = "ok", "at_risk", "exceeded"


def standings(tally: Tally, budgets: Iterable[Budget]) -> tuple[Standing, ...]:
    """Each budget's, in the file's order; the evidence's edges must hold `running` of every period."""
    return tuple(_standing(tally, budget) for budget in budgets)


def doubts(tally: Tally, budgets: Iterable[Budget]) -> Iterator[str]:
    """What a reader would misread without a word."""
    book, since = tally.book(names.COST), tally.evidence.data_since
    for budget in budgets:
        if budget.label is not None and all(series.get(budget.label) != budget.value for series in book):
            yield f"the budget {budget.name!r} counts {budget.label}={budget.value!r}, which no priced call carries"
        begun = running(budget.period, tally.evidence.now).since
        if since is not None and since > begun:
            yield f"the budget {budget.name!r} runs since {iso(begun, UTC)}, and the source knows only what came later"


def _standing(tally: Tally, budget: Budget) -> Standing:
    now = tally.evidence.now
    whole = running(budget.period, now)
    spent = _spent(tally, budget, Interval(whole.since, now))
    pace = _pace(tally, budget)
    forecast = None if pace is None else spent + pace * (whole.until - now)
    over = forecast is not None and forecast > budget.usd
    return Standing(
        name=budget.name,
        scope=budget.scope,
        of=budget.value,
        period=budget.period,
        since=iso(whole.since, UTC),
        until=iso(whole.until, UTC),
        limit=rounded(budget.usd),
        used=rounded(spent),
        used_share=ratio(spent, budget.usd) or ZERO,
        forecast=None if forecast is None else rounded(forecast),
        exhausted_on=_exhausted_on(tally, budget, whole, spent, pace),
        status=EXCEEDED if spent >= budget.usd else AT_RISK if over else OK,
    )


def _spent(tally: Tally, budget: Budget, interval: Interval) -> Decimal:
    return _counted(budget, tally.within(names.COST, interval)).sum()


def _counted(budget: Budget, totals: Totals) -> Totals:
    return totals if budget.label is None else totals.of(**{budget.label: budget.value or ""})


def _pace(tally: Tally, budget: Budget) -> Decimal | None:
    """USD a millisecond; None where less than a day is known, which is too little to go by."""
    now, since = tally.evidence.now, tally.evidence.data_since
    length = PACE_OF[budget.period]
    known = 0 if since is None else min(length, now - since)
    return None if known < DAY else _spent(tally, budget, Interval(now - length, now)) / known


def _exhausted_on(tally: Tally, budget: Budget, whole: Interval, spent: Decimal, pace: Decimal | None) -> str | None:
    """The UTC day on which it was used up, or will be; None where it will not be, or that day is not known."""
    now = tally.evidence.now
    if spent >= budget.usd:
        return _used_up_on(tally, budget, Interval(whole.since, now))
    if not pace:
        return None
    at = now + int((budget.usd - spent) / pace)
    return local(at, UTC).date().isoformat() if at < whole.until else None


def _used_up_on(tally: Tally, budget: Budget, interval: Interval) -> str | None:
    period = tally.evidence.period
    if tally.evidence.tz != UTC or interval.since < period.since or interval.until > period.until:
        return None  # nobody asked for the days between these ends
    used = ZERO
    for day, totals in tally.book(names.COST).by_day(interval, UTC).items():
        used += _counted(budget, totals).sum()
        if used >= budget.usd:
            return day.isoformat()
    return None
