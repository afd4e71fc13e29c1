"""Reads a Prometheus into `Evidence`: everything the model needs, and nothing it would have to ask for later.

The order of questions: its clock, since when it knows anything, which processes began anew, every counter day by day
(requests hour by hour), histograms at the two ends of the period, extremes, and how completely each process was seen.
What the cache knows is not asked again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import beginnings, extremes, queries
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.cache import Cache, DamagedError
from openrouter_otel.reporting.coverage import Coverage
from openrouter_otel.reporting.distributions import Histograms
from openrouter_otel.reporting.edges import Frame, hours
from openrouter_otel.reporting.evidence import ROLLING, Evidence
from openrouter_otel.reporting.fetching import Fetcher
from openrouter_otel.reporting.filters import Filters, Sieve
from openrouter_otel.reporting.histograms import Changes
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import DAY, HOUR, Asked, Interval, month
from openrouter_otel.reporting.pieces import Plan, checks
from openrouter_otel.reporting.progress import Progress
from openrouter_otel.reporting.prometheus import Prometheus
from openrouter_otel.reporting.reader import CHECKS, STARTS, Reader
from openrouter_otel.reporting.restarts import Restarts
from openrouter_otel.reporting.scope import Scope
from openrouter_otel.reporting.stretches import REQUESTS

HOURLY: Final = tuple(
    metric.prometheus
    for metric in (names.REQUESTS, names.TOKENS, names.TOKENS_DETAIL, names.COST, names.ERRORS, names.RESOLVED)
)
HISTOGRAMS: Final = (names.DURATION, names.FIRST_TOKEN, names.OUTPUT_RATE)
COARSE: Final = (
    *(f"{metric.prometheus}{part}" for metric in HISTOGRAMS for part in ("_sum", "_count", "_bucket")),
    names.DURATION_SQUARED.prometheus,
)
# Under a filter by user: what is not kept by user tells of others too.
NOBODYS: Final = {
    name: Book()
    for metric in (*HISTOGRAMS, names.DURATION_SQUARED)
    for name in COARSE
    if name.startswith(metric.prometheus) and not metric.user
}
# What these tell decides how the others are read.
FIRST: Final = (Plan(STARTS, hourly=True, watched=True), Plan(REQUESTS, hourly=True, watched=True))
FORGETFUL: Final = DAY  # what is older than this a source may have forgotten since
OTHER_SOURCE: Final = (
    "the cache was discarded and made anew: what it knew of this address is not what the source says now"
)


def read(source: Prometheus, asked: Asked, filters: Filters, cache: Path | None = None) -> Evidence:
    """Ask for everything; SourceError if the source fails, PeriodError if the period makes no sense at its clock.

    Args:
        source: whom to ask.
        asked: the period.
        filters: which series the report is about.
        cache: the file that remembers what closed hours told; None for none.
    """
    progress = Progress.to_terminal()
    kept = Cache(cache, source.key, str(asked.tz))
    try:
        scan = _Scan(source, asked, filters, kept, progress)
        try:
            return scan.evidence()
        except DamagedError as error:
            kept.rebuild(str(error))
            return scan.evidence()
    finally:
        kept.close()
        progress.done()


class _Scan:
    """One reading of one source."""

    def __init__(self, source: Prometheus, asked: Asked, filters: Filters, cache: Cache, progress: Progress) -> None:
        self._source = source
        self._asked = asked
        self._sieve = Sieve(filters)
        self._of_one_user = filters.by_user
        self._cache = cache
        self._progress = progress
        self._fetch = Fetcher(source, progress)
        self._now = source.now()
        self._period = asked.at(self._now)
        self._previous = asked.before(self._period)
        self._month = month(self._now, asked.tz)
        self._restarts = Restarts()
        self._books: dict[str, Book] = {metric: Book() for metric in (*HOURLY, *COARSE)}
        self._shortest: list[Reading] = []
        self._longest: list[Reading] = []
        self._coverage = Coverage()

    def evidence(self) -> Evidence:
        """Everything."""
        self._verify()
        known = self._cache.known
        since = known.since if known else beginnings.first_sample(self._fetch, self._now)
        if since is not None:
            frame = self._frame(since, known.until if known else since)
            self._read(frame)
            if frame.closed > frame.covered:
                self._cache.commit(Interval(since, frame.closed))
        if self._of_one_user:
            self._books |= NOBODYS
            self._shortest, self._longest = [], []
        return Evidence(
            source={"kind": "prometheus", "url": self._source.url},
            tz=self._asked.tz,
            now=self._now,
            period=self._period,
            previous=self._previous,
            month=self._month,
            explicit=self._asked.since is not None,
            data_since=since,
            books=self._books,
            distributions=Histograms(self._books, self._period, self._shortest, self._longest),
            coverage=self._coverage,
            warnings=tuple(self._source.warnings),
            values=self._sieve.values,
            restarts=self._restarts,
            notes=tuple(self._cache.notes),
        )

    def _read(self, frame: Frame) -> None:
        scope = Scope(self._fetch, frame, self._sieve, self._cache, self._restarts, self._progress)
        reader = Reader(scope)
        begun: dict[str, int] = {}
        for plan, stretches in reader.stretches(FIRST):
            if plan.metric == STARTS:
                begun = reader.starts(stretches)
            else:
                self._books[plan.metric] = reader.requests(stretches)
        changes = Changes(self._period)
        for plan, stretches in reader.stretches(_plans()):
            if plan.nameless:
                self._books[plan.metric] = reader.buckets(plan.metric, changes, stretches)
                continue
            if plan.last_of_day:
                changes = Changes(self._period)
                stretches = reader.watched(stretches, changes)
            self._books[plan.metric] = reader.book(plan, stretches)
        self._shortest = extremes.read(scope, names.DURATION_MIN.prometheus, queries.shortest, self._period)
        self._longest = extremes.read(scope, names.DURATION_MAX.prometheus, queries.longest, self._period)
        shown = (self._period.since, self._month.since, self._now - max(ROLLING.values()))
        self._coverage = reader.coverage(begun, Interval(min(shown), self._now))

    def _frame(self, since: int, covered: int) -> Frame:
        rolling = [Interval(self._now - length, self._now) for length in ROLLING.values()]
        about = (self._period, self._previous, self._month, *rolling)
        odd = {edge for interval in about for edge in (interval.since, interval.until)}
        odd |= self._asked.besides(self._now)
        return Frame(self._asked.tz, since, covered, self._now, tuple(sorted(odd)))

    def _verify(self) -> None:
        """Read two cached hours again: another Prometheus may answer at this address now."""
        told = {int(at): tuple(told) for _, all_ in self._cache.values(CHECKS) for at, told in all_.items()}
        edges = sorted(told)
        for at in {*edges[-1:], *edges[len(edges) // 2 :][:1]}:
            window = hours(Interval(at - HOUR, at), self._asked.tz)[-1]
            found = checks(self._fetch.windows(REQUESTS, [window])).get(at)
            if found != told[at] and not (found is None and at < self._now - FORGETFUL):
                self._cache.discard(OTHER_SOURCE)
                return


def _plans() -> list[Plan]:
    """Every other metric, in the order of reading; a histogram's buckets after its counts."""
    plans = [Plan(metric) for metric in (*HOURLY, names.DURATION_SQUARED.prometheus) if metric != REQUESTS]
    for metric in HISTOGRAMS:
        plans += [
            Plan(f"{metric.prometheus}_sum"),
            Plan(f"{metric.prometheus}_count", hourly=True, last_of_day=True),
            Plan(f"{metric.prometheus}_bucket", nameless=True),
        ]
    return plans
