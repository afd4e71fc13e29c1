"""SQL of sums by series: whole hours from ``hourly``, odd minutes from the calls themselves.

Instants are whole milliseconds, cut off, so that a call which ended just when an interval begins is in it and one that
ended just when it ends is not. Money is added up as integers, or by Python where it is still text: both are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from openrouter_otel import names
from openrouter_otel.journal import money
from openrouter_otel.journal.schema import COUNTS, EXTREMES, HOUR_MS, MONEY, SECONDS
from openrouter_otel.reporting.journal.opened import Journal
from openrouter_otel.reporting.period import Interval

NEVER: Final = 2**62  # later than any call, in ms

# The output rate of a call that went well, as `record.Record.output_rate` defines it.
PACE: Final = """CASE WHEN c.duration > c.first_token AND c.output_tokens > 0
    THEN c.output_tokens / (c.duration - c.first_token) END"""
_RATE: Final = f"CASE WHEN s.outcome = '{names.OK}' THEN {PACE} END"
_OF_CALLS: Final = {
    "requests": "count(*)",
    "retries": "sum(c.retries)",
    "resolved": "count(c.resolved_at)",
    "input_tokens": "sum(c.input_tokens)",
    "output_tokens": "sum(c.output_tokens)",
    **{kind: f"sum(json_extract(c.details, '$.{kind}'))" for kind in names.TOKEN_DETAILS},
    "timed": "count(c.duration)",
    "first_tokens": "count(c.first_token)",
    "rates": f"count({_RATE})",
    "seconds": "sum(c.duration)",
    "seconds_squared": "sum(c.duration * c.duration)",
    "first_token_seconds": "sum(c.first_token)",
    "rate_sum": f"sum({_RATE})",
    "shortest": "min(c.duration)",
    "longest": "max(c.duration)",
}
_PLAIN: Final = (*COUNTS, *SECONDS)
_CALLS, _HOURLY = "calls", "hourly"
_COUNTS: Final = {
    _HOURLY: "SELECT sum(requests) FROM hourly WHERE hour >= ? AND hour < ?",
    _CALLS: "SELECT count(*) FROM calls WHERE ended_at >= ? AND ended_at < ?",
}


class Sums(NamedTuple):
    """What one series' calls of some time add up to.

    Attributes:
        series: its id.
        amounts: by column of `journal.schema`'s COUNTS, SECONDS and MONEY; what is zero is left out.
        shortest, longest: seconds, None without any.
    """

    series: int
    amounts: dict[str, Decimal]
    shortest: float | None
    longest: float | None


class SumsReader:
    """Answers how much was added when; of columns that hold nothing but zeros it does not ask again.

    Args:
        journal: who is asked.

    Attributes:
        of_all_time: all that was ever added, by series.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._plain: tuple[str, ...] = _PLAIN
        self._money: tuple[str, ...] = MONEY
        self.of_all_time = list(self._asked(f"{self._summing()} FROM totals WHERE true"))
        used = {column for sums in self.of_all_time for column in sums.amounts}
        self._plain = tuple(column for column in _PLAIN if column in used)
        self._money = tuple(column for column in MONEY if column in used)
        self._queries = {
            _HOURLY: f"{self._summing()} FROM hourly WHERE hour >= ? AND hour < ?",
            _CALLS: f"""{self._summing_calls()} FROM calls c JOIN series s ON s.id = c.series_id
                WHERE c.ended_at >= ? AND c.ended_at < ?""",
        }

    def within(self, span: Interval) -> Iterator[Sums]:
        """What was added from one instant (ms) on until before another; a series may come several times."""
        for table, since, until in _parts(span):
            yield from self._asked(self._queries[table], since, until)

    def requests(self, span: Interval) -> int:
        """How many calls ended from one instant (ms) on until before another."""
        asking = self._journal.connection
        counts = (
            asking.execute(f"{_COUNTS[table]} {self._journal.asked}", (since, until)).fetchone()[0]
            for table, since, until in _parts(span)
        )
        return sum(count or 0 for count in counts)

    def _summing(self) -> str:
        columns = (*(f"sum({column})" for column in self._plain), *map(money.summing, self._money))
        return f"SELECT {', '.join(('series_id', 'min(shortest)', 'max(longest)', *columns))}"

    def _summing_calls(self) -> str:
        paid = (f"exact_sum(c.{column}), 0, 0" for column in self._money)
        columns = (_OF_CALLS[column] for column in (*EXTREMES, *self._plain))
        return f"SELECT {', '.join(('series_id', *columns, *paid))}"

    def _asked(self, query: str, *span: int) -> Iterator[Sums]:
        plain, paid = self._plain, self._money
        for row in self._journal.connection.execute(f"{query} {self._journal.asked} GROUP BY series_id", span):
            series, shortest, longest, *values = row
            amounts = {column: Decimal(value) for column, value in zip(plain, values, strict=False) if value}
            for column, parts in zip(paid, _triples(values[len(plain) :]), strict=True):
                if amount := _paid(*parts):
                    amounts[column] = amount
            yield Sums(series, amounts, shortest, longest)


def _parts(span: Interval) -> Iterator[tuple[str, int, int]]:
    """Whole hours, and what is odd before and after them."""
    first, last = -(-span.since // HOUR_MS), span.until // HOUR_MS
    if first > last:
        yield _CALLS, span.since, span.until
        return
    for table, since, until in (
        (_CALLS, span.since, first * HOUR_MS),
        (_HOURLY, first, last),
        (_CALLS, last * HOUR_MS, span.until),
    ):
        if since < until:
            yield table, since, until


def _triples(values: list[Any]) -> Iterable[tuple[Any, Any, Any]]:
    return zip(values[::3], values[1::3], values[2::3], strict=True)


def _paid(units: int | str, upper: int, lower: int) -> Decimal:
    return Decimal(units) if isinstance(units, str) else money.joined(units, upper, lower)
