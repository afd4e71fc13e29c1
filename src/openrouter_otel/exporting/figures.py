"""A journal's totals as families of points: series that differ in nothing that a metric shows are added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from openrouter_otel import names
from openrouter_otel.emit.series import Series
from openrouter_otel.exact import plus
from openrouter_otel.exporting.places import HISTOGRAM_SUMS, Place, Service
from openrouter_otel.exposition import HistogramPoint, Point
from openrouter_otel.journal.totals import Extremes, Totals
from openrouter_otel.settings import Settings

Families = list[tuple[names.Metric, list[Any]]]
"""Metrics with their points; one without any is left out."""

_COUNTERS: Final = tuple(m for m in (*names.USAGE_METRICS, names.RESOLVED) if m.kind == "counter")


class Figures:
    """Knows where everything in one journal goes.

    Args:
        identity: the journal's.
        began: tells when the first call of a service in an environment ended, seconds since the epoch.
        settings: the caps.
        versions: attributes of the build info.
    """

    def __init__(
        self,
        identity: str,
        began: Callable[[str, str], float | None],
        settings: Settings,
        versions: Mapping[str, str],
    ) -> None:
        self._identity = identity
        self._began = began
        self._settings = settings
        self._versions = versions
        self._services: dict[tuple[str, str], Service] = {}
        self._starts: dict[str, Point] = {}
        self._places: dict[int, list[Place]] = {}
        self._timed: dict[int, Series] = {}
        self._attributes: dict[Series, dict[str, str]] = {}

    def counted(self, totals: Totals) -> Families:
        """All that changes with the journal; totals must come in the order of their reading."""
        for id, stored in totals.series:
            self._admit(id, stored)
        return _filled([*self._counters(totals), *self._histograms(totals), *self._about_the_services()])

    def extremes(self, extremes: Iterable[Extremes]) -> Families:
        """The shortest and the longest of some calls."""
        shortest: dict[Series, float] = {}
        longest: dict[Series, float] = {}
        for id, low, high in extremes:
            series = self._timed.get(id)
            if series is not None:
                shortest[series] = min(low, shortest.get(series, low))
                longest[series] = max(high, longest.get(series, high))
        return _filled([(names.DURATION_MIN, self._points(shortest)), (names.DURATION_MAX, self._points(longest))])

    def _admit(self, id: int, stored: Mapping[str, str]) -> None:
        service = self._service(stored["service_name"], stored["environment"])
        self._places[id] = service.admit(stored)
        shown = [place.series for place in self._places[id]]
        if (timed := service.timed(stored)) is not None:
            self._timed[id] = timed
            shown.append(timed)
        for series in shown:
            if series not in self._attributes:
                self._attributes[series] = {**series.attributes, **service.resource}

    def _service(self, name: str, environment: str) -> Service:
        known = self._services.get((name, environment))
        if known is None:
            known = self._services[name, environment] = Service(
                self._identity, name, environment, first=not self._services, settings=self._settings
            )
            if (began := self._began(name, environment)) is not None:
                self._starts[known.process] = Point(known.attributes, began)
        return known

    def _counters(self, totals: Totals) -> Families:
        found: dict[names.Metric, dict[Series, Any]] = {metric: {} for metric in _COUNTERS}
        for id, sums in totals.sums.items():
            for metric, series, column, at_zero in self._places[id]:
                amount = sums[column]
                if metric in found and (amount or at_zero):
                    known = found[metric].get(series, 0)
                    found[metric][series] = plus(amount, known) if isinstance(amount, Decimal) else known + amount
        return [(metric, self._points(sums)) for metric, sums in found.items()]

    def _histograms(self, totals: Totals) -> Families:
        found = {metric: defaultdict[Series, _Histogram](partial(_Histogram, metric)) for metric in HISTOGRAM_SUMS}
        for id, places in self._places.items():
            for metric, series, column, _ in places:
                buckets = totals.buckets.get((id, metric.name)) if metric in found else None
                if buckets:
                    found[metric][series].add(buckets, totals.sums[id][column])
        return [
            (metric, [one.point(self._attributes[series]) for series, one in histograms.items()])
            for metric, histograms in found.items()
        ]

    def _about_the_services(self) -> Families:
        nobody = {names.PROCESS: self._identity}
        whose = [service.attributes for service in self._services.values()] or [nobody]
        built = [Point({**attributes, **self._versions}, 1.0) for attributes in whose]
        return [(names.BUILD_INFO, built), (names.PROCESS_START, list(self._starts.values()))]

    def _points(self, sums: Mapping[Series, Any]) -> list[Point]:
        return [Point(self._attributes[series], float(amount)) for series, amount in sums.items()]


class _Histogram:
    """The buckets of several series together."""

    def __init__(self, metric: names.Metric) -> None:
        self._bounds = metric.buckets
        self._counts: defaultdict[float, int] = defaultdict(int)
        self._sum = 0.0

    def add(self, buckets: Mapping[float, int], total: float) -> None:
        for bound, count in buckets.items():
            self._counts[bound] += count
        self._sum += total

    def point(self, attributes: Mapping[str, str]) -> HistogramPoint:
        counts = [self._counts.get(bound, 0) for bound in (*self._bounds, float("inf"))]
        return HistogramPoint(attributes, counts, self._bounds, self._sum)


def _filled(families: Families) -> Families:
    return [(metric, points) for metric, points in families if points]
