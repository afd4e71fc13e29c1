"""Makes books of metrics: what the cache knows, then what the source says, each booked in order of time."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any, Final, NamedTuple

from openrouter_otel import names
from openrouter_otel.reporting import beginnings, histograms, queries
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.cache import Cache
from openrouter_otel.reporting.coverage import PATIENCE, Coverage, Gap, Presence
from openrouter_otel.reporting.edges import Frame, cut, days, hours
from openrouter_otel.reporting.fetching import Fetcher, Query, in_order
from openrouter_otel.reporting.filters import Sieve
from openrouter_otel.reporting.identity import Labels, key
from openrouter_otel.reporting.ledger import EXACT, Entry, Ledger, Reading
from openrouter_otel.reporting.period import DAY, HOUR, Interval
from openrouter_otel.reporting.pieces import Found, Pieces, Plan, learn_restarts
from openrouter_otel.reporting.progress import Progress
from openrouter_otel.reporting.restarts import Restarts

REQUESTS: Final = names.REQUESTS.prometheus
STARTS: Final = names.PROCESS_START.prometheus
MANY: Final = 200  # processes one query may name
# Kinds of things in the cache besides the metrics themselves.
BY_HOUR, TOTALS, CHECKS, SEEN, LATE, OLDER, RESTARTS, UP = (
    "requests by hour", "requests of all", "checks", "seen", "late", "older", "restarts", "up",
)  # fmt: skip


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


class Reader:
    """Reads everything once, metric after metric, the next ones already being asked for.

    Args:
        fetch: whom to ask.
        frame: all the time there is.
        sieve: which series the books are about.
        cache: what is known already; told what is new.
        begun: filled with what start times tell.
        progress: told what is being read.
    """

    def __init__(
        self, fetch: Fetcher, frame: Frame, sieve: Sieve, cache: Cache, begun: Restarts, progress: Progress
    ) -> None:
        self._fetch = fetch
        self._frame = frame
        self._sieve = sieve
        self._cache = cache
        self._restarts = begun
        self._progress = progress
        self._pieces = Pieces(fetch, frame, begun)
        self._spans = frame.pieces()
        self._older: dict[str, int] = {}
        self._presence = Presence()

    def begin(self) -> None:
        """Learn what is needed to read anything else: processes older than the source, and restarts."""
        new = Interval(self._frame.covered, self._frame.closed)
        for _, older in self._cache.values(OLDER):
            self._older |= older
        if not self._cache.known:
            self._older = beginnings.older(self._fetch, self._frame.since)
            self._cache.keep_value(OLDER, new, self._older)
        for _, kept in self._cache.readings(RESTARTS):
            self._restarts.recall(kept)
        learn_restarts(self._fetch, self._frame, self._restarts)
        self._cache.keep(RESTARTS, new, self._restarts.readings(new))

    def stretches(self, plans: Iterable[Plan]) -> Iterator[tuple[Plan, Iterator[Stretch]]]:
        """Each plan with its stretches in order of time, which must be consumed before the next plan is."""
        plans = list(plans)
        answers = in_order(task for plan in plans for task in self._tasks(plan))
        for plan in plans:
            self._progress.part(plan.metric)
            yield plan, self._stretches(plan, answers)

    def _tasks(self, plan: Plan) -> Iterator[Callable[[], Any]]:
        yield partial(self._outside, plan)
        yield from (partial(self._pieces.piece, plan, span) for span in self._spans)

    def _outside(self, plan: Plan) -> tuple[list[Reading], list[Reading]]:
        """What was before the source's memory, and what odd edges need."""
        before: list[Reading] = []
        if self._older and not self._cache.known and not plan.nameless:
            selector = queries.of_processes(plan.metric, self._older)
            before = beginnings.before_memory(self._fetch, selector, self._frame.since, self._older)
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
        if plan.metric != REQUESTS:
            yield from ((span, readings, True) for span, readings in self._cache.readings(plan.metric))
            return
        fine = dict(self._cache.readings(BY_HOUR, self._is_fine))
        for span, readings in self._cache.readings(REQUESTS):
            yield (span, fine[span], True) if span in fine else (span, readings, False)

    def _is_fine(self, span: Interval) -> bool:
        return bool(self._sieve.wanted) or any(span.since < edge < span.until for edge in self._frame.odd)

    def book(self, plan: Plan, stretches: Iterable[Stretch]) -> Book:
        """A book of one metric."""
        ledger = Ledger(self._restarts)
        book = Book(raw=ledger.raw, cells=self._frame.cells)
        told = []
        for stretch in stretches:
            told.append(self._kept(stretch.readings))
            if stretch.found and self._closed(stretch.span):
                self._cache.keep(plan.metric, stretch.span, stretch.found.readings)
        book.settle(ledger.settle(told))
        return book

    def requests(self, stretches: Iterable[Stretch]) -> Book:
        """The book of requests, which knows hours too."""
        ledger = Ledger(self._restarts)
        whole = Ledger(self._restarts) if self._sieve.wanted else None
        book = Book(raw=ledger.raw, cells=self._frame.cells)
        totals = dict(self._cache.values(TOTALS))
        for span, readings, found, timed in stretches:
            entries = list(ledger.book(self._kept(readings)))
            book.add(entries, timed)
            if not timed:
                book.add_over_time({int(at): Decimal(amount) for at, amount in totals.get(span, {}).items()})
            of_all = list(whole.book(readings)) if whole else entries
            if found:
                self._saw(span, found, REQUESTS)
                if self._closed(span):
                    self._cache.keep_value(CHECKS, span, found.checks)
                    self._keep_by_day(span, found.readings, of_all)
        self._pieces.fallen = frozenset(series.process for series in book.resets if series.process)
        return book

    def _keep_by_day(self, span: Interval, readings: list[Reading], of_all: list[Entry]) -> None:
        for place, day in enumerate(days(span, self._frame.tz)):
            since = day.since if place else -1  # what is older than memory goes with the first day
            edges = [hour.until for hour in hours(day, self._frame.tz)]
            own = _within(readings, Interval(since, day.until))
            gained: defaultdict[int, Decimal] = defaultdict(Decimal)
            for entry in of_all:
                if since < entry.at <= day.until:
                    edge = entry.at if entry.at < day.since else edges[bisect_left(edges, entry.at)]
                    gained[edge] = EXACT.add(gained[edge], entry.amount)
            self._cache.keep(BY_HOUR, day, own)
            self._cache.keep(REQUESTS, day, [_last_only(reading) for reading in own])
            self._cache.keep_value(TOTALS, day, {at: str(amount) for at, amount in gained.items()})

    def _kept(self, readings: Iterable[Reading]) -> list[Reading]:
        if not self._sieve.wanted:
            return list(readings)
        return [reading for reading in readings if self._sieve.keep(reading.labels)]

    def _closed(self, span: Interval) -> bool:
        return span.until <= self._frame.closed

    def starts(self, stretches: Iterable[Stretch]) -> dict[str, int]:
        """When processes began that were first seen since the cache knows."""
        begun: dict[str, int] = {}
        for span, _, found, _ in stretches:
            if found:
                begun |= beginnings.starts(found.readings)
                self._saw(span, found, STARTS)
                if self._closed(span):
                    self._cache.keep(STARTS, span, found.readings)
        return begun

    def _saw(self, span: Interval, found: Found, metric: str) -> None:
        self._presence.add(found.seen)
        if self._closed(span):
            self._cache.keep_value(
                f"{SEEN} {metric}", span, {process: sorted(edges) for process, edges in found.seen.items()}
            )

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
        ledger = Ledger(self._restarts)
        book = Book(raw=ledger.raw, cells=self._frame.cells)
        period = changes.period
        sights = ((changes.first(), period.since), (changes.within, period.until))
        before, after = (self._sights(metric, self._asked_for(wanted), edge) for wanted, edge in sights)
        book.add(histograms.gains(before, after, period.until))
        for stretch in nameless:
            book.add(ledger.book(self._kept(stretch.readings)))
            if stretch.found and self._closed(stretch.span):
                self._cache.keep(metric, stretch.span, stretch.found.readings)
        return book

    def _asked_for(self, wanted: dict[Labels, int]) -> dict[Labels, int]:
        return {raw: at for raw, at in wanted.items() if self._sieve.keep(dict(raw))}

    def _sights(self, metric: str, wanted: dict[Labels, int], edge: int) -> histograms.Buckets:
        """Buckets as they were at an edge."""
        if not wanted:
            return {}
        window = [Interval(edge - PATIENCE, edge)]
        shown = self._fetch.windows(queries.with_process(metric), window) if edge > self._frame.since else []
        known = histograms.grouped(shown, wanted, edge)
        missing = histograms.without(wanted, known)
        kept = f"{metric} of the dead"
        for _, readings in self._cache.readings(kept):
            known |= histograms.unpacked(readings, missing, edge)
        missing = histograms.without(missing, known)
        for sights in (histograms.last_sights, histograms.single_sights):
            looks = [(at, few) for at, processes in sights(missing).items() for few in _few(processes)]
            answers = in_order(partial(self._look, metric, *look) for look in looks)
            for (at, _), readings in zip(looks, answers, strict=True):
                found = histograms.grouped(readings, missing, edge)
                known |= found
                if at <= self._frame.closed:
                    self._cache.keep(kept, Interval(at - 1, at), histograms.packed(found, at))
            missing = histograms.without(missing, known)
        return known

    def _look(self, metric: str, at: int, processes: list[str]) -> list[Reading]:
        """Buckets of some processes in the hour that ends at an edge."""
        selector = queries.of_processes(metric, processes)
        if at < self._frame.since:
            return beginnings.before_memory(self._fetch, selector, self._frame.since, self._older)
        return self._fetch.windows(selector, [Interval(at - HOUR, at)])

    def extremes(self, metric: str, query: Query, period: Interval) -> list[Reading]:
        """A gauge's readings over the period, day by day; `query` tells which extreme of a window."""
        grid = partial(days, tz=self._frame.tz)
        first, last = Interval(period.since, period.since + 1), Interval(period.until - 1, period.until)
        whole = Interval(_day_of(grid, first).until, _day_of(grid, last).since)
        cuts = []
        if _day_of(grid, first).since == period.since:
            whole = Interval(period.since, whole.until)
        else:
            cuts.append(Interval(period.since, min(whole.since, period.until)))
        if period.until == self._frame.now or _day_of(grid, last).until == period.until:
            whole = Interval(whole.since, period.until)
        elif whole.until >= whole.since:
            cuts.append(Interval(whole.until, period.until))
        found = [reading for _, kept in self._cache.readings(metric) for reading in _within(kept, whole)]
        tasks = [partial(self._extremes, metric, query, span) for span in self._spans]
        for span, readings in zip(self._spans, in_order(tasks), strict=True):
            if self._closed(span):
                self._cache.keep(metric, span, readings)
            found += _within(readings, whole)
        for odd in cuts:
            found += self._fetch.windows(metric, [odd], query)
        return self._kept(found)

    def _extremes(self, metric: str, query: Query, span: Interval) -> list[Reading]:
        return self._fetch.windows(metric, cut(days(span, self._frame.tz), [self._frame.closed]), query)

    def coverage(self, begun: dict[str, int], shown: Interval) -> Coverage:
        """How completely each process was seen.

        Args:
            begun: when processes began that the cache does not know.
            shown: the time that the report tells of.
        """
        frame = self._frame
        for metric in (REQUESTS, STARTS):
            for _, seen in self._cache.values(f"{SEEN} {metric}"):
                self._presence.add(seen)
        new = Interval(frame.covered, frame.closed)
        since_when = {process: min(edges) for process, edges in self._presence.seen.items()}
        fresh = {
            process: start
            for process, start in begun.items()
            if process not in self._older and since_when[process] > frame.covered
        }
        late = {one for _, names_ in self._cache.values(LATE) for one in names_}
        now_late = set(beginnings.late(self._fetch, fresh, since_when))
        self._cache.keep_value(LATE, new, sorted(one for one in now_late if since_when[one] <= frame.closed))
        edges = [hour.until for hour in hours(Interval(max(shown.since, frame.since), frame.now), frame.tz)]
        return Coverage(
            gaps=tuple(gap for gap in self._presence.gaps(edges) if not self._began_anew(gap)),
            late=tuple(sorted(one for one in late | now_late if since_when[one] in shown)),
            older=tuple(sorted(self._older)),
            lost=self._presence.lost_tails(self._outages(edges)),
        )

    def _began_anew(self, gap: Gap) -> bool:
        """Whether a target was simply down: it came back as a new process."""
        window = Interval(gap.since - HOUR, gap.until + HOUR)
        return any(
            dict(one).get(queries.INSTANCE) == gap.process and self._restarts.within(dict(one), window)
            for one in self._restarts.known
        )

    def _outages(self, edges: list[int]) -> list[Gap]:
        """Whole hours in which the source scraped nothing at all."""
        seen = {at for _, kept in self._cache.values(UP) for at in kept}
        for span in self._spans:
            windows = hours(span, self._frame.tz)
            up = [at for one in self._fetch.windows("up", windows, queries.anything) for at, _ in one.points]
            seen.update(up)
            if self._closed(span):
                self._cache.keep_value(UP, span, up)
        source = Presence()
        source.add({"up": seen} if seen else {})
        return list(source.gaps(edges))


