"""How OpenRouter's own books compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openrouter_otel.reporting.reconciled import Compared, ComparedDay, Reconciliation
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Cell, Column, Kind, Name, Section, Table

KINDS: Final = {
    "outside": "outside calls",
    "unpriced": "unknown price",
    "estimated": "estimates",
    "byok": "BYOK bills",
    "not_booked": "not booked",
    "unexplained": "unexplained",
}
SIDES: Final = (
    Column("calls counted", spare=True),
    Column("booked", spare=True),
    *map(Column, ("USD counted", "booked", "difference")),
)
MODEL_COLUMNS: Final = (Column("model", Kind.NAME), *SIDES)
DAY_COLUMNS: Final = (Column("day"), *MODEL_COLUMNS)


def reconciliation(outcome: Reconciliation | None) -> Iterator[Section]:
    """Sections, where somebody asked."""
    if outcome is None:
        return
    models = Table(MODEL_COLUMNS, tuple((Name(model), *_sides(one)) for model, one in outcome.by_model.items()))
    told = (outcome.statement, *outcome.notes)
    yield Section(("Against OpenRouter's own books",), models, lines=tuple((sentence,) for sentence in told))
    if outcome.explanations:
        parts = Table.of(
            ("part", "calls", "USD"),
            (
                (KINDS[part.kind], cells.NOTHING if part.requests is None else cells.count(part.requests),
                 cells.signed(part.amount))
                for part in outcome.explanations
            ),
        )  # fmt: skip
        meanings = tuple((f"{KINDS[part.kind]}: {part.text}.",) for part in outcome.explanations)
        yield Section(("What the difference is made of",), parts, lines=meanings)
    if days := tuple(differing(outcome)):
        rows = ((one.date, Name(one.model), *_sides(one)) for one in days)
        yield Section(("Days that differ, in UTC",), Table(DAY_COLUMNS, tuple(rows)))


def differing(outcome: Reconciliation) -> Iterator[ComparedDay]:
    """Days and models whose spend is not the same on both sides."""
    return (one for one in outcome.by_day if one.difference)


def _sides(one: Compared) -> tuple[Cell, ...]:
    return (
        cells.count(one.counted_requests),
        cells.count(one.booked_requests),
        cells.money(one.counted_cost),
        cells.money(one.booked_cost),
        cells.signed(one.difference),
    )
