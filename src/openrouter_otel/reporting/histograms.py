"""Which buckets must be read, and where, so that the period's quantiles are exact without a scan of every bucket. Pure.

A histogram's buckets change only when its count does. So at either end of the period they are what they were when the
count last changed before: live processes show it right there, of the others the hour of their last change is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from openrouter_otel import names
from openrouter_otel.reporting.identity import BUCKET, Labels, Series, key, normal_bound
from openrouter_otel.reporting.ledger import NOT_COUNTED, ZERO, Entry, Reading
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


Buckets = dict[Labels, dict[str, str]]  # raw histogram -> bound -> cumulative count, as texts


def grouped(readings: Iterable[Reading], wanted: Mapping[Labels, int], edge: int) -> Buckets:
    """Buckets by histogram: those of the wanted ones, seen between their last change and an edge."""
    found: Buckets = {}
    for labels, points in readings:
        raw = histogram(labels)
        if raw in wanted and wanted[raw] <= points[0][0] <= edge:
            found.setdefault(raw, {})[labels.get(BUCKET, "")] = points[0][1]
    return found


def packed(buckets: Buckets, at: int) -> list[Reading]:
    """All buckets of a histogram as one point, to be kept in little space."""
    return [
        Reading(dict(raw), [(at, " ".join(f"{bound}={text}" for bound, text in counts.items()))])
        for raw, counts in buckets.items()
    ]


def unpacked(kept: Iterable[Reading], wanted: Mapping[Labels, int], edge: int) -> Buckets:
    """The same again; of the wanted histograms, seen between their last change and an edge."""
    found: Buckets = {}
    for labels, points in kept:
        raw = key(labels)
        for at, texts in points:
            if raw in wanted and wanted[raw] <= at <= edge:
                found[raw] = dict(bucket.split("=", 1) for bucket in texts.split(" "))
    return found


def gains(before: Buckets, after: Buckets, at: int) -> Iterator[Entry]:
    """What the buckets gained, processes of one layout together: nobody asks for a single one.

    Args:
        before: cumulative counts at the start.
        after: the same at the end.
        at: the end (ms).
    """
    reached = _by_identity(after)
    begun = _by_identity(before)
    together: dict[tuple[Labels, tuple[str, ...]], Series] = {}
    gained: defaultdict[tuple[Series, str], Decimal] = defaultdict(Decimal)
    for one in sorted(reached, key=lambda series: series.labels):
        # One process stands for all that share labels and bounds: layouts must never mix.
        alike = one.without(names.PROCESS).labels, tuple(sorted(reached[one]))
        shown = together.setdefault(alike, one)
        past = begun.get(one, {})
        for bound, count in reached[one].items():
            gained[shown, bound] += max(ZERO, count - past.get(bound, ZERO))
    for (shown, bound), amount in gained.items():
        yield Entry(Series(key({**dict(shown.labels), BUCKET: bound})), at, amount, False)


def _by_identity(buckets: Buckets) -> dict[Series, dict[str, Decimal]]:
    """What was seen twice merged by maximum; bounds as every Prometheus might write them."""
    found: defaultdict[Series, dict[str, Decimal]] = defaultdict(dict)
    for raw, counts in buckets.items():
        reached = found[Series.of(dict(raw))]
        for text, count in counts.items():
            if count not in NOT_COUNTED:
                bound = normal_bound(text)
                reached[bound] = max(reached.get(bound, ZERO), Decimal(count))
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
