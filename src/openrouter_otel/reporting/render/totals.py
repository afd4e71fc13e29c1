"""What was spent in all: the sums, the period before, the month to come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Line, Section, Table, headed
from openrouter_otel.wording import counted

INTERVALS: Final = {
    "last_24h": "last 24 hours",
    "last_7d": "last 7 days",
    "last_30d": "last 30 days",
    "period": "this period",
    "all_time": "all time",
}
COMPARED: Final = {
    "total_cost": "cost",
    "total_requests": "requests",
    "total_tokens": "tokens",
    "total_errors": "errors",
}


def totals(report: Report) -> Section:
    """Every interval's totals, and what they are to be held against."""
    rows = [
        (
            label,
            cells.count(row.total_requests),
            cells.count(row.input_tokens),
            cells.count(row.output_tokens),
            cells.money(row.total_cost),
            cells.failed(row.total_errors, row.error_rate),
            cells.ms(row.avg_latency_ms),
        )
        for label, row in ((label, report.summary[name]) for name, label in INTERVALS.items())
    ]
    heads = ("", "requests", "tokens in", "out", "cost USD", "errors", "mean ms")
    table = Table(headed(*heads), tuple(rows), strong=list(INTERVALS).index("period"))
    told = (*_comparison(report), *_projection(report), _books(report))
    return Section(("Summary",), table, lines=told if report.data_since else ())


def _comparison(report: Report) -> Iterator[Line]:
    if before := report.comparison:
        changes = (
            f"{word} {cells.change(before.change[key])}" for key, word in COMPARED.items() if key in before.change
        )
        yield (f"Against {cells.span(before.period)}: {', '.join(changes)}.",)


def _projection(report: Report) -> Iterator[Line]:
    month = report.projection
    known = f"about {cells.cents(month.projected)} USD" if month.projected is not None else "unknown"
    yield (f"{month.month} so far {cells.money(month.spent)} USD, by its end {known}. {month.method}".strip(),)


def _books(report: Report) -> Line:
    books = report.accounting
    charged = f"Charged by OpenRouter {cells.money(books.charged_cost)}"
    others = f"billed by providers {cells.money(books.byok_cost)} + estimated {cells.money(books.estimated_cost)} USD"
    return (f"{charged} + {others}; {counted(books.unpriced_requests, 'call')} of unknown price.",)
