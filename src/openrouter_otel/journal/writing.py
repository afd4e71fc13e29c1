"""Puts entries into a journal: the rows and all their sums in one short transaction."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from openrouter_otel.journal import sums
from openrouter_otel.journal.schema import CALL, HOUR_MS, SERIES
from openrouter_otel.journal.store import JournalError, complaining, file_at, open_for_writing, transaction
from openrouter_otel.journal.sums import Sums, insert

_PRUNED_AT_ONCE: Final = 1000  # rows: some milliseconds
_PRUNES_EVERY: Final = 10.0  # seconds
_DAY_MS: Final = 86_400_000
_MAX_SERIES: Final = 10_000  # remembered


class Entry(NamedTuple):
    """One call, ready to be written.

    Attributes:
        series: texts of `schema.SERIES` but for the last two, which are the writer's.
        call: values of `schema.CALL`; the first is when it ended.
        sums: what it adds to the sums, by column of `schema.COUNTS`, `MONEY` (in pairs, see `money`) and `SECONDS`.
        duration: seconds, for the extremes.
        buckets: (metric, upper bound) of the histograms' buckets that it falls into.
    """

    series: tuple[str, ...]
    call: tuple[Any, ...]
    sums: Mapping[str, int | float]
    duration: float | None
    buckets: Sequence[tuple[str, float]]


class Source(NamedTuple):
    """Who writes.

    Attributes:
        process: the identity under which it counts.
        run: the `openrouter-otel run` that it belongs to.
        service_name, service_instance_id, environment: of its resource; '' where not told.
    """

    process: str
    run: str | None = None
    service_name: str = ""
    service_instance_id: str = ""
    environment: str = ""


_ADD_CALL: Final = insert("calls", ("series_id", "source_id", *CALL))
_ADD_BUCKET: Final = insert(
    "histograms",
    ("series_id", "metric", "le", "count"),
    "ON CONFLICT (series_id, metric, le) DO UPDATE SET count = count + excluded.count",
)
_ADD_SERIES: Final = insert("series", SERIES, "ON CONFLICT DO NOTHING")
_FIND_SERIES: Final = f"SELECT id FROM series WHERE {' AND '.join(f'{column} = ?' for column in SERIES)}"


class Writer:
    """One process' way into a journal; for one thread at a time. The file is opened when it is first needed.

    Args:
        path: the file.
        source: who writes.
        retention_days: older rows are deleted, a few with each writing; None: never.
    """

    def __init__(self, path: str, source: Source, retention_days: int | None = None) -> None:
        self._path = path
        self._source = source
        self._retention_days = retention_days
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._source_id = 0
        self._series: dict[tuple[str, ...], int] = {}
        self._pruned_at = 0.0

    def write(self, entries: Sequence[Entry], lost: int = 0) -> None:
        """Write entries, and how many more were lost; all of them or, with an exception, none.

        Raises:
            JournalError: it cannot be written now.
        """
        try:
            with complaining():
                connection = self._opened()
                with transaction(connection):
                    self._add(connection, entries)
                    if lost:
                        connection.execute(
                            "UPDATE sources SET lost = lost + ? WHERE id = ?", (lost, self._identify(connection))
                        )
                    self._prune(connection)
        except BaseException as error:
            self._forget(reopen=not (isinstance(error, JournalError) and error.busy))
            raise

    def close(self) -> None:
        """Let go of the file; the next write opens it again."""
        self._forget(reopen=True)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._file != file_at(self._path):
            self._forget(reopen=True)  # it was moved or deleted: what we wrote would be seen by nobody
        if self._connection is None:
            self._connection = open_for_writing(self._path)
            self._file = file_at(self._path)
        return self._connection

    def _forget(self, *, reopen: bool) -> None:
        """Ids that were given out in a transaction which then failed are nobody's."""
        self._series.clear()
        self._source_id = 0
        if reopen and self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _add(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        calls: list[tuple[Any, ...]] = []
        buckets: dict[tuple[int, str, float], int] = {}
        totals: dict[int, Sums] = {}
        hourly: dict[tuple[int, int], Sums] = {}
        for entry in entries:
            series = self._series_id(connection, entry.series)
            calls.append((series, self._identify(connection), *entry.call))
            _merge(totals.setdefault(series, {}), entry)
            _merge(hourly.setdefault((entry.call[0] // HOUR_MS, series), {}), entry)
            for metric, bound in entry.buckets:
                key = (series, metric, bound)
                buckets[key] = buckets.get(key, 0) + 1
        connection.executemany(_ADD_CALL, calls)
        sums.add(connection, hourly, totals)
        connection.executemany(_ADD_BUCKET, ((*key, count) for key, count in buckets.items()))

    def _series_id(self, connection: sqlite3.Connection, series: tuple[str, ...]) -> int:
        known = self._series.get(series)
        if known is None:
            if len(self._series) > _MAX_SERIES:
                self._series.clear()
            attributes = (*series, self._source.service_name, self._source.environment)
            connection.execute(_ADD_SERIES, attributes)
            known = self._series[series] = int(connection.execute(_FIND_SERIES, attributes).fetchone()[0])
        return known

    def _identify(self, connection: sqlite3.Connection) -> int:
        if not self._source_id:
            source = self._source
            connection.execute(
                "INSERT INTO sources (process, pid, run, service_instance_id, first_write) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (source.process, os.getpid(), source.run, source.service_instance_id or None, time.time_ns() // 10**6),
            )
            found = connection.execute("SELECT id FROM sources WHERE process = ?", (source.process,))
            self._source_id = int(found.fetchone()[0])
        return self._source_id

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Delete some of the rows that are too old; their sums stay."""
        now = time.monotonic()
        if self._retention_days is None or now - self._pruned_at < _PRUNES_EVERY:
            return
        self._pruned_at = now
        before = time.time_ns() // 10**6 - self._retention_days * _DAY_MS
        old = connection.execute(
            "SELECT id, ended_at FROM calls WHERE ended_at < ? ORDER BY ended_at LIMIT ?", (before, _PRUNED_AT_ONCE)
        ).fetchall()
        if old:
            connection.executemany("DELETE FROM calls WHERE id = ?", ((row[0],) for row in old))
            connection.execute(
                "INSERT INTO meta VALUES ('complete_since', ?) ON CONFLICT (name) DO UPDATE SET value ="
                " max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
                (str(old[-1][1] + 1),),
            )


def _merge(into: Sums, entry: Entry) -> None:
    for column, amount in entry.sums.items():
        into[column] = into.get(column, 0) + amount
    if entry.duration is not None:
        into["shortest"] = min(into.get("shortest", entry.duration), entry.duration)
        into["longest"] = max(into.get("longest", entry.duration), entry.duration)
