"""One CLIENT span a call: opened from a Request, closed from a Record.

Names are those of the GenAI semantic conventions; prompts and completions are never recorded.
"""

from __future__ import annotations

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
        name, kind=SpanKind.CLIENT, attributes=_of_request(request, attribution), start_time=started_at
    )


def close_span(span: Span, record: Record) -> None:
    """Say how the call ended, and end its span at the time it did."""
    if span.is_recording():
        span.set_attributes(_of_record(record))
        if record.failure is not None:
            span.set_status(Status(StatusCode.ERROR, record.failure.message))
    span.end(record.ended_at)


def _of_request(request: Request, attribution: Attribution) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue] = {
        "gen_ai.operation.name": request.operation,
        "gen_ai.provider.name": "openrouter",
        "server.address": request.host,
    }
    if request.model:
        told["gen_ai.request.model"] = request.model
    if request.stream:
        told["gen_ai.request.stream"] = True
    if request.port is not None:
        told["server.port"] = request.port
    for name, value in request.parameters:
        told[_PARAMETERS[name]] = value
    if attribution.user:
        told["user.id"] = attribution.user
    if attribution.session:
        told["session.id"] = attribution.session
    for name, text in attribution.tags.items():
        told[names.TAG_PREFIX + name] = text
    return told


def _of_record(record: Record) -> dict[str, AttributeValue]:
    answer, usage, failure = record.answer, record.answer.usage, record.failure
    told: dict[str, AttributeValue] = {
        "openrouter.outcome": record.outcome,
        "openrouter.cost_source": record.cost_source,
    }
    if answer.id is not None:
        told["gen_ai.response.id"] = answer.id
    if answer.model is not None:
        told["gen_ai.response.model"] = answer.model
    if answer.finish_reasons:
        told["gen_ai.response.finish_reasons"] = answer.finish_reasons
    if answer.native_finish_reason is not None:
        told["openrouter.native_finish_reason"] = answer.native_finish_reason
    if (provider := record.provider) is not None:
        told["openrouter.provider"] = provider
    if record.retries:
        told["openrouter.retries"] = record.retries
    if failure is not None:
        told["error.type"] = failure.type
    if usage is None:
        return told
    told["openrouter.is_byok"] = usage.byok
    if usage.input_tokens is not None:
        told["gen_ai.usage.input_tokens"] = usage.input_tokens
    if usage.output_tokens is not None:
        told["gen_ai.usage.output_tokens"] = usage.output_tokens
    if (cost := record.cost) is not None:
        told["gen_ai.usage.cost"] = float(cost)
    for kind, count in usage.details:
        if kind in _SUBSETS:
            told[_SUBSETS[kind]] = count
    return told
