"""Reads windows from a source: in range queries of bounded size, a few at a time, halved where one is too much."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from typing import Final, TypeVar

from openrouter_otel.reporting import queries
from openrouter_otel.reporting.edges import runs
from openrouter_otel.reporting.identity import Labels, Raw, key
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import HOUR, Interval
from openrouter_otel.reporting.progress import Progress
from openrouter_otel.reporting.prometheus import Prometheus, TooMuch

AT_ONCE: Final = 2  # the source often has no more cores than we, and others to serve
AHEAD: Final = 3  # answers that wait for their turn
POINTS: Final = 168  # of one range query: a week of hours
SMALLEST: Final = HOUR // 12  # a window that is not halved any more
NAME: Final = "__name__"
T = TypeVar("T")
Query = Callable[[str, int], str]

# How a window's value comes from those of its two halves.
_WHOLE: Final[dict[Query, Callable[[str, str], str]]] = {
    queries.last: lambda _, later: later,
    queries.smallest: lambda one, other: min(one, other, key=Decimal),
    queries.largest: lambda one, other: max(one, other, key=Decimal),
    queries.shortest: lambda one, other: min(one, other, key=Decimal),
    queries.longest: lambda one, other: max(one, other, key=Decimal),
    queries.falls: lambda one, _: one,
    queries.anything: lambda one, _: one,
    queries.targets: lambda one, _: one,
}


class Fetcher:
    """Asks one source; safe to be used from several threads.

    Args:
        source: whom to ask.
        progress: told of every answer.
    """

    def __init__(self, source: Prometheus, progress: Progress) -> None:
        self.source = source
        self._progress = progress
        self._most = POINTS

    def windows(self, selector: str, windows: Iterable[Interval], query: Query = queries.last) -> list[Reading]:
        """One point per window in which a series has samples, at the window's end."""
        found = []
        for run in runs(windows):
            start = 0
            while start < len(run):
                some = run[start : start + self._most]
                found += self._run(selector, some, query)
                start += len(some)
        return found

    def _run(self, selector: str, run: list[Interval], query: Query) -> list[Reading]:
        length = run[0].until - run[0].since
        asked = query(selector, length)
        try:
            if len(run) == 1:
                found = self.source.instant(asked, run[0].until)
            else:
                found = self.source.range(asked, run[0].until, run[-1].until, length)
        except TooMuch:
            if len(run) > 1:
                half = len(run) // 2
                self._most = min(self._most, half)
                return self._run(selector, run[:half], query) + self._run(selector, run[half:], query)
            if length <= SMALLEST:
                raise
            return self._halves(selector, run[0], query)
        self._progress.step()
        return [nameless(reading) for reading in found]

    def _halves(self, selector: str, window: Interval, query: Query) -> list[Reading]:
        middle = (window.since + window.until) // 2
        whole: dict[Labels, Reading] = {}
        for half in (Interval(window.since, middle), Interval(middle, window.until)):
            for reading in self._run(selector, [half], query):
                raw, (_, text) = key(reading.labels), reading.points[0]
                if raw in whole:
                    text = _WHOLE[query](whole[raw].points[0][1], text)
                whole[raw] = Reading(reading.labels, [(window.until, text)])
        return list(whole.values())

    def instant(self, query: str, at: int) -> list[Reading]:
        """One query as it is."""
        found = self.source.instant(query, at)
        self._progress.step()
        return [nameless(reading) for reading in found]


def nameless(reading: Reading) -> Reading:
    """Without the metric's name, which some functions keep and others drop."""
    return Reading(Raw((name, text) for name, text in reading.labels.items() if name != NAME), reading.points)


def in_order(tasks: Iterable[Callable[[], T]]) -> Iterator[T]:
    """The tasks' results in their order, a few of them worked on ahead; the first failure ends it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(task))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
