"""What a subject tells about each row: the spans begun in it and how they ended, and money on its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

_INPUT: Final = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT: Final = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")


class Witness(SpanProcessor):
    """Sees every span begin and end; set up as the application's global providers."""

    def __init__(self) -> None:
        self._begun: list[tuple[str, ReadableSpan]] = []
        self._ended: set[int] = set()
        self._in_time: set[int] = set()
        self._row = ""
        self._money: dict[str, dict[str, float]] = {}
        self._before: dict[str, float] = {}
        self._reader = InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(self)
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self._reader]))

    def begin(self, row: str) -> None:
        """A row begins."""
        self._row = row
        self._before = self._costs()

    def end(self) -> None:
        """It is over and its garbage is collected; metrics are read, as a scrape would."""
        after = self._costs()
        told = {name: value - self._before.get(name, 0) for name, value in after.items()}
        self._money[self._row] = {name: value for name, value in told.items() if value}
        self._in_time |= self._ended
        self._row = ""

    def told(self, row: str) -> dict[str, Any]:
        """All about a row, as JSON."""
        spans = [span for name, span in self._begun if name == row]
        return {"spans": [self._span(span) for span in spans], "money": self._money.get(row, {})}

    def on_start(self, span: Span, parent_context: object = None) -> None:
        """A span begins."""
        self._begun.append((self._row, span))

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        self._ended.add(_id(span))

    def _span(self, span: ReadableSpan) -> dict[str, Any]:
        attributes = dict(span.attributes or {})
        return {
            "ended": "in time" if _id(span) in self._in_time else "at exit" if _id(span) in self._ended else "never",
            "tokens": [_first(attributes, _INPUT), _first(attributes, _OUTPUT)],
            "costs": [value for name, value in attributes.items() if "cost" in name and _is_amount(value)],
            "error": span.status.status_code is trace.StatusCode.ERROR or "error.type" in attributes,
        }

    def _costs(self) -> dict[str, float]:
        data = self._reader.get_metrics_data()
        found: dict[str, float] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if "cost" in metric.name:
                        points: list[Any] = list(metric.data.data_points)
                        found[metric.name] = sum(getattr(point, "value", getattr(point, "sum", 0)) for point in points)
        return found


def _id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    return context.span_id if context else 0


def _first(attributes: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((attributes[name] for name in names if name in attributes), None)


def _is_amount(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
