"""Makes books of metrics: each stretch booked in order of time, and remembered once its hours are closed."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import beginnings, histograms
from openrouter_otel.reporting.attendance import Attendance
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.coverage import Coverage
from openrouter_otel.reporting.edges import days, hours
from openrouter_otel.reporting.ledger import EXACT, Entry, Ledger, Reading, within
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.pieces import Pieces, Plan, learn_restarts
from openrouter_otel.reporting.scope import Scope
from openrouter_otel.reporting.sights import Sights
from openrouter_otel.reporting.stretches import BY_HOUR, REQUESTS, Stretch, Stretches

STARTS: Final = names.PROCESS_START.prometheus
# Kinds of things in the cache besides the metrics themselves.
TOTALS, CHECKS, OLDER, RESTARTS = "requests of all", "checks", "older", "restarts"


class Reader:
    """Reads everything once, metric after metric.

    Args:
        scope: what is read.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        older = _begun(scope)
        self._pieces = Pieces(scope.fetch, scope.frame, scope.restarts)
        self._stretches = Stretches(scope, self._pieces, older)
        self._attendance = Attendance(scope, older)
        self._sights = Sights(scope, older)

    def stretches(self, plans: Iterable[Plan]) -> Iterator[tuple[Plan, Iterator[Stretch]]]:
        """Each plan with its stretches in order of time, which must be consumed before the next plan is."""
        return self._stretches.of(plans)

    def book(self, plan: Plan, stretches: Iterable[Stretch]) -> Book:
        """A book of one metric."""
        ledger, book = self._empty()
        told = []
        for stretch in stretches:
            told.append(self._scope.kept(stretch.readings))
            if stretch.found:
                self._scope.remember(plan.metric, stretch.span, stretch.found.readings)
        book.settle(ledger.settle(told))
        return book

    def _empty(self) -> tuple[Ledger, Book]:
        ledger = Ledger(self._scope.restarts)
        return ledger, Book(raw=ledger.raw, cells=self._scope.frame.cells)

    def requests(self, stretches: Iterable[Stretch]) -> Book:
        """The book of requests, which knows hours too."""
        ledger, book = self._empty()
        whole = Ledger(self._scope.restarts) if self._scope.sieve.wanted else None
        totals = dict(self._scope.cache.values(TOTALS))
        for span, readings, found, timed in stretches:
            entries = list(ledger.book(self._scope.kept(readings)))
            book.add(entries, timed)
            if not timed:
                book.add_over_time({int(at): Decimal(amount) for at, amount in totals.get(span, {}).items()})
            of_all = list(whole.book(readings)) if whole else entries
            if found:
                self._attendance.saw(span, found, REQUESTS)
                self._scope.remember_value(CHECKS, span, found.checks)
                if self._scope.closed(span):
                    self._keep_by_day(span, found.readings, of_all)
        self._pieces.fallen = frozenset(series.process for series in book.resets if series.process)
        return book

    def _keep_by_day(self, span: Interval, readings: list[Reading], of_all: list[Entry]) -> None:
        cache, tz = self._scope.cache, self._scope.frame.tz
        for place, day in enumerate(days(span, tz)):
            since = day.since if place else -1  # what is older than memory goes with the first day
            edges = [hour.until for hour in hours(day, tz)]
            own = within(readings, Interval(since, day.until))
            gained: defaultdict[int, Decimal] = defaultdict(Decimal)
            for entry in of_all:
                if since < entry.at <= day.until:
                    edge = entry.at if entry.at < day.since else edges[bisect_left(edges, entry.at)]
                    gained[edge] = EXACT.add(gained[edge], entry.amount)
            cache.keep(BY_HOUR, day, own)
            cache.keep(REQUESTS, day, [_last_only(reading) for reading in own])
            cache.keep_value(TOTALS, day, {at: str(amount) for at, amount in gained.items()})

    def starts(self, stretches: Iterable[Stretch]) -> dict[str, int]:
        """When processes began that were first seen since the cache knows."""
        begun: dict[str, int] = {}
        for span, _, found, _ in stretches:
            if found:
                begun |= beginnings.starts(found.readings)
                self._attendance.saw(span, found, STARTS)
                self._scope.remember(STARTS, span, found.readings)
        return begun

    @staticmethod
    def watched(stretches: Iterable[Stretch], changes: histograms.Changes) -> Iterator[Stretch]:
        """Stretches of a histogram's count, handed through."""
        for stretch in stretches:
            changes.watch(stretch.readings)
            yield stretch

    def buckets(self, metric: str, changes: histograms.Changes, nameless: Iterable[Stretch]) -> Book:
        """The book of a histogram's buckets, over the period only.

        Args:
            metric: the buckets' name.
            changes: when each histogram changed.
            nameless: buckets without a `process` label, read like any counter.
        """
        ledger, book = self._empty()
        book.add(self._sights.gains(metric, changes))
        for stretch in nameless:
            book.add(ledger.book(self._scope.kept(stretch.readings)))
            if stretch.found:
                self._scope.remember(metric, stretch.span, stretch.found.readings)
        return book

    def coverage(self, begun: dict[str, int], shown: Interval) -> Coverage:
        """How completely each process was seen; see `Attendance.coverage`."""
        return self._attendance.coverage(begun, shown)


def _begun(scope: Scope) -> dict[str, int]:
    """Learn what is needed to read anything else: processes older than the source (returned), and restarts."""
    older: dict[str, int] = {}
    new = Interval(scope.frame.covered, scope.frame.closed)
    for _, known in scope.cache.values(OLDER):
        older |= known
    if not scope.cache.known:
        older = beginnings.older(scope.fetch, scope.frame.since)
        scope.cache.keep_value(OLDER, new, older)
    for _, kept in scope.cache.readings(RESTARTS):
        scope.restarts.recall(kept)
    learn_restarts(scope.fetch, scope.frame, scope.restarts)
    scope.cache.keep(RESTARTS, new, scope.restarts.readings(new))
    return older


def _last_only(reading: Reading) -> Reading:
    labels, points = reading
    rises = all(Decimal(one[1]) <= Decimal(after[1]) for one, after in pairwise(points))
    return Reading(labels, points[-1:]) if rises and labels.get(names.PROCESS) else reading
