"""The GenAI conventions' own client metrics, on request, for boards that know only those.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.metrics import Histogram, Meter, MeterProvider

from openrouter_otel import names
from openrouter_otel.emit.counting import Counting
from openrouter_otel.emit.labels import clean
from openrouter_otel.record import Record

_MODELS: Final = ("gen_ai.request.model", "gen_ai.response.model")


class GenAIHistograms:
    """The conventions' histograms on one meter.

    Args:
        meter: where they are shown.
        max_series: attribute sets; beyond them models become "(other)".
    """

    def __init__(self, meter: Meter, max_series: int) -> None:
        self._max_series = max_series
        self._known: set[frozenset[tuple[str, Any]]] = set()
        self._histograms: dict[names.Metric, Histogram] = {
            metric: meter.create_histogram(
                metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=list(metric.buckets)
            )
            for metric in names.GEN_AI_METRICS
        }

    def record(self, record: Record, counting: Counting) -> None:
        """Record one call."""
        shared = self._bounded({names.PROCESS: counting.process, **_shared(record)})
        for metric, own, value in _observations(record):
            self._histograms[metric].record(value, {**shared, **own})

    def _bounded(self, attributes: dict[str, Any]) -> dict[str, Any]:
        key = frozenset(attributes.items())
        if key in self._known:
            return attributes
        if len(self._known) < self._max_series:
            self._known.add(key)
            return attributes
        return attributes | {name: names.OTHER for name in _MODELS if name in attributes}


def owner(provider: MeterProvider) -> str | None:
    """Another instrumentation that has these names on a provider, as far as the SDK lets one see; else None."""
    ours = {metric.name for metric in names.GEN_AI_METRICS}
    for scope, meter in dict(getattr(provider, "_meters", {})).items():
        # An id begins with the instrument's name, then a comma.
        instruments = {str(one).partition(",")[0] for one in list(getattr(meter, "_instrument_ids", ()))}
        if scope.name != names.SCOPE and instruments & ours:
            return str(scope.name)
    return None


def _shared(record: Record) -> dict[str, Any]:
    request = record.request
    known = {
        "gen_ai.operation.name": request.operation,
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": clean(request.model) if request.model else None,
        "gen_ai.response.model": clean(record.answer.model) if record.answer.model else None,
        "server.address": request.host,
        "server.port": request.port,
    }
    return {name: value for name, value in known.items() if value}


def _observations(record: Record) -> Iterator[tuple[names.Metric, Mapping[str, Any], float]]:
    if record.duration is not None:
        failed = {names.ERROR_TYPE: record.failure.type} if record.failure else {}
        yield names.GEN_AI_DURATION, failed, record.duration
    if record.first_chunk is not None:
        yield names.GEN_AI_FIRST_CHUNK, {}, record.first_chunk
    usage = record.answer.usage
    if usage is not None:
        for kind, count in ((names.INPUT, usage.input_tokens), (names.OUTPUT, usage.output_tokens)):
            if count is not None:
                yield names.GEN_AI_TOKENS, {"gen_ai.token.type": kind}, count
