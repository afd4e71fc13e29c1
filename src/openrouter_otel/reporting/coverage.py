"""How completely each process was seen: gaps in its samples, and first scrapes that came late.

Totals survive both, since counters carry on; the hour and the day that an amount is booked on do not. Pure.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import HOUR

PATIENCE: Final = 5 * HOUR // 60  # a first scrape later than this after a process' start is late


@dataclass(frozen=True)
class Gap:
    """Whole hours (ms) in which a process had no sample though it had some before and after."""

    process: str
    since: int
    until: int


@dataclass(frozen=True)
class Coverage:
    """What was not seen in time.

    Attributes:
        gaps: by process and time.
        late: processes first scraped late, when they had already counted calls.
        older: processes that had counted before the source's memory begins.
        lost: processes last seen just before an outage of the source.
        unwritten: calls that a process could not write to its journal, by process.
        blurred: an end of the period lies within an hour of which only the sum is known, so the whole hour counts.
    """

    gaps: tuple[Gap, ...] = ()
    late: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    unwritten: Mapping[str, int] = field(default_factory=dict)
    blurred: bool = False


@dataclass
class Presence:
    """The edges (ms) before which each process was seen."""

    seen: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, seen: Mapping[str, Iterable[int]]) -> None:
        """Processes were seen."""
        for process, edges in seen.items():
            self.seen[process].update(edges)

    def gaps(self, hours: Sequence[int]) -> tuple[Gap, ...]:
        """What is missing between a process' first and last sight; `hours` are hourly edges in a row, sorted."""
        return tuple(gap for process in sorted(self.seen) for gap in self._gaps(process, hours))

    def _gaps(self, process: str, hours: Sequence[int]) -> Iterator[Gap]:
        seen = sorted(self.seen[process])
        for before, after in pairwise(seen):
            first, last = bisect_right(hours, before), bisect_left(hours, after)
            if first < last:
                yield Gap(process, hours[first] - HOUR, hours[last - 1])

    def lost_tails(self, outages: Iterable[Gap]) -> tuple[str, ...]:
        """Processes last seen just before nothing was scraped at all: what they counted afterwards nobody knows."""
        begun = {outage.since for outage in outages}
        return tuple(sorted(process for process, seen in self.seen.items() if max(seen) in begun))


def had_counted(start: Iterable[Reading], requests: Iterable[Reading]) -> set[str]:
    """Processes that had calls to show at the very first sample of theirs; both arguments are raw samples."""
    first: dict[str, int] = {}
    for reading in start:
        process = reading.labels.get(names.PROCESS, "")
        first[process] = min([*(at for at, _ in reading.points), first.get(process, reading.points[0][0])])
    return {
        process
        for reading in requests
        if (process := reading.labels.get(names.PROCESS, "")) in first
        and any(at <= first[process] and Decimal(text) > 0 for at, text in reading.points)
    }
