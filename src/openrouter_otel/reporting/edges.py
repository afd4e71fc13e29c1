"""Where time is cut: the windows between whose edges the ledger books what was spent. Pure.

Days and hours follow the local clock, also in half-hour zones; the hour grid starts anew at every local midnight, so
days of 23 and 25 hours come out right, and where a clock moves by half an hour one window is as short as that. Odd
edges (the asked period, the rolling 24 hours ...) cut further. A window is half-open like every `Interval`; all numbers
are milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from functools import cached_property
from itertools import pairwise
from typing import Final

from openrouter_otel.reporting.period import HOUR, Interval, local, midnight

OUT_OF_ORDER: Final = HOUR // 6  # the longest out-of-order window we reckon with: an hour closes that much later
DAYS: Final = 7  # read in one go: a week stays within every default limit of Prometheus


def days(span: Interval, tz: tzinfo) -> list[Interval]:
    """The local days of a span, the first and the last cut at its ends."""
    return list(_days(span, tz))


def hours(span: Interval, tz: tzinfo) -> list[Interval]:
    """The hours of a span's local days, cut at its ends."""
    return [
        Interval(max(hour.since, span.since), min(hour.until, span.until))
        for whole in _whole_days(span, tz)
        for hour in _hours(whole, tz)
        if hour.since < span.until and hour.until > span.since
    ]


def cut(windows: Iterable[Interval], edges: Iterable[int]) -> list[Interval]:
    """The windows, further divided at those of the edges that are inside one."""
    return [part for window in windows for part in _parts(window, edges)]


def heads(windows: Iterable[Interval], edges: Iterable[int]) -> list[Interval]:
    """Of each window with edges inside, all parts but the last: what must be read besides the window itself."""
    return [part for window in windows for part in _parts(window, edges)[:-1]]


def runs(windows: Iterable[Interval]) -> list[list[Interval]]:
    """Windows of one length that follow each other: what one range query can read."""
    found: list[list[Interval]] = []
    for window in windows:
        last = found[-1][-1] if found else None
        if last and last.until == window.since and last.until - last.since == window.until - window.since:
            found[-1].append(window)
        else:
            found.append([window])
    return found


@dataclass(frozen=True)
class Frame:
    """All the time a report is about.

    Attributes:
        tz: the zone of days and hours.
        since: nothing is known up to here.
        covered: up to here everything is in the cache; `since` without one.
        now: the last edge.
        odd: edges that are no local midnight, such as those of the rolling intervals.
    """

    tz: tzinfo
    since: int
    covered: int
    now: int
    odd: tuple[int, ...]

    @cached_property
    def closed(self) -> int:
        """The last hourly edge up to which no sample can come any more."""
        before = self.now - OUT_OF_ORDER
        edges = [hour.until for hour in hours(Interval(before - 2 * HOUR, before + HOUR), self.tz)]
        return max(self.covered, max(edge for edge in edges if edge <= before))

    @cached_property
    def cells(self) -> list[int]:
        """Every edge between which a series' amounts are kept apart, from `since` on, sorted."""
        known = Interval(self.since, self.now)
        grid = {day.until for day in days(known, self.tz)}
        return sorted({self.since, *grid, *(edge for edge in self.odd if edge in known)})

    def cell(self, at: int) -> int:
        """The end of the cell that an instant is in; what is outside all cells stays where it is."""
        cells = self.cells
        return at if at < cells[0] or at > cells[-1] else cells[bisect_left(cells, at)]

    def pieces(self) -> list[Interval]:
        """What is to be read anew, some days at a time."""
        new = cut(days(Interval(self.covered, self.now), self.tz), [self.closed])
        closed, open_ = (
            [day for day in new if day.until <= self.closed],
            [day for day in new if day.until > self.closed],
        )
        groups = [*(closed[start : start + DAYS] for start in range(0, len(closed), DAYS)), open_]
        return [Interval(group[0].since, group[-1].until) for group in groups if group]

    def odd_days(self) -> list[Interval]:
        """What to read so that every odd edge is an edge where the grid is local days."""
        return heads(self._around(whole=True), self.odd)

    def odd_hours(self) -> list[Interval]:
        """The same where the grid is hours."""
        return heads(self._around(whole=False), self.odd)

    def _around(self, whole: bool) -> Iterator[Interval]:
        """The windows that the odd edges are in, as they were or will be read."""
        known = Interval(self.since, self.now)
        seen = set()
        for edge in sorted(edge for edge in self.odd if edge in known):
            for full in _whole_days(Interval(edge - 1, edge), self.tz):
                day = Interval(max(full.since, self.since), min(full.until, self.now))
                windows = [day] if whole else hours(day, self.tz)
                for window in (window for window in windows if edge in window and window not in seen):
                    seen.add(window)
                    yield window


def _parts(window: Interval, edges: Iterable[int]) -> list[Interval]:
    ends = [window.since, *sorted({edge for edge in edges if window.since < edge < window.until}), window.until]
    return [Interval(since, until) for since, until in pairwise(ends)]


def _days(span: Interval, tz: tzinfo) -> Iterator[Interval]:
    for whole in _whole_days(span, tz):
        if whole.since < span.until and whole.until > span.since:
            yield Interval(max(whole.since, span.since), min(whole.until, span.until))


def _hours(day: Interval, tz: tzinfo) -> Iterator[Interval]:
    start = day.since
    while start < day.until:
        clock = local(start, tz)
        end = min(start + HOUR - (clock.minute * 60 + clock.second) * 1000, day.until)
        yield Interval(start, end)
        start = end


def _whole_days(span: Interval, tz: tzinfo) -> Iterator[Interval]:
    day = local(span.since, tz).date()
    while (start := midnight(day, tz)) < span.until:
        day += timedelta(days=1)
        yield Interval(start, midnight(day, tz))
