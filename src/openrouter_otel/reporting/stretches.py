"""Metric after metric, stretch by stretch in order of time: what the cache knows first, then what the source says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from openrouter_otel import names
from openrouter_otel.reporting import beginnings, queries
from openrouter_otel.reporting.fetching import in_order
from openrouter_otel.reporting.identity import Labels, key
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.pieces import Found, Pieces, Plan
from openrouter_otel.reporting.scope import Scope

REQUESTS: Final = names.REQUESTS.prometheus
BY_HOUR: Final = "requests by hour"  # a kind of thing in the cache, beside the metrics themselves


class Stretch(NamedTuple):
    """Some time of one metric.

    Attributes:
        span: the time.
        readings: all that is to be booked of it.
        found: what is new of that; None: it is from the cache.
        timed: whether the readings tell every hour's changes.
    """

    span: Interval
    readings: list[Reading]
    found: Found | None = None
    timed: bool = True


class Stretches:
    """Reads everything once, the next stretches already being asked for.

    Args:
        scope: what is read.
        pieces: reads one stretch from the source.
        older: processes that had begun to count (ms) before the source's memory begins.
    """

    def __init__(self, scope: Scope, pieces: Pieces, older: Mapping[str, int]) -> None:
        self._scope = scope
        self._pieces = pieces
        self._older = older
        self._spans = scope.frame.pieces()

    def of(self, plans: Iterable[Plan]) -> Iterator[tuple[Plan, Iterator[Stretch]]]:
        """Each plan with its stretches, which must be consumed before the next plan is."""
        plans = list(plans)
        answers = in_order(task for plan in plans for task in self._tasks(plan))
        for plan in plans:
            self._scope.progress.part(plan.metric)
            yield plan, self._stretches(plan, answers)

    def _tasks(self, plan: Plan) -> Iterator[Callable[[], Any]]:
        yield partial(self._outside, plan)
        yield from (partial(self._pieces.piece, plan, span) for span in self._spans)

    def _outside(self, plan: Plan) -> tuple[list[Reading], list[Reading]]:
        """What was before the source's memory, and what odd edges need."""
        before: list[Reading] = []
        if self._older and not self._scope.cache.known and not plan.nameless:
            selector = queries.of_processes(plan.metric, self._older)
            before = beginnings.before_memory(self._scope.fetch, selector, self._scope.frame.since, self._older)
        return before, self._pieces.heads(plan)

    def _stretches(self, plan: Plan, answers: Iterator[Any]) -> Iterator[Stretch]:
        before, found_heads = next(answers)
        heads = _by_edge(found_heads)
        last: dict[Labels, str] = {}
        for span, readings, timed in self._cached(plan):
            for labels, points in readings:
                last[key(labels)] = points[-1][1]
            yield Stretch(span, readings + _inside(heads, span), timed=timed)
        for span in self._spans:
            found: Found = next(answers)
            found.readings = list(_news([*before, *found.readings], last))
            before = []
            yield Stretch(span, found.readings + _inside(heads, span), found)

    def _cached(self, plan: Plan) -> Iterator[tuple[Interval, list[Reading], bool]]:
        """What the cache knows; of requests hour by hour only where it matters."""
        cache = self._scope.cache
        if plan.metric != REQUESTS:
            yield from ((span, readings, True) for span, readings in cache.readings(plan.metric))
            return
        fine = dict(cache.readings(BY_HOUR, self._is_fine))
        for span, readings in cache.readings(REQUESTS):
            yield (span, fine[span], True) if span in fine else (span, readings, False)

    def _is_fine(self, span: Interval) -> bool:
        odd = self._scope.frame.odd
        return bool(self._scope.sieve.wanted) or any(span.since < edge < span.until for edge in odd)


def _by_edge(readings: Iterable[Reading]) -> dict[int, list[Reading]]:
    found: defaultdict[int, list[Reading]] = defaultdict(list)
    for labels, points in readings:
        for point in points:
            found[point[0]].append(Reading(labels, [point]))
    return found


def _inside(readings: dict[int, list[Reading]], span: Interval) -> list[Reading]:
    return [reading for at in sorted(readings) if at in span for reading in readings[at]]


def _news(readings: Iterable[Reading], last: dict[Labels, str]) -> Iterator[Reading]:
    """Readings without what is known already; `last` knows, and learns."""
    for labels, points in readings:
        if not points:
            continue
        if labels.get(names.PROCESS):
            raw = key(labels)
            kept = points[1:] if points[0][1] == last.get(raw) else points
            last[raw] = points[-1][1]
            if kept:
                yield Reading(labels, kept)
        else:
            yield Reading(labels, points)
