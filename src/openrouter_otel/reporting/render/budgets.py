"""How budgets stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.model import Report, Standing
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Cell, Name, Section, Table

STATUS: Final = {"ok": "ok", "at_risk": "AT RISK", "exceeded": "EXCEEDED"}
HEADS: Final = ("budget", "status", "limit USD", "used USD", "used", "forecast USD", "used up on")


def budgets(report: Report) -> Iterator[Section]:
    """One section, where there are any."""
    if report.budgets:
        yield Section(
            ("Budgets",),
            Table.of(HEADS, map(_row, report.budgets)),
            lines=(("Days, weeks from Monday and months, all in UTC.",),),
        )


def _row(budget: Standing) -> tuple[Cell, ...]:
    return (
        Name(budget.name),
        STATUS[budget.status],
        cells.cents(budget.limit),
        cells.money(budget.used),
        cells.share(budget.used_share),
        cells.NOTHING if budget.forecast is None else cells.cents(budget.forecast),
        budget.exhausted_on or cells.NOTHING,
    )
