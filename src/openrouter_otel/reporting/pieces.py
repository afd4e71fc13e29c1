"""Reads one metric over one stretch of time, such that the ledger can book it: whatever tells its processes apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import queries, restarts, values
from openrouter_otel.reporting.edges import Frame, cut, days, hours
from openrouter_otel.reporting.fetching import Fetcher
from openrouter_otel.reporting.identity import Labels
from openrouter_otel.reporting.ledger import NOT_COUNTED, Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.queries import INSTANCE, JOB
from openrouter_otel.reporting.restarts import Restarts

FEW: Final = 50  # terms of one query


@dataclass(frozen=True)
class Plan:
    """How a metric is read.

    Attributes:
        metric: its name.
        hourly: whether each hour counts, rather than each local day.
        watched: whether its samples tell when a process was seen.
        last_of_day: of each day only the hour of the last change is kept.
        nameless: only series without a `process` label.
    """

    metric: str
    hourly: bool = False
    watched: bool = False
    last_of_day: bool = False
    nameless: bool = False

    @property
    def selector(self) -> str:
        """What to ask for."""
        return queries.without_process(self.metric) if self.nameless else self.metric


@dataclass
class Found:
    """What one stretch of one metric told.

    Attributes:
        readings: points of each series; what did not change within the stretch is left out.
        seen: the edges before which each process was seen.
        checks: by hourly edge, how many series there were and the sum of their values.
    """

    readings: list[Reading] = field(default_factory=list)
    seen: dict[str, set[int]] = field(default_factory=dict)
    checks: dict[int, tuple[int, float]] = field(default_factory=dict)


class Pieces:
    """Reads metrics piece by piece; safe to be used from several threads once `restarts` is complete.

    Args:
        fetcher: whom to ask.
        frame: all the time there is.
        begun: when processes without a name began anew.

    Attributes:
        fallen: processes whose counters were seen to fall, which none should: they are read hour by hour.
    """

    def __init__(self, fetcher: Fetcher, frame: Frame, begun: Restarts) -> None:
        self._fetch = fetcher
        self._frame = frame
        self._restarts = begun
        self.fallen: frozenset[str] = frozenset()

    def piece(self, plan: Plan, span: Interval) -> Found:
        """A stretch of the grid."""
        grid = hours if plan.hourly else days
        windows = cut(grid(span, self._frame.tz), [self._frame.closed])
        found = self._read(plan, windows, cut(cut(hours(span, self._frame.tz), [self._frame.closed]), self._frame.odd))
        if plan.watched:
            found.seen = self._seen(found.readings)
        return Found([self._changes(plan, reading) for reading in found.readings], found.seen, found.checks)

    def heads(self, plan: Plan) -> list[Reading]:
        """What odd edges need besides the grid."""
        windows = self._frame.odd_hours() if plan.hourly else self._frame.odd_days()
        return self._read(plan, windows, self._frame.odd_hours()).readings

    def _read(self, plan: Plan, windows: list[Interval], finer: list[Interval]) -> Found:
        readings = self._fetch.windows(plan.selector, windows)
        sums = checks(readings) if plan.watched else {}
        if self.fallen and not plan.hourly:
            readings = [reading for reading in readings if reading.labels.get(names.PROCESS) not in self.fallen]
            readings += self._fetch.windows(queries.of_processes(plan.metric, self.fallen), finer)
        nameless = [reading for reading in readings if not reading.labels.get(names.PROCESS)]
        if not nameless:
            return Found(readings, checks=sums)
        named = [reading for reading in readings if reading.labels.get(names.PROCESS)]
        told = [reading for reading in nameless if self._restarts.tells(reading.labels)]
        found = named + list(self._between_restarts(plan.metric, told, windows))
        if len(told) < len(nameless):
            found += [one for one in self._by_values(plan.metric, finer) if not self._restarts.tells(one.labels)]
        return Found(found, checks=sums)

    def _between_restarts(self, metric: str, told: list[Reading], windows: list[Interval]) -> Iterator[Reading]:
        """Windows in which a process began anew are read in parts, one on each side of the boundary."""
        parted = defaultdict(list)
        for one in {restarts.target(reading.labels) for reading in told}:
            for window in windows:
                if boundaries := self._restarts.within(dict(one), window):
                    parted[one].append((window, cut([window], boundaries)))
        for labels, points in told:
            untrue = {window.until for window, _ in parted.get(restarts.target(labels), ())}
            yield Reading(labels, [point for point in points if point[0] not in untrue])
        parts = {one: [part for _, cuts in found for part in cuts] for one, found in parted.items()}
        for turn in range(max((len(found) for found in parts.values()), default=0)):
            asked = [(one, found[turn]) for one, found in parts.items() if turn < len(found)]
            for start in range(0, len(asked), FEW):
                yield from self._parts(metric, asked[start : start + FEW])

    def _parts(self, metric: str, asked: list[tuple[Labels, Interval]]) -> Iterator[Reading]:
        query = queries.at_instants(
            (queries.of_target(metric, dict(one)), part.until - part.since, part.until) for one, part in asked
        )
        ends = {one: part.until for one, part in asked}
        for labels, points in self._fetch.instant(query, self._frame.now):
            yield Reading(labels, [(ends[restarts.target(labels)], text) for _, text in points])

    def _by_values(self, metric: str, windows: list[Interval]) -> list[Reading]:
        selector = queries.without_process(metric)
        lasts, lowest = (self._fetch.windows(selector, windows, query) for query in (queries.last, queries.smallest))
        falls = self._fetch.windows(selector, windows, queries.falls)
        lengths = {window.until: window.until - window.since for window in windows}
        samples = []
        for where in {(restarts.target(labels), at) for labels, points in falls for at, _ in points}:
            target, at = dict(where[0]), where[1]
            query = queries.raw(queries.of_target(metric, target), lengths[at])
            samples += self._fetch.instant(query, at)
        return values.points(lasts, lowest, values.fallen(falls), samples)

    def _seen(self, readings: Iterable[Reading]) -> dict[str, set[int]]:
        seen: defaultdict[str, set[int]] = defaultdict(set)
        for labels, points in readings:
            # Of a target whose restarts nobody knows a silence says nothing.
            if process := labels.get(names.PROCESS) or (self._restarts.tells(labels) and labels.get(INSTANCE)):
                seen[process].update([at for at, _ in points])
        return seen

    def _changes(self, plan: Plan, reading: Reading) -> Reading:
        if not reading.labels.get(names.PROCESS):
            return reading  # the same value after a restart is another one
        kept, last = [], ""
        for point in reading.points:
            if point[1] != last:
                kept.append(point)
                last = point[1]
        if plan.last_of_day:
            day = self._frame.cell
            kept = [one for one, after in zip_longest(kept, kept[1:]) if after is None or day(one[0]) != day(after[0])]
        return Reading(reading.labels, kept)


def learn_restarts(fetcher: Fetcher, frame: Frame, begun: Restarts) -> None:
    """Find out when the targets of series without a `process` label began anew since the cache knows."""
    span = Interval(frame.covered, frame.now)
    found: set[tuple[str, str]] = set()
    for metric in (names.REQUESTS.prometheus, names.PROCESS_START.prometheus):
        selector = queries.without_process(metric)
        for labels, _ in fetcher.windows(selector, days(span, frame.tz), queries.targets):
            found.add((labels.get(JOB, ""), labels.get(INSTANCE, "")))
    instances = {instance for _, instance in found if instance}
    if not instances:
        return
    windows = hours(span, frame.tz)
    for metric in (names.PROCESS_START.prometheus, queries.OTHERS_START):
        selector = queries.of_targets(metric, instances)
        lowest, highest = (fetcher.windows(selector, windows, query) for query in (queries.smallest, queries.largest))
        wanted = [reading for reading in lowest if (reading.labels.get(JOB, ""), reading.labels[INSTANCE]) in found]
        others = [reading for reading in highest if (reading.labels.get(JOB, ""), reading.labels[INSTANCE]) in found]
        lengths = {window.until: window.until - window.since for window in windows}
        samples: list[Reading] = []
        for one, at in list(begun.doubtful(wanted, others)):
            samples += fetcher.instant(queries.raw(queries.of_target(metric, dict(one)), lengths[at]), at)
        begun.learn(samples)
        # Our own start time is the better one: prometheus_client's is asked only where there is none.
        found = {(job, instance) for job, instance in found if not begun.tells({JOB: job, INSTANCE: instance})}
        instances = {instance for _, instance in found if instance}
        if not instances:
            return


def checks(readings: Iterable[Reading]) -> dict[int, tuple[int, float]]:
    """Of each edge how many series there were and the sum of their values: enough to tell one source from another."""
    counts: defaultdict[int, int] = defaultdict(int)
    sums: defaultdict[int, float] = defaultdict(float)
    for _, points in readings:
        for at, text in points:
            if text not in NOT_COUNTED:
                counts[at] += 1
                sums[at] += float(text)
    return {at: (count, sums[at]) for at, count in counts.items()}
