"""An open journal: which of its series a report is about, and what it says of itself."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from openrouter_otel.exact import plus
from openrouter_otel.journal.schema import HOUR_MS, SERIES
from openrouter_otel.journal.store import JournalError, complaining, open_for_reading
from openrouter_otel.reporting.evidence import SourceError
from openrouter_otel.reporting.filters import Filters, Sieve
from openrouter_otel.reporting.journal import series
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.period import Interval

_CACHE_KIB: Final = 65_536  # pages in memory


@dataclass(frozen=True)
class Journal:
    """A journal, seen as it was at one moment.

    Attributes:
        path: the file.
        connection: what is asked.
        labels: of each series that the report is about, by id.
        asked: SQL that is true of these series' calls, ``AND ...``; "" where all are asked for.
        sieve: what the labels that were filtered by were seen to be.
        complete_since: calls that ended before (ms) may have been pruned; 0: none were.
        data_since: when the first call that it knows of ended (ms, or just its hour); None: it knows of none.
        lost: calls that a process could not write, by its identity; those that lost none are left out.
    """

    path: str
    connection: sqlite3.Connection
    labels: Mapping[int, Mapping[str, str]]
    asked: str
    sieve: Sieve
    complete_since: int
    data_since: int | None
    lost: Mapping[str, int]

    def divided(self, interval: Interval) -> Interval:
        """An interval, its ends moved to the beginning of their hour where that can no longer be divided."""
        return Interval(*(self._whole(edge) for edge in (interval.since, interval.until)))

    def _whole(self, edge: int) -> int:
        hour = edge // HOUR_MS * HOUR_MS
        return hour if hour < self.complete_since else edge

    def later_than(self, now: int) -> int:
        """How many calls ended after an instant (ms)."""
        found = self.connection.execute(f"SELECT count(*) FROM calls WHERE ended_at >= ? {self.asked}", (now,))
        return int(found.fetchone()[0])


class _ExactSum:
    """An SQL function: amounts of money that are text, added up."""

    def __init__(self) -> None:
        self._sum = ZERO

    def step(self, amount: Any, /) -> None:
        if amount is not None:
            self._sum = plus(Decimal(amount), self._sum)

    def finalize(self) -> Any:
        return str(self._sum)


@contextlib.contextmanager
def opened(path: str, filters: Filters) -> Iterator[Journal]:
    """The journal for as long as the block lasts; SourceError if it cannot be read, also later in the block."""
    try:
        with complaining(), contextlib.closing(open_for_reading(path)) as connection:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.create_aggregate("exact_sum", 1, _ExactSum)
            connection.execute("BEGIN")  # from the first question on, nothing that others write is seen
            yield _described(path, connection, Sieve(filters))
    except JournalError as error:
        raise SourceError(f"cannot read the journal {path!r}: {error}") from error


def _described(path: str, connection: sqlite3.Connection, sieve: Sieve) -> Journal:
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    lost = connection.execute("SELECT process, lost FROM sources WHERE lost > 0 ORDER BY id")
    found = {}
    for number, *texts in connection.execute(f"SELECT id, {', '.join(SERIES)} FROM series"):
        labels = series.labels(meta["identity"], dict(zip(SERIES, texts, strict=True)))
        if sieve.keep(labels):
            found[number] = labels
    return Journal(
        path=path,
        connection=connection,
        labels=found,
        asked=_asked(connection, found) if sieve.wanted else "",
        sieve=sieve,
        complete_since=int(meta.get("complete_since", 0)),
        data_since=_first(connection),
        lost=dict(lost),
    )


def _first(connection: sqlite3.Connection) -> int | None:
    (hour,) = connection.execute("SELECT min(hour) FROM hourly").fetchone()
    (ended_at,) = connection.execute("SELECT min(ended_at) FROM calls").fetchone()
    if hour is None:
        return None
    return int(ended_at if ended_at is not None and ended_at // HOUR_MS == hour else hour * HOUR_MS)


def _asked(connection: sqlite3.Connection, found: Mapping[int, object]) -> str:
    connection.execute("CREATE TEMP TABLE asked (series_id INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO asked VALUES (?)", ((number,) for number in found))
    return "AND series_id IN (SELECT series_id FROM asked)"
