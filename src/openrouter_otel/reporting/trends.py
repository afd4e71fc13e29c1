"""Usage over time: by local day, week and month, by hour of the day and of the week. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.breakdowns import ranked
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Usage, rounded
from openrouter_otel.reporting.period import days, local
from openrouter_otel.reporting.tally import NOTHING, Tally

LEVELS: Final = 8  # heights of a sparkline's bar


def by_day(tally: Tally) -> dict[date, Usage]:
    """Every local day that the period touches, also those without usage."""
    requests, tokens, cost, errors = (
        tally.by_day(metric) for metric in (names.REQUESTS, names.TOKENS, names.COST, names.ERRORS)
    )
    return {
        day: Usage(
            requests=int(requests.get(day, NOTHING).sum()),
            tokens=int(tokens.get(day, NOTHING).sum()),
            cost=rounded(cost.get(day, NOTHING).sum()),
            errors=int(errors.get(day, NOTHING).sum()),
        )
        for day in _days(tally)
    }


def cost_by_model(tally: Tally) -> dict[str, dict[str, Decimal]]:
    """By local day, every one of the period, then by model; dearest first."""
    gained = tally.by_day(names.COST)
    by_model = {day: gained.get(day, NOTHING).by(books.model) for day in _days(tally)}
    return {
        day.isoformat(): {model: rounded(costs[model]) for model in ranked(costs)} for day, costs in by_model.items()
    }


def coarser(trend: Mapping[date, Usage], step: Callable[[date], str]) -> dict[str, Usage]:
    """Days added up by the step each falls in."""
    coarse: dict[str, Usage] = {}
    for day, usage in trend.items():
        so_far = coarse.get(step(day), Usage(0, 0, ZERO, 0))
        coarse[step(day)] = Usage(
            requests=so_far.requests + usage.requests,
            tokens=so_far.tokens + usage.tokens,
            cost=so_far.cost + usage.cost,
            errors=so_far.errors + usage.errors,
        )
    return coarse


def by_hour_of_week(tally: Tally) -> tuple[tuple[int, ...], ...]:
    """Requests by day of the week, Monday first, then by hour of the local day."""
    tz = tally.evidence.tz
    hours = [[0] * 24 for _ in range(7)]
    for edge, amount in tally.book(names.REQUESTS).over_time(tally.evidence.period).items():
        ends = local(edge - 1, tz)  # a window that ends at midnight belongs to the day that ends
        hours[ends.weekday()][ends.hour] += int(amount)
    return tuple(tuple(day) for day in hours)


def by_hour(of_week: tuple[tuple[int, ...], ...]) -> dict[str, int]:
    """Requests by hour of the local day, ``00`` to ``23``."""
    return {f"{hour:02}": sum(day[hour] for day in of_week) for hour in range(24)}


def _days(tally: Tally) -> list[date]:
    return list(days(tally.evidence.period, tally.evidence.tz))


def levels(trend: Mapping[date, Usage]) -> tuple[int, ...]:
    """Bar heights 0 to `LEVELS`; whatever is not zero is seen."""
    costs = [usage.cost for usage in trend.values()]
    highest = max(costs, default=ZERO) or Decimal(1)
    return tuple(int((cost * LEVELS / highest).to_integral_value(ROUND_CEILING)) for cost in costs)
