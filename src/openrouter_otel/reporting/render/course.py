"""When it was spent: a bar for every day, a row for every week or month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Section, Table

FEW: Final = 10  # weeks; a longer period is shown by month


def course(report: Report) -> Iterator[Section]:
    """The period from its first day to its last."""
    yield _days(report)
    yield from _steps(report)


def _days(report: Report) -> Section:
    days = list(report.daily_trend)
    day, most = max(report.daily_trend.items(), key=lambda one: one[1].cost)
    dearest = f", the dearest {day} with {cells.money(most.cost)} USD" if most.cost else ""
    return Section(
        ("Cost per day",), bars=cells.bars(report.daily_levels), lines=((f"{days[0]} to {days[-1]}{dearest}.",),)
    )


def _steps(report: Report) -> Iterator[Section]:
    by_week = len(report.weekly_trend) <= FEW
    steps = report.weekly_trend if by_week else report.monthly_trend
    if len(steps) > 1:
        rows = (
            (step, cells.count(use.requests), cells.count(use.tokens), cells.money(use.cost), cells.count(use.errors))
            for step, use in steps.items()
        )
        heads = ("week of" if by_week else "month", "requests", "tokens", "cost USD", "errors")
        yield Section(("By week" if by_week else "By month",), Table.of(heads, rows))
