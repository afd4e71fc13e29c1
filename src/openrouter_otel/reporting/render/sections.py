"""Report -> page: which sections people read, in which order and in which words.

First whether to believe it, then what was spent, by whom and on what, then how quickly and what failed. A section
without anything to say is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.account import account
from openrouter_otel.reporting.render.breakdowns import breakdowns
from openrouter_otel.reporting.render.budgets import budgets
from openrouter_otel.reporting.render.calls import recent_errors, sessions
from openrouter_otel.reporting.render.course import course
from openrouter_otel.reporting.render.fruitless import fruitless
from openrouter_otel.reporting.render.measures import measures
from openrouter_otel.reporting.render.page import Line, Name, Page, Section, Table, listed
from openrouter_otel.reporting.render.reconciliation import reconciliation
from openrouter_otel.reporting.render.totals import totals


def page(report: Report) -> Page:
    """Everything that is worth a person's while."""
    return Page(
        verdict=report.verdict,
        statement=report.statement,
        about=tuple(_about(report)),
        sections=tuple(_sections(report)),
        warnings=report.accounting.warnings,
    )


def _about(report: Report) -> Iterator[Line]:
    yield (f"{cells.span(report.period)} {report.timezone}",)
    yield (Name(cells.source(report.source)),)
    asked = {what: value for what, value in report.filters.items() if value is not None and what != "label"}
    asked |= report.filters.get("label") or {}
    if asked:
        yield ("Only calls with ", *listed((f"{what} ", value) for what, value in asked.items()))


def _sections(report: Report) -> Iterator[Section]:
    yield totals(report)
    yield from budgets(report)
    yield from account(report.account)
    yield from reconciliation(report.reconciliation)
    if report.user_stats:
        yield from course(report)
        yield from breakdowns(report)
    if report.sessions:
        yield sessions(report.sessions)
    yield from fruitless(report)
    yield from measures(report)
    if report.errors.by_type:
        yield _counts("Errors by type", "type", report.errors.by_type)
        yield _counts("Errors by model asked for", "model", report.errors.by_model)
    if report.errors.recent:
        yield recent_errors(report.errors.recent)


def _counts(title: str, what: str, counts: Mapping[str, int]) -> Section:
    return Section(
        (title,), Table.of((what, "errors"), ((Name(name), cells.count(count)) for name, count in counts.items()))
    )
