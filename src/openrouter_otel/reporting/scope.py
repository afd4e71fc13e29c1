"""What every part of reading a Prometheus works with: whom to ask, about which time and series, and what is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openrouter_otel.reporting.cache import Cache
from openrouter_otel.reporting.edges import Frame
from openrouter_otel.reporting.fetching import Fetcher
from openrouter_otel.reporting.filters import Sieve
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.progress import Progress
from openrouter_otel.reporting.restarts import Restarts


@dataclass(frozen=True)
class Scope:
    """One reading of one source.

    Attributes:
        fetch: whom to ask.
        frame: all the time there is.
        sieve: which series the books are about.
        cache: what is known already; told what is new.
        restarts: filled with what start times tell.
        progress: told what is being read.
    """

    fetch: Fetcher
    frame: Frame
    sieve: Sieve
    cache: Cache
    restarts: Restarts
    progress: Progress

    def kept(self, readings: Iterable[Reading]) -> list[Reading]:
        """Those that the books are about."""
        if not self.sieve.wanted:
            return list(readings)
        return [reading for reading in readings if self.sieve.keep(reading.labels)]

    def closed(self, span: Interval) -> bool:
        """Whether nothing will be added to a span any more, so that the cache may know it."""
        return span.until <= self.frame.closed

    def remember(self, kind: str, span: Interval, readings: Iterable[Reading]) -> None:
        """Keep readings of a closed span in the cache."""
        if self.closed(span):
            self.cache.keep(kind, span, readings)

    def remember_value(self, kind: str, span: Interval, value: object) -> None:
        """Keep anything else that JSON can hold of a closed span."""
        if self.closed(span):
            self.cache.keep_value(kind, span, value)
