"""Usage over time: by local day, week, month, and hour of the day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final, TypeVar

from openrouter_otel import names
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Usage, rounded
from openrouter_otel.reporting.period import days, local

LEVELS: Final = 8  # heights of a sparkline's bar


def by_day(evidence: Evidence) -> dict[date, Usage]:
    """Every local day that the period touches, also those without usage."""
    requests, tokens, cost, errors = (
        _gained(evidence, metric) for metric in (names.REQUESTS, names.TOKENS, names.COST, names.ERRORS)
    )
    return {
        day: Usage(
            requests=int(requests.get(day, ZERO)),
            tokens=int(tokens.get(day, ZERO)),
            cost=rounded(cost.get(day, ZERO)),
            errors=int(errors.get(day, ZERO)),
        )
        for day in days(evidence.period, evidence.tz)
    }


def _gained(evidence: Evidence, metric: names.Metric) -> dict[date, Decimal]:
    gained = evidence.books[metric.prometheus].over_time(evidence.period)
    return _added((_ends(at, evidence).date(), amount) for at, amount in gained.items())


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


def by_hour(evidence: Evidence) -> dict[str, int]:
    """Requests by hour of the local day, ``00`` to ``23``."""
    gained = evidence.books[names.REQUESTS.prometheus].over_time(evidence.period)
    hours = _added((f"{_ends(at, evidence):%H}", amount) for at, amount in gained.items())
    return {f"{hour:02}": int(hours.get(f"{hour:02}", ZERO)) for hour in range(24)}


def _ends(edge: int, evidence: Evidence) -> datetime:
    """The wall clock just before an edge: a window that ends at midnight belongs to the day that ends."""
    return local(edge - 1, evidence.tz)


K = TypeVar("K")


def _added(amounts: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    sums: dict[K, Decimal] = {}
    for key, amount in amounts:
        sums[key] = sums.get(key, ZERO) + amount
    return sums


def levels(trend: Mapping[date, Usage]) -> tuple[int, ...]:
    """Bar heights 0 to `LEVELS`; whatever is not zero is seen."""
    costs = [usage.cost for usage in trend.values()]
    highest = max(costs, default=ZERO) or Decimal(1)
    return tuple(int((cost * LEVELS / highest).to_integral_value(ROUND_CEILING)) for cost in costs)
