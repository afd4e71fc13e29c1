"""What one call adds to which counter: a table in code, read off a Record."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from openrouter_otel import names
from openrouter_otel.record import Record

Number = Decimal | int | float


class Increment(NamedTuple):
    """An amount for one series of a counter; `extra` are the metric's own attributes in its order."""

    metric: names.Metric
    extra: tuple[str | None, ...]
    amount: Number


def increments(record: Record) -> Iterator[Increment]:
    """All that a call counts. Unknown is not zero: what was not told adds nothing."""
    reasons = record.answer.finish_reasons
    extra = (record.outcome, record.cost_source, reasons[0] if reasons else None)
    yield Increment(names.REQUESTS, extra, 1)
    if record.failure is not None:
        yield Increment(names.ERRORS, (record.failure.type,), 1)
    if record.retries:
        yield Increment(names.RETRIES, (), record.retries)
    if record.outcome == names.OK and record.duration is not None:
        yield Increment(names.DURATION_SQUARED, (), record.duration**2)
    yield from _usage(record)


def _usage(record: Record) -> Iterator[Increment]:
    usage = record.answer.usage
    if usage is None:
        return
    if usage.input_tokens:
        yield Increment(names.TOKENS, (names.INPUT,), usage.input_tokens)
    if usage.output_tokens:
        yield Increment(names.TOKENS, (names.OUTPUT,), usage.output_tokens)
    for kind, count in usage.details:
        yield Increment(names.TOKENS_DETAIL, (kind,), count)
    if usage.cost is not None:
        yield Increment(names.COST, (names.REPORTED, names.OPENROUTER, record.outcome), usage.cost)
    elif record.estimate is not None:
        yield Increment(names.COST, (names.ESTIMATED, names.OPENROUTER, record.outcome), record.estimate)
    if usage.provider_cost is not None:
        # OpenRouter tells the provider's bill at list price: always an estimate.
        yield Increment(names.COST, (names.ESTIMATED, names.PROVIDER, record.outcome), usage.provider_cost)
