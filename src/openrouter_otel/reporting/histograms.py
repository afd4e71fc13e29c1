"""Which buckets must be read, and where, so that the period's quantiles are exact without a scan of every bucket. Pure.

A histogram's buckets change only when its count does. So at either end of the period they are what they were when the
count last changed before: live processes show it right there, of the others the hour of their last change is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openrouter_otel import names
from openrouter_otel.reporting.identity import BUCKET, Labels, key
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import Interval


@dataclass
class Changes:
    """When each histogram's count last changed: up to the start of the period, and within it."""

    period: Interval
    before: dict[Labels, int] = field(default_factory=dict)
    within: dict[Labels, int] = field(default_factory=dict)

    def watch(self, readings: Iterable[Reading]) -> None:
        """Take in counts; later ones come later."""
        for labels, points in readings:
            if not labels.get(names.PROCESS):
                continue  # read day by day, like any counter that restarts
            raw = key(labels)
            for at, _ in points:
                if at <= self.period.since:
                    self.before[raw] = max(at, self.before.get(raw, at))
                elif at <= self.period.until:
                    self.within[raw] = max(at, self.within.get(raw, at))

    def first(self) -> dict[Labels, int]:
        """Histograms whose buckets at the start of the period matter."""
        return {raw: at for raw, at in self.before.items() if raw in self.within}


def histogram(labels: Mapping[str, str]) -> Labels:
    """The raw histogram that a bucket belongs to: the labels of its count."""
    return key({name: text for name, text in labels.items() if name != BUCKET})


Buckets = dict[Labels, list[Reading]]


def grouped(readings: Iterable[Reading], wanted: Mapping[Labels, int], edge: int) -> Buckets:
    """Buckets by histogram: those of the wanted ones, seen between their last change and an edge."""
    found: Buckets = {}
    for reading in readings:
        raw = histogram(reading.labels)
        if raw in wanted and wanted[raw] <= reading.points[0][0] <= edge:
            found.setdefault(raw, []).append(reading)
    return found


def packed(buckets: Buckets) -> list[Reading]:
    """All buckets of a histogram as one point, to be kept in little space."""
    found = []
    for raw, readings in buckets.items():
        text = " ".join(f"{labels.get(BUCKET, '')}={points[0][1]}" for labels, points in readings)
        found.append(Reading(dict(raw), [(readings[0].points[0][0], text)]))
    return found


def unpacked(kept: Iterable[Reading], wanted: Mapping[Labels, int], edge: int) -> Buckets:
    """The same again; of the wanted histograms, seen between their last change and an edge."""
    found: Buckets = {}
    for labels, points in kept:
        raw = key(labels)
        for at, texts in points:
            if raw in wanted and wanted[raw] <= at <= edge:
                pairs = (bucket.partition("=") for bucket in texts.split(" "))
                found[raw] = [Reading({**labels, BUCKET: bound}, [(at, text)]) for bound, _, text in pairs]
    return found


def without(wanted: Mapping[Labels, int], found: Buckets) -> dict[Labels, int]:
    """What is still to be sought."""
    return {raw: at for raw, at in wanted.items() if raw not in found}


def last_sights(wanted: Mapping[Labels, int]) -> dict[int, list[str]]:
    """Processes by the edge at which one look shows the buckets of all their wanted histograms."""
    last: dict[str, int] = {}
    for raw, at in wanted.items():
        process = dict(raw)[names.PROCESS]
        last[process] = max(at, last.get(process, at))
    return _by_edge(last)


def single_sights(wanted: Mapping[Labels, int]) -> dict[int, list[str]]:
    """The same, each histogram at its own last change."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for raw, at in wanted.items():
        found[at].add(dict(raw)[names.PROCESS])
    return {at: sorted(processes) for at, processes in sorted(found.items())}


def _by_edge(last: Mapping[str, int]) -> dict[int, list[str]]:
    """Processes by edge, in order of time."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for process, at in last.items():
        found[at].append(process)
    return {at: sorted(found[at]) for at in sorted(found)}
