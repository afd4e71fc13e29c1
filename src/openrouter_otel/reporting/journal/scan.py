"""Reads a journal into `Evidence`: sums between the report's edges, and what only single calls can tell.

Whole hours come from the journal's own sums, so a report of a year reads little of it. What a pruning took away is
missed only by figures that need every call; each of these says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import accumulate, pairwise
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.coverage import Coverage
from openrouter_otel.reporting.distributions import Known, Values
from openrouter_otel.reporting.edges import days, hours
from openrouter_otel.reporting.evidence import ROLLING, Evidence, SingleCalls
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.journal import failures, sessions, values
from openrouter_otel.reporting.journal.opened import Journal, opened
from openrouter_otel.reporting.journal.series import METRICS, Share, series_of, shares
from openrouter_otel.reporting.journal.sums import NEVER, Sums, SumsReader
from openrouter_otel.reporting.ledger import EXACT, ZERO, Account
from openrouter_otel.reporting.period import Asked, Interval, iso, month
from openrouter_otel.reporting.trust import JOURNAL

# Metrics of which every day is told; the others are asked for whole intervals only.
_DAILY: Final = frozenset(
    {
        *(metric.prometheus for metric in (names.REQUESTS, names.ERRORS, names.TOKENS, names.COST)),
        *(f"{names.DURATION.prometheus}{part}" for part in ("_count", "_sum")),
    }
)

_TICK: Final = 60_000  # ms that clocks may differ by without a word
_Gained = dict[str, defaultdict[Series, dict[int, Decimal]]]  # by metric, whose, and edge


def read(path: str, asked: Asked, filters: Filters, top: int, now: int) -> Evidence:
    """Everything; SourceError if the journal cannot be read, PeriodError if the period makes no sense now.

    Args:
        path: the journal's file.
        asked: the period.
        filters: which calls the report is about.
        top: how many sessions it lists.
        now: the clock (ms).
    """
    period = asked.at(now)
    with localcontext(EXACT), opened(path, filters) as journal:
        return _Scan(journal, asked, period, now).evidence(top)


class _Scan:
    """One reading of one journal."""

    def __init__(self, journal: Journal, asked: Asked, period: Interval, now: int) -> None:
        self._journal = journal
        self._asked = asked
        self._now = now
        self._period = period
        self._previous = asked.before(period)
        self._month = month(now, asked.tz)
        rolling = [Interval(now - length, now) for length in ROLLING.values()]
        about = (period, self._previous, self._month, *rolling)
        odd = {edge for interval in about for edge in (interval.since, interval.until)}
        self._odd = sorted(odd | asked.besides(now))
        self._sums = SumsReader(journal)
        self._edges = sorted({*self._odd, *(day.until for day in days(period, asked.tz))})
        self._timed: dict[int, _Timed] = defaultdict(_Timed)

    def evidence(self, top: int) -> Evidence:
        """Everything."""
        journal, span = self._journal, self._span(self._period)
        books = self._books()
        return Evidence(
            source={"kind": "journal", "file": journal.path},
            tz=self._asked.tz,
            now=self._now,
            period=self._period,
            previous=self._previous,
            month=self._month,
            explicit=self._asked.since is not None,
            data_since=journal.data_since,
            books=books,
            distributions=self._distributions(span),
            coverage=Coverage(unwritten=journal.lost, blurred=self._is_blurred()),
            warnings=(),
            values=journal.sieve.values,
            notes=tuple(self._notes()),
            identity=JOURNAL,
            calls=SingleCalls(sessions.dearest(journal, span, top), failures.recent(journal, span)),
        )

    def _span(self, interval: Interval) -> Interval:
        """What to read for an interval; what ended later than now, by another clock, counts as of now."""
        span = self._journal.divided(interval)
        return Interval(span.since, NEVER) if interval.until == self._now else span

    def _books(self) -> dict[str, Book]:
        gained: _Gained = {metric: defaultdict(dict) for metric in METRICS}
        accounts = {
            sums.series: _Accounts(gained, shares(self._journal.labels[sums.series]), sums.amounts)
            for sums in self._sums.of_all_time
        }
        for since, until in pairwise(self._edges):
            coarse = self._odd[bisect_left(self._odd, until)]
            for sums in self._sums.within(self._span(Interval(since, until))):
                accounts[sums.series].add(until, coarse, sums.amounts)
                if until in self._period:
                    self._timed[sums.series].take(sums)
        for account in accounts.values():
            account.add_the_rest(self._edges[0])
        books = {metric: _book(by_series) for metric, by_series in gained.items()}
        books[names.REQUESTS.prometheus].add_over_time(dict(self._by_hour()))
        return books

    def _by_hour(self) -> Iterator[tuple[int, Decimal]]:
        """The period's calls by the end of their local hour."""
        since = self._journal.data_since
        for hour in hours(self._period, self._asked.tz):
            if since is not None and hour.until > since:
                yield hour.until, Decimal(self._sums.requests(self._span(hour)))

    def _distributions(self, span: Interval) -> Values:
        journal = self._journal
        durations = {} if self._is_pruned() else values.durations(journal, span)
        firsts, rates = ({}, {}) if self._is_pruned() else values.streams(journal, span)
        timed = (
            (series_of(labels), self._timed[number].known(durations.get(number, ())))
            for number, labels in journal.labels.items()
            if number in self._timed and labels[names.OUTCOME] == names.OK
        )
        return Values(
            {
                names.DURATION.prometheus: list(timed),
                names.FIRST_TOKEN.prometheus: values.known(journal, firsts),
                names.OUTPUT_RATE.prometheus: values.known(journal, rates),
            }
        )

    def _is_pruned(self) -> bool:
        """Whether calls of the period are known by their sums only."""
        return self._journal.complete_since > self._period.since

    def _is_blurred(self) -> bool:
        return self._journal.divided(self._period) != self._period

    def _notes(self) -> Iterator[str]:
        if self._is_pruned():
            since = iso(self._journal.complete_since // 1000 * 1000, self._asked.tz)
            yield (
                f"calls that ended before {since} were pruned, only their sums are kept: this period's quantiles are"
                " unknown, and sessions and recent errors are those of later calls"
            )
        if ahead := self._journal.later_than(self._now + _TICK):
            yield f"calls stamped later than now, by another clock: {ahead}; they count as of now"


class _Accounts:
    """Where one series' sums go.

    Args:
        gained: what is filled.
        parts: all that its sums are shared among.
        amounts: its sums of all time.
    """

    def __init__(self, gained: _Gained, parts: Iterable[Share], amounts: Mapping[str, Decimal]) -> None:
        self._rest = dict(amounts)
        self._parts = [
            (gained[part.metric][part.series], part.metric in _DAILY, part.column, part.less)
            for part in parts
            if part.column in amounts
        ]

    def add(self, edge: int, coarse: int, amounts: Mapping[str, Decimal]) -> None:
        """Add what was gained up to an edge; `coarse` is the next one for metrics that know no days."""
        for column, amount in amounts.items():
            self._rest[column] -= amount
        for by_edge, daily, column, less in self._parts:
            amount = amounts.get(column, ZERO)
            if less in amounts:
                amount -= amounts[less]
            if amount:
                at = edge if daily else coarse
                by_edge[at] = by_edge[at] + amount if at in by_edge else amount

    def add_the_rest(self, edge: int) -> None:
        """Add what is older than all that was added."""
        self.add(edge, edge, dict(self._rest))


class _Timed:
    """What sums tell of the durations of one series' calls."""

    def __init__(self) -> None:
        self.squares = ZERO
        self.extremes: list[float] = []

    def take(self, sums: Sums) -> None:
        self.squares += sums.amounts.get("seconds_squared", ZERO)
        self.extremes += [seconds for seconds in (sums.shortest, sums.longest) if seconds is not None]

    def known(self, ordered: Sequence[float]) -> Known:
        return Known(ordered, self.squares, min(self.extremes, default=None), max(self.extremes, default=None))


def _book(gained: Mapping[Series, dict[int, Decimal]]) -> Book:
    book = Book()
    book.settle(
        Account(series, edges, list(accumulate(by_edge[edge] for edge in edges)))
        for series, by_edge, edges in ((series, by_edge, sorted(by_edge)) for series, by_edge in gained.items())
    )
    return book
