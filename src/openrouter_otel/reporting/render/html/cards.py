"""The figures that head the page: what a team lead asks first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import Report, Summary
from openrouter_otel.reporting.render import cells as plain
from openrouter_otel.reporting.render.html import cells
from openrouter_otel.reporting.render.html.cells import Cell

NO_CHANGE: Final = "Nothing known of the period before"


@dataclass(frozen=True)
class Card:
    """One figure.

    Attributes:
        label: what it is.
        value: it; `faint` holds the digits beyond the cent.
        unit: in front of it, such as ``$``.
        after: behind it, such as ``ms``.
        notes: one or two short lines below.
    """

    label: str
    value: Cell
    unit: str = ""
    after: str = ""
    notes: tuple[str, ...] = ()


def cards(report: Report) -> Iterator[Card]:
    """In order of importance."""
    period, latency = report.summary["period"], report.latency_overall
    yield Card("Spend", cells.money(period.total_cost), "$", notes=(_each(period), _change(report, "total_cost")))
    yield _projection(report)
    yield Card(
        "Requests",
        cells.count(period.total_requests),
        notes=(f"{plain.count(period.abandoned_requests)} abandoned", _change(report, "total_requests")),
    )
    yield Card(
        "Error rate",
        cells.ratio(period.error_rate),
        notes=(f"{plain.count(period.total_errors)} failed", _change(report, "error_rate")),
    )
    p95 = cells.ms(latency.p95, latency.p95_range)
    yield Card(
        "Latency, p95",
        Cell(p95.text),
        after="" if latency.p95 is None else "ms",
        notes=(_certainty(latency, p95),),
    )
    yield Card("Tokens", cells.count(period.total_tokens), notes=(_directions(period), _change(report, "total_tokens")))


def _projection(report: Report) -> Card:
    month = report.projection
    spent = f"${cells.about(month.spent)} so far"
    return Card(
        f"Projected for {month.month}",
        Cell(cells.about(month.projected)),
        "" if month.projected is None else "$",
        notes=(spent, plain.safe(month.method)),
    )


def _each(period: Summary) -> str:
    each = period.avg_cost_per_request
    return "No call to divide by" if each is None else f"${plain.money(each)} a call"


def _certainty(latency: Latency, p95: Cell) -> str:
    if not latency.count:
        return "No call to time"
    if p95.faint:
        return f"certainly {p95.faint} ms"
    return "Not known of this period" if latency.p95 is None else "of every single call"


def _change(report: Report, key: str) -> str:
    change: Decimal | None = report.comparison.change.get(key) if report.comparison else None
    return NO_CHANGE if change is None else f"{change:+.1%} on the period before"


def _directions(period: Summary) -> str:
    return f"{plain.count(period.input_tokens)} in, {plain.count(period.output_tokens)} out"
