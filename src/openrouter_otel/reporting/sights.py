"""Finds a histogram's buckets as they were at the two ends of the period, wherever its process was last seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from openrouter_otel.reporting import beginnings, histograms, queries
from openrouter_otel.reporting.coverage import PATIENCE
from openrouter_otel.reporting.fetching import in_order
from openrouter_otel.reporting.identity import Labels
from openrouter_otel.reporting.ledger import Entry, Reading
from openrouter_otel.reporting.period import HOUR, Interval
from openrouter_otel.reporting.scope import Scope

MANY: Final = 200  # processes one query may name


class Sights:
    """Looks for buckets.

    Args:
        scope: what is read.
        older: processes that had begun to count (ms) before the source's memory begins.
    """

    def __init__(self, scope: Scope, older: Mapping[str, int]) -> None:
        self._scope = scope
        self._older = older

    def gains(self, metric: str, changes: histograms.Changes) -> Iterator[Entry]:
        """What a histogram's buckets gained over the period; `changes` tells when each histogram changed."""
        period = changes.period
        ends = ((changes.first(), period.since), (changes.within, period.until))
        before, after = (self._at(metric, self._asked_for(wanted), edge) for wanted, edge in ends)
        yield from histograms.gains(before, after, period.until)

    def _asked_for(self, wanted: dict[Labels, int]) -> dict[Labels, int]:
        return {raw: at for raw, at in wanted.items() if self._scope.sieve.keep(dict(raw))}

    def _at(self, metric: str, wanted: dict[Labels, int], edge: int) -> histograms.Buckets:
        """Buckets as they were at an edge."""
        if not wanted:
            return {}
        scope = self._scope
        window = [Interval(edge - PATIENCE, edge)]
        shown = scope.fetch.windows(queries.with_process(metric), window) if edge > scope.frame.since else []
        known = histograms.grouped(shown, wanted, edge)
        missing = histograms.without(wanted, known)
        kept = f"{metric} of the dead"
        for _, readings in scope.cache.readings(kept):
            known |= histograms.unpacked(readings, missing, edge)
        missing = histograms.without(missing, known)
        for sights in (histograms.last_sights, histograms.single_sights):
            looks = [(at, few) for at, processes in sights(missing).items() for few in _few(processes)]
            answers = in_order(partial(self._look, metric, *look) for look in looks)
            for (at, _), readings in zip(looks, answers, strict=True):
                found = histograms.grouped(readings, missing, edge)
                known |= found
                scope.remember(kept, Interval(at - 1, at), histograms.packed(found, at))
            missing = histograms.without(missing, known)
        return known

    def _look(self, metric: str, at: int, processes: list[str]) -> list[Reading]:
        """Buckets of some processes in the hour that ends at an edge."""
        fetch, since = self._scope.fetch, self._scope.frame.since
        selector = queries.of_processes(metric, processes)
        if at < since:
            return beginnings.before_memory(fetch, selector, since, self._older)
        return fetch.windows(selector, [Interval(at - HOUR, at)])


def _few(many: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(many), MANY):
        yield many[start : start + MANY]
