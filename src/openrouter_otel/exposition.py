"""Our metrics as Prometheus text, written directly.

The exporter builds an object for every sample and joins every label of every line anew at each scrape; at our caps that
takes seconds of a core, and pauses in the program's other threads. Here the labels of a series are joined once, when it
is first seen, and a scrape is one pass over numbers.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.metrics.export import Metric

from openrouter_otel import names

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Point(NamedTuple):
    """A sample of a counter or a gauge, as OpenTelemetry's own points are."""

    attributes: Mapping[str, str]
    value: float


class HistogramPoint(NamedTuple):
    """A histogram, as OpenTelemetry's own points are: `bucket_counts` are not cumulative, the last is infinity's."""

    attributes: Mapping[str, str]
    bucket_counts: Sequence[int]
    explicit_bounds: Sequence[float]
    sum: float


_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Exposition:
    """Writes metrics of ours; keeps the label text of every series it has written.

    Args:
        shared: labels that every sample carries besides its own attributes.
    """

    def __init__(self, shared: Mapping[str, str]) -> None:
        self._shared = [_pair(name, value) for name, value in shared.items()]
        # By the identity of the SDK's attribute dictionaries, which live as long as their series. Each entry keeps its
        # dictionary alive, so that no other can take its place.
        self._labels: dict[int, tuple[object, str]] = {}

    def write(self, metrics: Iterable[Metric]) -> str:
        """The text of metrics, each with its HELP and TYPE."""
        return self.write_points((names.BY_NAME[metric.name], metric.data.data_points) for metric in metrics)

    def write_points(self, families: Iterable[tuple[names.Metric, Iterable[Any]]]) -> str:
        """The same of metrics and points that are not OpenTelemetry's, but like them."""
        lines = [line for metric, points in families for line in self._family(metric, points)]
        if len(self._labels) > 2 * len(lines) + 1000:
            self._labels.clear()  # an SDK that makes its dictionaries anew for every collection
        return "".join(lines)

    def _family(self, metric: names.Metric, points: Iterable[Any]) -> Iterator[str]:
        name = metric.prometheus
        yield f"# HELP {name} {metric.description}\n# TYPE {name} {metric.kind}\n"
        if metric.kind == "histogram":
            for histogram in points:
                yield self._histogram(name, histogram)
        else:
            for point in points:
                yield f"{name}{{{self._of(point.attributes)}}} {float(point.value)!r}\n"

    def _histogram(self, name: str, point: Any) -> str:
        labels = self._of(point.attributes)
        counts = list(accumulate(point.bucket_counts))
        bounds = [*map(repr, map(float, point.explicit_bounds)), "+Inf"]
        buckets = "".join(
            f'{name}_bucket{{{labels},le="{bound}"}} {count}.0\n' for bound, count in zip(bounds, counts, strict=True)
        )
        return f"{buckets}{name}_count{{{labels}}} {counts[-1]}.0\n{name}_sum{{{labels}}} {float(point.sum)!r}\n"

    def _of(self, attributes: Mapping[str, Any] | None) -> str:
        known = self._labels.get(id(attributes))
        if known is not None and known[0] is attributes:
            return known[1]
        text = ",".join([*(_pair(name, value) for name, value in (attributes or {}).items()), *self._shared])
        self._labels[id(attributes)] = (attributes, text)
        return text


def _pair(name: str, value: object) -> str:
    return f'{names.label(name)}="{str(value).translate(_ESCAPES)}"'
