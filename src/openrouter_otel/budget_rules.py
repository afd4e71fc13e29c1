"""Budgets as Prometheus rules: the limit, what is spent of it, the pace, and where the period will end.

Calendar periods are UTC's, weeks begin on Monday. What a minute added is recorded under the number of the period that
it belongs to; what is spent is the sum of all minutes of the period that runs. So nothing is lost when a rule was late,
and a new day, week or month begins at zero by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from openrouter_otel import names
from openrouter_otel.budgets import Budget, Period
from openrouter_otel.promql import LOOK_BACK, increment, quoted

LIMIT: Final = "openrouter:budget_usd"
ADDED: Final = "openrouter:budget_spent_usd:increase1m"
SPENT: Final = "openrouter:budget_spent_usd"
PACE: Final = "openrouter:budget_pace_usd_per_second"
FORECAST: Final = "openrouter:budget_forecast_usd"
RECORDED: Final = (LIMIT, ADDED, SPENT, PACE, FORECAST)

INTERVAL: Final = "1m"
# The newest half minute is left to the next evaluation: a scrape under way would be missed for good. Interval and
# window are the same, so that every sample is in exactly one of them.
LAST_MINUTE: Final = "[1m] offset 30s"
BEFORE_IT: Final = f"[{LOOK_BACK}] offset 1m30s"
_THEN: Final = "(time() - 31)"  # inside the window: at midnight it belongs to the day that ended

PERIOD_NUMBER: Final = "number"
_NUMBER: Final[dict[Period, str]] = {
    "day": f"floor(vector({_THEN}) / 86400)",
    "week": f"floor((vector({_THEN}) / 86400 + 3) / 7)",  # the epoch was a Thursday
    "month": f"(12 * year(vector({_THEN})) + month(vector({_THEN})))",
}
_SECONDS_LEFT: Final[dict[Period, str]] = {
    "day": f"(86400 - {_THEN} % 86400)",
    "week": f"(604800 - ({_THEN} + 259200) % 604800)",
    "month": f"scalar(86400 * (days_in_month(vector({_THEN})) - day_of_month(vector({_THEN})) + 1)"
    f" - vector({_THEN} % 86400))",
}
_LONGEST: Final[dict[Period, str]] = {"day": "1d1h", "week": "7d1h", "month": "31d1h"}
_PACE_OF: Final[dict[Period, str]] = {"day": "1d", "week": "7d", "month": "7d"}


@dataclass(frozen=True)
class Rule:
    """One recording rule."""

    record: str
    expr: str
    labels: tuple[tuple[str, str], ...] = ()


def budget_rules(budgets: Iterable[Budget]) -> Iterator[Rule]:
    """Every rule, each before those that read it."""
    listed = tuple(budgets)
    for budget in listed:
        yield Rule(LIMIT, f"vector({budget.usd:f})", _labels(budget))
    for budget in listed:
        yield Rule(ADDED, _added(budget), _labels(budget))
    for period in (period for period in _NUMBER if any(budget.period == period for budget in listed)):
        own = f'{{period="{period}"}}'
        now = f'count_values("{PERIOD_NUMBER}", {_NUMBER[period]})'
        this_period = f"sum_over_time({ADDED}{own}[{_LONGEST[period]}]) and on ({PERIOD_NUMBER}) {now}"
        lately = f"{ADDED}{own}[{_PACE_OF[period]}]"
        summed = f"sum without ({PERIOD_NUMBER}) "
        label = (("period", period),)  # they have it anyway; it tells promtool that the three are no duplicates
        yield Rule(SPENT, f"{summed}({this_period})", label)
        yield Rule(PACE, f"{summed}(sum_over_time({lately})) / (60 * {summed}(count_over_time({lately})) > 0)", label)
        yield Rule(FORECAST, f"{SPENT}{own} + {PACE}{own} * {_SECONDS_LEFT[period]}", label)


def as_yaml(rules: Iterable[Rule]) -> str:
    """A rule file for Prometheus; JSON's strings are YAML's."""
    lines = [
        "# Written by `openrouter-otel stack --budgets`: change the budgets, not this file.",
        "groups:",
        "  - name: openrouter-budgets",
        f"    interval: {INTERVAL}",
        "    rules:",
    ]
    empty = True
    for rule in rules:
        empty = False
        lines += [f"      - record: {rule.record}", f"        expr: {json.dumps(rule.expr, ensure_ascii=False)}"]
        if rule.labels:
            lines += ["        labels:"]
            lines += [f"          {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in rule.labels]
    if empty:
        lines[-1] = "    rules: []"
    return "\n".join(lines) + "\n"


def _labels(budget: Budget) -> tuple[tuple[str, str], ...]:
    return (("budget", budget.name), ("period", budget.period), ("scope", budget.scope))


def _added(budget: Budget) -> str:
    narrowed = "" if budget.label is None else f"{{{budget.label}={quoted(budget.value or '')}}}"
    selector = f"{names.COST.prometheus}{narrowed}"
    added = increment(selector, LAST_MINUTE, BEFORE_IT)
    number = f'count_values("{PERIOD_NUMBER}", {_NUMBER[budget.period]})'
    return f"(sum {added} or vector(0)) * on () group_left ({PERIOD_NUMBER}) {number}"
