"""Reads a Prometheus into `Evidence`: everything the model needs, and nothing it would have to ask for later.

The order of questions: its clock, since when it knows anything, every counter hour by hour, histograms at the few edges
the report needs, extremes, and how completely each process was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from openrouter_otel import names
from openrouter_otel.reporting import coverage, ledger, queries
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.coverage import Coverage, Presence
from openrouter_otel.reporting.edges import Slice, slices
from openrouter_otel.reporting.evidence import LONG_AGO, ROLLING, Evidence
from openrouter_otel.reporting.filters import Filters, Sieve
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import DAY, HOUR, Asked, Interval, month
from openrouter_otel.reporting.prometheus import Prometheus

MINUTE: Final = HOUR // 60
SECOND: Final = 1000
FEW: Final = 50
FINER: Final = (30 * DAY, DAY, HOUR, MINUTE, SECOND)
HOURLY: Final = tuple(
    metric.prometheus for metric in (names.REQUESTS, names.TOKENS, names.TOKENS_DETAIL, names.COST, names.ERRORS)
)
HISTOGRAMS: Final = (names.DURATION, names.FIRST_TOKEN, names.OUTPUT_RATE)
COARSE: Final = (
    *(f"{metric.prometheus}{part}" for metric in HISTOGRAMS for part in ("_sum", "_count", "_bucket")),
    names.DURATION_SQUARED.prometheus,
)


def read(source: Prometheus, asked: Asked, filters: Filters) -> Evidence:
    """Ask for everything; SourceError if the source fails, PeriodError if the period makes no sense at its clock."""
    now = source.now()
    period = asked.at(now)
    running = month(now, asked.tz)
    since = first_sample(source, now)
    sieve = Sieve(filters)
    books, seen = _books(source, asked, sieve, now, period, since)
    return Evidence(
        source=source.url,
        tz=asked.tz,
        now=now,
        period=period,
        previous=asked.before(period),
        month=running,
        explicit=asked.since is not None,
        data_since=since,
        books=books,
        shortest=_kept(
            _extremes(source, queries.smallest(names.DURATION_MIN.prometheus, _length(period)), period), sieve
        ),
        longest=_kept(
            _extremes(source, queries.largest(names.DURATION_MAX.prometheus, _length(period)), period), sieve
        ),
        coverage=seen,
        warnings=tuple(source.warnings),
        values=sieve.values,
    )


def first_sample(source: Prometheus, now: int) -> int | None:
    """Since when (ms, to the second) the source knows anything of ours; narrowed down in ever finer steps."""
    since, until = now - LONG_AGO, now
    for step in FINER:
        last = since + -(-(until - since) // step) * step
        found = source.range(queries.anything(step), since + step, last, step)
        points = [at for reading in found for at, _ in reading.points]
        if not points:
            return None
        since, until = min(points) - step, min(points)
    return since


def _books(
    source: Prometheus, asked: Asked, sieve: Sieve, now: int, period: Interval, since: int | None
) -> tuple[dict[str, Book], Coverage]:
    tz, previous, running = asked.tz, asked.before(period), month(now, asked.tz)
    if since is None:
        return {metric: Book() for metric in (*HOURLY, *COARSE)}, Coverage()
    rolling = [Interval(now - length, now) for length in ROLLING.values()]
    odd = {edge for interval in (period, previous, running, *rolling) for edge in (interval.since, interval.until)}
    by_hour = slices([period, running, Interval(now - max(ROLLING.values()), now)], odd, tz, since)
    at_edges = slices([], odd, tz, since)
    presence = Presence()
    books = {}
    for metric in HOURLY:
        batches = _batches(source, metric, by_hour)
        seen = presence.watching(batches) if metric == names.REQUESTS.prometheus else batches
        books[metric] = _book(seen, sieve)
    for metric in COARSE:
        # The CSV has a mean duration a day.
        pieces = by_hour if metric.endswith(("_sum", "_count")) else at_edges
        books[metric] = _book(_batches(source, metric, pieces), sieve)
    return books, _coverage(source, presence, by_hour, before=min(odd))


def _book(batches: Iterable[list[Reading]], sieve: Sieve) -> Book:
    raw: dict[Series, Mapping[str, str]] = {}

    def kept() -> Iterator[list[Reading]]:
        for batch in batches:
            asked_for = _kept(batch, sieve)
            for reading in asked_for:
                raw.setdefault(Series.of(reading.labels), reading.labels)
            yield asked_for

    return Book(ledger.entries(kept()), raw)


def _kept(batch: list[Reading], sieve: Sieve) -> list[Reading]:
    return [reading for reading in batch if sieve.keep(reading.labels)]


def _batches(source: Prometheus, metric: str, pieces: list[Slice]) -> Iterator[list[Reading]]:
    for piece in pieces:
        batch = []
        if piece.hours:
            batch += source.range(queries.last(metric, HOUR), piece.hours[0], piece.hours[-1], HOUR)
        for edge, before in piece.odd:
            batch += source.instant(queries.last(metric, edge - before), edge)
        yield batch


def _extremes(source: Prometheus, query: str, period: Interval) -> list[Reading]:
    return source.instant(query, period.until)


def _length(period: Interval) -> int:
    return period.until - period.since


def _coverage(source: Prometheus, presence: Presence, pieces: list[Slice], before: int) -> Coverage:
    started: dict[str, int] = {}
    for batch in presence.watching(_batches(source, names.PROCESS_START.prometheus, pieces)):
        started.update(coverage.starts(batch))
    born = {process: min(presence.seen[process]) for process in started}
    doubtful = [
        (process, start + coverage.PATIENCE)
        for process, start in started.items()
        if before < born[process] and start + coverage.PATIENCE < born[process]
    ]
    hours = sorted(hour for piece in pieces for hour in piece.hours)
    return Coverage(presence.gaps(hours), tuple(sorted(_late(source, doubtful, born, pieces))))


def _late(
    source: Prometheus, doubtful: list[tuple[str, int]], born: dict[str, int], pieces: list[Slice]
) -> Iterator[str]:
    """Those of the doubtful (process, latest good first scrape) that came late and had counted by then."""
    unseen: dict[int, list[str]] = {}
    for some in _few(doubtful):
        in_time = source.instant(queries.seen_at(some, coverage.PATIENCE), max(at for _, at in some))
        punctual = {reading.labels.get(names.PROCESS) for reading in in_time}
        for process in (process for process, _ in some if process not in punctual):
            unseen.setdefault(born[process], []).append(process)
    for edge, processes in unseen.items():
        reach = coverage.window(pieces, edge)
        for few in _few(processes):
            start, requests = (
                source.instant(queries.raw(metric.prometheus, few, reach), edge)
                for metric in (names.PROCESS_START, names.REQUESTS)
            )
            yield from coverage.had_counted(start, requests)


T = TypeVar("T")


def _few(many: list[T]) -> Iterator[list[T]]:
    """At most as many as one query should name."""
    for start in range(0, len(many), FEW):
        yield many[start : start + FEW]
