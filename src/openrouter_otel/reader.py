"""The Prometheus reader as exact reports need it.

All that depends on the versions of OpenTelemetry's Prometheus exporter is in this file.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
import os
import weakref
from typing import Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter, ObservableGauge, UpDownCounter
from opentelemetry.sdk.metrics.export import Metric, MetricsData, ResourceMetrics
from prometheus_client import CollectorRegistry
from prometheus_client.core import REGISTRY

from openrouter_otel import names
from openrouter_otel.identity import identity

_log = logging.getLogger("openrouter_otel")

# The SDK folds attribute sets beyond 2,000 an instrument into one without labels. Ours are bounded by `max_series`
# already, in a way that keeps totals by model right, so its limit is put out of reach.
_LIMITS: Final = {
    Counter: 1_000_000,
    UpDownCounter: 1_000_000,
    Histogram: 1_000_000,
    ObservableCounter: 1_000_000,
    ObservableGauge: 1_000_000,
}
_KNOWN_OPTIONS: Final = frozenset(inspect.signature(PrometheusMetricReader.__init__).parameters)
_FILTERS_RESOURCES: Final = "resource_attribute_filter" in _KNOWN_OPTIONS
_readers: weakref.WeakSet[OpenRouterMetricReader] = weakref.WeakSet()


def metrics_reader(registry: CollectorRegistry | None = None) -> PrometheusMetricReader:
    """A `PrometheusMetricReader` for a MeterProvider of your own, configured as exact reports need it.

    One series per process, no scope labels, cardinality limits out of the way, and the resource's ``service.name``,
    ``service.instance.id`` and ``deployment.environment.name`` on every sample.

    Args:
        registry: the prometheus_client registry to register with; the default is the global one.
    """
    return OpenRouterMetricReader(registry)


class OpenRouterMetricReader(PrometheusMetricReader):
    """What `metrics_reader` makes."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or REGISTRY
        options: dict[str, Any] = {
            "scope_info_enabled": False,
            "resource_attribute_filter": names.RESOURCE_ATTRIBUTES.__contains__,
            "registry": registry,
            "cardinality_limits": _LIMITS,
        }
        super().__init__(**{name: value for name, value in options.items() if name in _KNOWN_OPTIONS})
        if "registry" not in _KNOWN_OPTIONS and registry is not REGISTRY:
            REGISTRY.unregister(self._collector)
            registry.register(self._collector)
        self.registry = registry
        _readers.add(self)

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        if metrics_data is not None and (identity.inherited or not _FILTERS_RESOURCES):
            metrics_data = _prepared(metrics_data)
        super()._receive_metrics(metrics_data, timeout_millis, **kwargs)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Leave the registry."""
        try:
            self.registry.unregister(self._collector)
        except KeyError:  # somebody has cleared the registry before us
            _log.debug("the collector had left its registry already")

    def leave_parent(self) -> None:
        """Let go of what a forked child shares with its parent, who goes on using it."""

    def resume(self) -> None:
        """Go on in a forked child."""


def readers() -> list[OpenRouterMetricReader]:
    """Readers of ours that are in use."""
    return list(_readers)


def forget(reader: OpenRouterMetricReader) -> None:
    """A reader is in use no longer."""
    _readers.discard(reader)


def _leave_parent() -> None:
    for reader in readers():
        reader.leave_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_parent)


def _prepared(data: MetricsData) -> MetricsData:
    """Metrics without a parent's points and, for exporters that cannot do it, with complete labels on every point."""
    return dataclasses.replace(
        data,
        resource_metrics=[
            dataclasses.replace(
                resource,
                scope_metrics=[
                    dataclasses.replace(
                        scope, metrics=[m for metric in scope.metrics if (m := _metric(metric, resource))]
                    )
                    for scope in resource.scope_metrics
                ],
            )
            for resource in data.resource_metrics
        ],
    )


def _metric(metric: Metric, resource: ResourceMetrics) -> Metric | None:
    points: list[Any] = [
        point
        for point in metric.data.data_points
        if (point.attributes or {}).get(names.PROCESS) not in identity.inherited
    ]
    if not _FILTERS_RESOURCES:
        # Exporters before 0.64 make a family of their own for every set of labels, and know no resource labels.
        shared = {
            name: value for name, value in resource.resource.attributes.items() if name in names.RESOURCE_ATTRIBUTES
        }
        keys = dict.fromkeys((key for point in points for key in point.attributes or {}), "")
        points = [
            dataclasses.replace(point, attributes={**shared, **keys, **(point.attributes or {})}) for point in points
        ]
    data: Any = metric.data
    return dataclasses.replace(metric, data=dataclasses.replace(data, data_points=points)) if points else None
