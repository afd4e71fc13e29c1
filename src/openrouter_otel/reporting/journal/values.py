"""SQL of every single duration, time to the first token and output rate: what exact quantiles are read off."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from operator import mul
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.distributions import Known
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.journal.opened import Journal
from openrouter_otel.reporting.journal.series import series_of
from openrouter_otel.reporting.journal.sums import PACE
from openrouter_otel.reporting.period import Interval

# The index `calls_by_time` has all that is asked for.
_DURATIONS: Final = """SELECT series_id, duration FROM calls c
    WHERE ended_at >= ? AND ended_at < ? AND duration IS NOT NULL"""
_STREAMS: Final = f"""SELECT series_id, first_token, {PACE} FROM calls c
    WHERE ended_at >= ? AND ended_at < ? AND first_token IS NOT NULL"""

Ordered = Mapping[int, Sequence[float]]  # values of each series, by id, ascending


def durations(journal: Journal, span: Interval) -> Ordered:
    """Seconds of all calls that went well."""
    found = _well(journal)
    take = _takers(journal, found)
    for series, seconds in _asked(journal, _DURATIONS, span):
        take[series](seconds)
    return _ordered(found)


def streams(journal: Journal, span: Interval) -> tuple[Ordered, Ordered]:
    """Seconds to the first token, however the call ended, and tokens per second of those that went well."""
    firsts, rates = {series: _none() for series in journal.labels}, _well(journal)
    take_first, take_rate = _takers(journal, firsts), _takers(journal, rates)
    for series, first, rate in _asked(journal, _STREAMS, span):
        take_first[series](first)
        if rate is not None:
            take_rate[series](rate)
    return _ordered(firsts), _ordered(rates)


def known(journal: Journal, ordered: Ordered) -> list[tuple[Series, Known]]:
    """All that is to be known of values of which there are all."""
    return [(series_of(journal.labels[number]), _known(values)) for number, values in ordered.items()]


def _known(values: Sequence[float]) -> Known:
    return Known(values, Decimal(repr(sum(map(mul, values, values)))), values[0], values[-1])


def _asked(journal: Journal, query: str, span: Interval) -> Iterable[tuple[int, ...]]:
    return journal.connection.execute(f"{query} {journal.asked}", (span.since, span.until))


def _well(journal: Journal) -> dict[int, array[float]]:
    return {number: _none() for number, labels in journal.labels.items() if labels[names.OUTCOME] == names.OK}


def _takers(journal: Journal, found: Mapping[int, array[float]]) -> dict[int, Callable[[float], None]]:
    """What to do with a value of each series: methods at hand, since there are millions of values."""
    nowhere: deque[float] = deque(maxlen=0)
    return {series: found[series].append if series in found else nowhere.append for series in journal.labels}


def _none() -> array[float]:
    return array("d")


def _ordered(found: dict[int, array[float]]) -> Ordered:
    return {series: array("d", sorted(values)) for series, values in found.items() if values}
