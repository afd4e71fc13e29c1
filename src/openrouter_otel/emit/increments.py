"""What one call adds to which counter: a table in code, read off a Record."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from openrouter_otel import names
from openrouter_otel.record import Record

Number = Decimal | int | float


Increment = tuple[names.Metric, tuple[str | None, ...], Number]
"""A counter, the metric's own attributes in its order, and the amount to add."""


def increments(record: Record) -> Iterator[Increment]:
    """All that a call counts. Unknown is not zero: what was not told adds nothing."""
    reasons = record.answer.finish_reasons
    extra = (record.outcome, record.cost_source, reasons[0] if reasons else None)
    yield names.REQUESTS, extra, 1
    if record.failure is not None:
        yield names.ERRORS, (record.failure.type,), 1
    if record.retries:
        yield names.RETRIES, (), record.retries
    if record.outcome == names.OK and record.duration is not None:
        yield names.DURATION_SQUARED, (), record.duration**2
    yield from _usage(record)


def _usage(record: Record) -> Iterator[Increment]:
    usage = record.answer.usage
    if usage is None:
        return
    if usage.input_tokens:
        yield names.TOKENS, (names.INPUT,), usage.input_tokens
    if usage.output_tokens:
        yield names.TOKENS, (names.OUTPUT,), usage.output_tokens
    for kind, count in usage.details:
        yield names.TOKENS_DETAIL, (kind,), count
    if usage.cost is not None:
        yield names.COST, (names.REPORTED, names.OPENROUTER, record.outcome), usage.cost
    elif record.estimate is not None:
        yield names.COST, (names.ESTIMATED, names.OPENROUTER, record.outcome), record.estimate
    if usage.provider_cost is not None:
        # OpenRouter tells the provider's bill at list price: always an estimate.
        yield names.COST, (names.ESTIMATED, names.PROVIDER, record.outcome), usage.provider_cost
