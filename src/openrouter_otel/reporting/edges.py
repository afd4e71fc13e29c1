"""Where time is cut: the edges between which the ledger books what was spent.

Hourly edges follow the local clock (also in half-hour zones) and are read by range queries, a week at a time; odd edges
(the asked period, the rolling 24 hours ...) are read one by one. The hour grid starts anew at every local midnight, so
days of 23 and 25 hours come out right. Pure; all numbers are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Final

from openrouter_otel.reporting.period import HOUR, Interval, local, midnight

CHUNK: Final = 168  # points of one range query: a week stays within every default limit of Prometheus


@dataclass
class Slice:
    """Edges to read in one go, all of them later than those of the slice before.

    Attributes:
        hours: consecutive hourly edges; the window of each is the hour before it.
        odd: further edges, each with the edge before it, where its window begins.
    """

    hours: list[int] = field(default_factory=list)
    odd: list[tuple[int, int]] = field(default_factory=list)


def slices(hourly: Iterable[Interval], odd: Iterable[int], tz: tzinfo, data_since: int) -> list[Slice]:
    """Cut time for one metric.

    Args:
        hourly: where every hour counts.
        odd: further edges.
        tz: the zone whose hours and midnights are edges.
        data_since: nothing is known up to here; the first window begins here and earlier edges are left out.
    """
    grid = {hour for interval in hourly for hour in _hours(interval, tz) if hour > data_since}
    cut: list[Slice] = []
    before = data_since
    for edge in sorted(grid.union(edge for edge in odd if edge > data_since)):
        if not cut or (edge in grid and not _continues(cut[-1], edge)):
            cut.append(Slice())
        if edge in grid:
            cut[-1].hours.append(edge)
        else:
            cut[-1].odd.append((edge, before))
        before = edge
    return cut


def _continues(piece: Slice, edge: int) -> bool:
    return not piece.hours or (edge - piece.hours[-1] == HOUR and len(piece.hours) < CHUNK)


def _hours(interval: Interval, tz: tzinfo) -> Iterator[int]:
    day = local(interval.since, tz).date()
    while (start := midnight(day, tz)) <= interval.until:
        day += timedelta(days=1)
        yield from (hour for hour in range(start, midnight(day, tz), HOUR) if hour in interval)
