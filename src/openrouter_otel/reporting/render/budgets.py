"""How budgets stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.model import Report, Standing
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Alarm, Cell, Column, Kind, Name, Section, Table, headed

STATUS: Final = {"ok": "ok", "at_risk": "AT RISK", "exceeded": "EXCEEDED"}
COLUMNS: Final = (
    *(Column(head, Kind.NAME) for head in ("budget", "status")),
    *headed("", "limit USD", "used USD", "of limit", "forecast", "used up on")[1:],
)


def budgets(report: Report) -> Iterator[Section]:
    """One section, where there are any."""
    if report.budgets:
        yield Section(
            ("Budgets",),
            Table(COLUMNS, tuple(map(_row, report.budgets))),
            lines=(("Days, weeks from Monday and months, all in UTC.",),),
        )


def _row(budget: Standing) -> tuple[Cell, ...]:
    return (
        Name(budget.name),
        STATUS["ok"] if budget.status == "ok" else Alarm(STATUS[budget.status], urgent=budget.status == "exceeded"),
        cells.cents(budget.limit),
        cells.money(budget.used),
        cells.share(budget.used_share),
        cells.NOTHING if budget.forecast is None else cells.cents(budget.forecast),
        budget.exhausted_on or cells.NOTHING,
    )
