"""Our histograms on one meter: the SDK's instruments, under our own caps."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.metrics import Histogram, Meter

from openrouter_otel import names
from openrouter_otel.emit.counting import Counting
from openrouter_otel.record import Record
from openrouter_otel.settings import Settings


class Histograms:
    """Records calls on the histograms of one meter.

    Args:
        meter: where they are shown.
        settings: buckets.
    """

    def __init__(self, meter: Meter, settings: Settings) -> None:
        self._histograms: dict[names.Metric, Histogram] = {}
        for metric in (m for m in names.METRICS if m.kind == "histogram"):
            latency = settings.latency_buckets if metric.unit == "s" else None
            self._histograms[metric] = meter.create_histogram(
                metric.name,
                metric.unit,
                metric.description,
                explicit_bucket_boundaries_advisory=list(latency or metric.buckets),
            )

    def record(self, record: Record, counting: Counting) -> None:
        """Record one call."""
        for metric, extra, value in _observations(record):
            self._histograms[metric].record(value, counting.histogram_attributes(metric, record, extra))


def _observations(record: Record) -> Iterator[tuple[names.Metric, tuple[str | None, ...], float]]:
    if record.duration is not None:
        yield names.DURATION, (record.outcome,), record.duration
    if record.first_token is not None:
        yield names.FIRST_TOKEN, (), record.first_token
    if (rate := record.output_rate) is not None:
        yield names.OUTPUT_RATE, (), rate
