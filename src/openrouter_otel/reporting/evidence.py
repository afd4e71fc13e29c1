"""What a source told about usage: the hand-over from reading to reckoning. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.coverage import Coverage
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import DAY, Interval

LONG_AGO: Final = 5 * 366 * DAY
ROLLING: Final = {"last_24h": DAY, "last_7d": 7 * DAY, "last_30d": 30 * DAY}


@dataclass(frozen=True)
class Evidence:
    """What a source told about usage.

    Attributes:
        source: its address, without secrets.
        tz: the zone that days and hours are local to.
        now: the source's clock in ms.
        period: what was asked for.
        previous: the one before it, to compare with.
        month: the running local month, up to now.
        explicit: whether the start was asked for, rather than the default.
        data_since: the earliest sample in ms, None where there is none.
        books: entries by the metric's Prometheus name.
        shortest: readings of the minimum gauges in seconds over the period.
        longest: the same of the maximum.
        coverage: how completely processes were seen.
        warnings: what the source itself warned of.
        values: what the labels that were filtered by were seen to be, by label (`filters.Sieve`).
    """

    source: str
    tz: tzinfo
    now: int
    period: Interval
    previous: Interval
    month: Interval
    explicit: bool
    data_since: int | None
    books: dict[str, Book]
    shortest: list[Reading]
    longest: list[Reading]
    coverage: Coverage
    warnings: tuple[str, ...]
    values: Mapping[str, Iterable[str]] = field(default_factory=dict)

    def interval(self, name: str) -> Interval:
        """One of the summary's intervals by its name in the report."""
        if name == "period":
            return self.period
        return Interval(self.now - ROLLING[name] if name in ROLLING else -LONG_AGO, self.now)