def _day_of(grid: Callable[[Interval], list[Interval]], instant: Interval) -> Interval:
    """The whole local day that an instant is in."""
    wide = Interval(instant.since - 2 * DAY, instant.until + 2 * DAY)
    return next(day for day in grid(wide) if instant.until in day)


def _by_edge(readings: Iterable[Reading]) -> dict[int, list[Reading]]:
    found: defaultdict[int, list[Reading]] = defaultdict(list)
    for labels, points in readings:
        for point in points:
            found[point[0]].append(Reading(labels, [point]))
    return found


def _inside(readings: dict[int, list[Reading]], span: Interval) -> list[Reading]:
    return [reading for at in sorted(readings) if at in span for reading in readings[at]]


def _within(readings: Iterable[Reading], span: Interval) -> list[Reading]:
    since, until = span.since, span.until
    found = []
    for labels, points in readings:
        if kept := [point for point in points if since < point[0] <= until]:
            found.append(Reading(labels, kept))
    return found


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


def _last_only(reading: Reading) -> Reading:
    labels, points = reading
    rises = all(Decimal(one[1]) <= Decimal(after[1]) for one, after in pairwise(points))
    return Reading(labels, points[-1:]) if rises and labels.get(names.PROCESS) else reading


def _few(many: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(many), MANY):
        yield many[start : start + MANY]
