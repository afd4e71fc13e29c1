"""The tables of how OpenRouter's own books compare."""

from __future__ import annotations

from collections.abc import Iterator

from openrouter_otel.reporting.reconciled import Compared, Reconciliation
from openrouter_otel.reporting.render import cells as plain
from openrouter_otel.reporting.render.html import cells
from openrouter_otel.reporting.render.html.cells import Cell
from openrouter_otel.reporting.render.html.table import Table
from openrouter_otel.reporting.render.reconciliation import KINDS, differing

SIDES = ("Counted calls", "Booked calls", "Counted, USD", "Booked, USD", "Difference, USD")


def reconciliation(outcome: Reconciliation | None) -> Iterator[Table]:
    """None where nobody asked."""
    if outcome is None:
        return
    yield Table(
        "reconciliation",
        "Reconciliation",
        " ".join((outcome.statement, *outcome.notes)),
        ("Model", *SIDES),
        tuple((cells.name(model), *_sides(one)) for model, one in outcome.by_model.items()),
    )
    yield Table(
        "explanations",
        "What the difference is made of",
        "Booked less counted; these parts add up to it.",
        ("Part", "Meaning", "Calls", "USD"),
        tuple(
            (
                Cell(KINDS[part.kind]),
                Cell(part.text),
                cells.EMPTY if part.requests is None else cells.count(part.requests),
                Cell(plain.signed(part.amount)),
            )
            for part in outcome.explanations
        ),
        frozenset({"Meaning"}),
    )
    yield Table(
        "reconciled-days",
        "Days that differ",
        "By UTC day: a call is counted on the day it ended and booked on the day it began.",
        ("Day", "Model", *SIDES),
        tuple((Cell(one.date), cells.name(one.model), *_sides(one)) for one in differing(outcome)),
        frozenset({"Model"}),
    )


def _sides(one: Compared) -> tuple[Cell, ...]:
    return (
        cells.count(one.counted_requests),
        cells.count(one.booked_requests),
        cells.money(one.counted_cost),
        cells.money(one.booked_cost),
        Cell(plain.signed(one.difference)),
    )
