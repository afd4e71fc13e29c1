"""Where knowledge begins: the source's first sample, processes older than it, and processes that were met late.

Named, never guessed: what an older process had counted before the source's memory begins is booked at the time when
the process began to count, so that it is in no figure that begins later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, TypeVar

from openrouter_otel import names
from openrouter_otel.reporting import coverage, queries
from openrouter_otel.reporting.coverage import PATIENCE
from openrouter_otel.reporting.evidence import LONG_AGO
from openrouter_otel.reporting.fetching import Fetcher
from openrouter_otel.reporting.ledger import NOT_COUNTED, Reading
from openrouter_otel.reporting.period import DAY, HOUR, Interval

MINUTE: Final = HOUR // 60
SECOND: Final = 1000
FEW: Final = 50
FINER: Final = (30 * DAY, DAY, HOUR, MINUTE, SECOND)
STARTS: Final = names.PROCESS_START.prometheus
REQUESTS: Final = names.REQUESTS.prometheus
T = TypeVar("T")


def first_sample(fetch: Fetcher, now: int) -> int | None:
    """Since when (ms, to the second) the source knows anything of ours."""
    # Start times are one series a process: where they are found, requests are only asked about the time before.
    first = _first(fetch, STARTS, now - LONG_AGO, now)
    earlier = _first(fetch, REQUESTS, now - LONG_AGO, now if first is None else first)
    return first if earlier is None else earlier


def _first(fetch: Fetcher, metric: str, since: int, until: int) -> int | None:
    """Narrowed down in ever finer steps."""
    for step in FINER:
        windows = [Interval(start, min(start + step, until)) for start in range(since, until, step)]
        points = [at for one in fetch.windows(metric, windows, queries.anything) for at, _ in one.points]
        if not points:
            return None
        since, until = max(since, min(points) - step), min(points)
    return since


def older(fetch: Fetcher, since: int) -> dict[str, int]:
    """Processes that had begun to count (ms) long before the very first sample, which is at the source's horizon."""
    found = fetch.windows(STARTS, [horizon(since)])
    return {process: start for process, start in starts(found).items() if start + PATIENCE < since}


def horizon(since: int) -> Interval:
    """Where a process that ran all the time has its first samples."""
    return Interval(since, since + PATIENCE)


def before_memory(fetch: Fetcher, selector: str, since: int, begun: Mapping[str, int]) -> list[Reading]:
    """What counters of older processes showed at first, at the time when these began to count."""
    if not begun:
        return []
    found = fetch.windows(selector, [horizon(since)], queries.smallest)
    return [
        Reading(labels, [(begun[labels[names.PROCESS]], points[0][1])])
        for labels, points in found
        if labels.get(names.PROCESS) in begun
    ]


def starts(readings: Iterable[Reading]) -> dict[str, int]:
    """When each process began to count (ms), by its own word."""
    return {
        labels[names.PROCESS]: round(Decimal(points[0][1]) * 1000)
        for labels, points in readings
        if labels.get(names.PROCESS) and points and points[0][1] not in NOT_COUNTED
    }


def late(fetch: Fetcher, begun: Mapping[str, int], seen: Mapping[str, int]) -> Iterator[str]:
    """Processes that were first scraped late and had counted by then.

    Args:
        fetch: whom to ask.
        begun: when they began to count.
        seen: the hourly edge before which they were first seen.
    """
    doubtful = [(process, start + PATIENCE) for process, start in begun.items() if start + PATIENCE < seen[process]]
    unseen: dict[int, list[str]] = {}
    for some in _few(doubtful):
        asked = ((queries.of_processes(STARTS, [process]), PATIENCE, at) for process, at in some)
        in_time = fetch.instant(queries.at_instants(asked), max(at for _, at in some))
        punctual = {reading.labels.get(names.PROCESS) for reading in in_time}
        for process in (process for process, _ in some if process not in punctual):
            unseen.setdefault(seen[process], []).append(process)
    for edge, processes in unseen.items():
        for few in _few(processes):
            samples = (
                fetch.instant(queries.raw(queries.of_processes(metric, few), HOUR), edge)
                for metric in (STARTS, REQUESTS)
            )
            yield from coverage.had_counted(*samples)


def _few(many: list[T]) -> Iterator[list[T]]:
    """At most as many as one query should name."""
    for start in range(0, len(many), FEW):
        yield many[start : start + FEW]
