"""How completely each process was seen: gaps in its samples, and first scrapes that came late.

Totals survive both, since counters carry on; the hour and the day that an amount is booked on do not. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.edges import Slice
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
    """

    gaps: tuple[Gap, ...] = ()
    late: tuple[str, ...] = ()


@dataclass
class Presence:
    """The edges (ms) before which each process was seen."""

    seen: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def watching(self, batches: Iterable[list[Reading]]) -> Iterator[list[Reading]]:
        """Hand batches through and remember who was in them."""
        for batch in batches:
            for reading in batch:
                if process := reading.labels.get(names.PROCESS):
                    self.seen[process].update(at for at, _ in reading.points)
            yield batch

    def gaps(self, hours: list[int]) -> tuple[Gap, ...]:
        """What is missing between a process' first and last sight; `hours` are all hourly edges, sorted."""
        found: list[Gap] = []
        for process, seen in sorted(self.seen.items()):
            first, last = min(seen), max(seen)
            for hour in (hour for hour in hours if first < hour < last and hour not in seen):
                if found and found[-1].process == process and found[-1].until == hour - HOUR:
                    found[-1] = Gap(process, found[-1].since, hour)
                else:
                    found.append(Gap(process, hour - HOUR, hour))
        return tuple(found)


def starts(batch: Iterable[Reading]) -> dict[str, int]:
    """When each process began to count (ms), by its own word."""
    return {
        reading.labels[names.PROCESS]: round(Decimal(reading.points[0][1]) * 1000)
        for reading in batch
        if reading.labels.get(names.PROCESS) and reading.points and Decimal(reading.points[0][1]).is_finite()
    }


def window(pieces: Iterable[Slice], edge: int) -> int:
    """How far (ms) the window before an edge reaches back."""
    return max((edge - before for piece in pieces for at, before in piece.odd if at == edge), default=HOUR)


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
