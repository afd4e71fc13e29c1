"""One CLIENT span a call: opened from a Request, closed from a Record.

Names are those of the GenAI semantic conventions; prompts and completions are never recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from openrouter_otel import names
from openrouter_otel.facts.request import Request
from openrouter_otel.record import Attribution, Record

_PARAMETERS: Final = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "n": "gen_ai.request.choice.count",
}
_SUBSETS: Final = {
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}


def open_span(tracer: Tracer, request: Request, attribution: Attribution, started_at: int) -> Span:
    """Start a call's span with all that is known before the answer: samplers see these attributes."""
    name = f"{request.operation} {request.model}" if request.model else request.operation
    return tracer.start_span(
        name, kind=SpanKind.CLIENT, attributes=dict(_of_request(request, attribution)), start_time=started_at
    )


def close_span(span: Span, record: Record) -> None:
    """Say how the call ended, and end its span at the time it did."""
    if span.is_recording():
        span.set_attributes(_of_record(record))
        if record.failure is not None:
            span.set_status(Status(StatusCode.ERROR, record.failure.message))
    span.end(record.ended_at)


def _of_request(request: Request, attribution: Attribution) -> Iterator[tuple[str, AttributeValue]]:
    yield "gen_ai.operation.name", request.operation
    yield "gen_ai.provider.name", "openrouter"
    if request.model:
        yield "gen_ai.request.model", request.model
    if request.stream:
        yield "gen_ai.request.stream", True
    yield "server.address", request.host
    if request.port is not None:
        yield "server.port", request.port
    for name, value in request.parameters:
        yield _PARAMETERS[name], value
    if attribution.user:
        yield "user.id", attribution.user
    if attribution.session:
        yield "session.id", attribution.session
    for name, text in attribution.tags.items():
        yield names.TAG_PREFIX + name, text


def _of_record(record: Record) -> dict[str, AttributeValue]:
    answer, usage = record.answer, record.answer.usage
    told: dict[str, AttributeValue | None] = {
        "openrouter.outcome": record.outcome,
        "openrouter.cost_source": record.cost_source,
        "gen_ai.response.id": answer.id,
        "gen_ai.response.model": answer.model,
        "gen_ai.response.finish_reasons": answer.finish_reasons or None,
        "openrouter.provider": record.provider,
        "openrouter.native_finish_reason": answer.native_finish_reason,
        "openrouter.retries": record.retries or None,
        "error.type": record.failure.type if record.failure else None,
    }
    if usage is not None:
        cost = record.cost
        told["gen_ai.usage.input_tokens"] = usage.input_tokens
        told["gen_ai.usage.output_tokens"] = usage.output_tokens
        told["gen_ai.usage.cost"] = None if cost is None else float(cost)
        told["openrouter.is_byok"] = usage.byok
        told |= {_SUBSETS[kind]: count for kind, count in usage.details if kind in _SUBSETS}
    return {name: value for name, value in told.items() if value is not None}
