"""One Record as a journal's entry: the row, and what it adds to the sums, under the same names as in the metrics."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from openrouter_otel import names
from openrouter_otel.emit.labels import clean
from openrouter_otel.journal import money
from openrouter_otel.journal.writing import Entry
from openrouter_otel.record import Record

_LARGEST: Final = 2**53  # tokens of a call: beyond, it is no count, and sums might overflow
_INFINITY: Final = float("inf")


def entry(record: Record, metric_tags: tuple[str, ...]) -> Entry:
    """A call, ready to be written.

    Raises:
        ValueError: a count or an amount is beyond all reason.
    """
    usage, failure = record.answer.usage, record.failure
    charged, bill = (usage.cost, usage.provider_cost) if usage else (None, None)
    pending = record.cost_source == names.UNPRICED and record.answer.id is not None
    call = (
        record.ended_at // 1_000_000,
        record.duration,
        record.first_token,
        record.first_chunk,
        _count(usage.input_tokens) if usage else None,
        _count(usage.output_tokens) if usage else None,
        json.dumps(dict(usage.details)) if usage and usage.details else None,
        _decimal(charged),
        _decimal(record.estimate),
        _decimal(bill),
        _decimal(record.cost),
        record.retries,
        int(record.request.stream),
        int(usage.byok) if usage else 0,
        _text(record.attribution.session),
        json.dumps(dict(record.attribution.tags)) if record.attribution.tags else None,
        _text(failure.message) if failure else None,
        _text(record.answer.id),
        _text(record.answer.native_finish_reason),
        1 if pending else None,
    )
    return Entry(_series(record, metric_tags), call, dict(_sums(record)), record.duration, tuple(_buckets(record)))


def _series(record: Record, metric_tags: tuple[str, ...]) -> tuple[str, ...]:
    """Texts of `journal.schema.SERIES`, but for the resource's."""
    reasons, failure = record.answer.finish_reasons, record.failure
    return (
        clean(record.model or ""),
        clean(record.request.model or ""),
        clean(record.provider or ""),
        record.request.operation,
        clean(record.attribution.user or ""),
        _labels(record.attribution.tags, metric_tags) if metric_tags else "",
        record.outcome,
        record.cost_source,
        clean(reasons[0]) if reasons else "",
        failure.type if failure else "",
    )


def _labels(tags: Mapping[str, str], metric_tags: tuple[str, ...]) -> str:
    known = {tag: cleaned for tag in metric_tags if (value := tags.get(tag)) and (cleaned := clean(value))}
    return json.dumps(known, sort_keys=True) if known else ""


def _sums(record: Record) -> Iterator[tuple[str, int | float]]:
    """What a call adds to which column; zeros and unknowns are left out."""
    yield "requests", 1
    if record.retries:
        yield "retries", record.retries
    if (duration := record.duration) is not None:
        yield "timed", 1
        yield "seconds", duration
        yield "seconds_squared", duration**2
    if record.first_token is not None:
        yield "first_tokens", 1
        yield "first_token_seconds", record.first_token
    if (rate := record.output_rate) is not None:
        yield "rates", 1
        yield "rate_sum", rate
    usage = record.answer.usage
    if usage is None:
        return
    yield "input_tokens", usage.input_tokens or 0
    yield "output_tokens", usage.output_tokens or 0
    for kind, count in usage.details:
        yield kind, _count(count) or 0
    yield from _amount("charged", usage.cost)
    yield from _amount("estimated", record.estimate)
    yield from _amount("provider_cost", usage.provider_cost)


def _amount(column: str, amount: Decimal | None) -> Iterator[tuple[str, int]]:
    if amount is not None:
        units, rest = money.split(amount)
        yield column, units
        yield f"{column}_rest", rest


def _buckets(record: Record) -> Iterator[tuple[str, float]]:
    for metric, value in (
        (names.DURATION, record.duration),
        (names.FIRST_TOKEN, record.first_token),
        (names.OUTPUT_RATE, record.output_rate),
    ):
        if value is not None:
            place = bisect_left(metric.buckets, value)
            yield metric.name, metric.buckets[place] if place < len(metric.buckets) else _INFINITY


def _count(count: int | None) -> int | None:
    if count is not None and not 0 <= count < _LARGEST:
        raise ValueError("no number of tokens")
    return count


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _text(value: Any) -> str | None:
    """A text that SQLite can hold: a lone surrogate is none."""
    return None if value is None else str(value).encode("utf-8", "replace").decode("utf-8").replace("\0", "")
