"""What was paid for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.model import Report, Spend
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Cell, Line, Name, Section, Table, listed

NAMED: Final = 3  # models in a sentence


def fruitless(report: Report) -> Iterator[Section]:
    """One section, where there is such spend."""
    lost = report.fruitless_spend
    outcomes: list[tuple[Cell, Spend]] = [(Name(outcome), spend) for outcome, spend in lost.by_outcome.items()]
    outcomes.append(("cut off at the token limit", lost.truncated))
    rows = [
        (
            outcome,
            cells.count(spend.requests),
            cells.money_if_known(spend.cost),
            cells.count(spend.unpriced_requests),
        )
        for outcome, spend in outcomes
        if spend.requests
    ]
    lines = list(_lost(report))
    if rows or lines:
        yield Section(
            ("Spend that bought nothing",),
            Table.of(("outcome", "calls", "cost USD", "of unknown price"), rows),
            lines=tuple(lines),
        )


def _lost(report: Report) -> Iterator[Line]:
    lost = report.fruitless_spend
    if lost.cost:
        models = list(lost.by_model.items())
        named = listed((f"{cells.money(cost)} USD on ", model) for model, cost in models[:NAMED])
        of_all = "" if lost.share is None else f" ({cells.share(lost.share)} of the period's cost)"
        end = " and more on others." if models[NAMED:] else "."
        yield (f"{cells.money(lost.cost)} USD{of_all} went to calls that failed or were given up: ", *named, end)
    for model, use in lost.cache_never_read.items():
        yield (Name(model), f": {cells.count(use.written)} tokens were written to its cache and none was ever read.")
