"""The floor: what OpenTelemetry's SDK itself takes for one span with 12 attributes and four metric records."""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry import metrics, trace

_SPAN = {f"gen_ai.attribute.number.{number}": f"value {number}" for number in range(12)}
_LABELS = {f"label_{number}": f"value {number}" for number in range(6)}


def floor() -> tuple[Callable[[], None], Callable[[int], float]]:
    """A function that does it, and one that does so many times and returns microseconds for one."""
    tracer, meter = trace.get_tracer("floor"), metrics.get_meter("floor")
    histograms = [meter.create_histogram(f"floor.histogram.{number}") for number in range(2)]
    counters = [meter.create_counter(f"floor.counter.{number}") for number in range(2)]

    def once() -> None:
        span = tracer.start_span("chat openai/gpt-4o-mini", kind=trace.SpanKind.CLIENT)
        for name, value in _SPAN.items():
            span.set_attribute(name, value)
        span.end()
        for histogram in histograms:
            histogram.record(1.5, _LABELS)
        for counter in counters:
            counter.add(1, _LABELS)

    def measure(times: int) -> float:
        start = time.perf_counter_ns()
        for _ in range(times):
            once()
        return (time.perf_counter_ns() - start) / 1000 / times

    return once, measure
