"""Our metrics as Prometheus text, written directly.

The exporter builds an object for every sample and joins every label of every line anew at each scrape; at our caps that
is minutes of a core per hour and long pauses for the program's other threads. Here the labels of a series are joined
once, when it is first seen, and a scrape is one pass over numbers.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from opentelemetry.sdk.metrics.export import Histogram, HistogramDataPoint, Metric, NumberDataPoint

from openrouter_otel import names

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Exposition:
    """Writes metrics of ours; keeps the label text of every series it has written.

    Args:
        shared: labels that every sample carries besides its own attributes.
    """

    def __init__(self, shared: Mapping[str, str] = {}) -> None:  # noqa: B006  # read only
        self._shared = ",".join(_pair(name, value) for name, value in shared.items())
        # By the identity of the SDK's attribute dictionaries, which live as long as their series; each entry keeps its
        # dictionary alive, so that no other can take its place.
        self._labels: dict[int, tuple[object, str]] = {}

    def write(self, metrics: Iterable[Metric]) -> str:
        """The text of metrics, each with its HELP and TYPE."""
        return "".join(line for metric in metrics for line in self._family(metric))

    def _family(self, metric: Metric) -> Iterator[str]:
        known = names.BY_NAME[metric.name]
        name = known.prometheus
        yield f"# HELP {name} {known.description}\n# TYPE {name} {known.kind}\n"
        if isinstance(metric.data, Histogram):
            for histogram in metric.data.data_points:
                yield self._histogram(name, histogram)
        else:
            for point in metric.data.data_points:
                yield self._number(name, point)

    def _number(self, name: str, point: Any) -> str:
        value: NumberDataPoint = point
        return f"{name}{{{self._of(value.attributes)}}} {float(value.value)!r}\n"

    def _histogram(self, name: str, point: HistogramDataPoint) -> str:
        labels = self._of(point.attributes)
        counts = list(accumulate(point.bucket_counts))
        bounds = [*map(repr, map(float, point.explicit_bounds)), "+Inf"]
        buckets = "".join(
            f'{name}_bucket{{{labels},le="{bound}"}} {count}.0\n' for bound, count in zip(bounds, counts, strict=True)
        )
        return f"{buckets}{name}_count{{{labels}}} {counts[-1]}.0\n{name}_sum{{{labels}}} {float(point.sum)!r}\n"

    def _of(self, attributes: Mapping[str, Any] | None) -> str:
        known = self._labels.get(id(attributes))
        if known is not None:
            return known[1]
        pairs = [_pair(name, value) for name, value in (attributes or {}).items()]
        text = ",".join([*pairs, self._shared] if self._shared else pairs)
        self._labels[id(attributes)] = (attributes, text)
        return text


def _pair(name: str, value: object) -> str:
    return f'{names.label(name)}="{str(value).translate(_ESCAPES)}"'
