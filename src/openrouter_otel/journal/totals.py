"""Reads what an exporter serves of a journal: the sums of all time, which no pruning touches, by series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from openrouter_otel.journal import money
from openrouter_otel.journal.schema import COUNTS, HOUR_MS, MONEY, SECONDS, SERIES, VERSION
from openrouter_otel.journal.store import JournalError, complaining, file_at, open_for_reading

_SERIES: Final = f"SELECT id, {', '.join(SERIES)} FROM series WHERE id > ? ORDER BY id"
_PAIRS: Final = tuple(f"{column}{part}" for column in MONEY for part in ("", "_rest"))
_TOTALS: Final = f"SELECT series_id, {', '.join((*COUNTS, *SECONDS, *_PAIRS))} FROM totals"
_BUCKETS: Final = "SELECT series_id, metric, le, count FROM histograms"
_EXTREMES: Final = """
    SELECT series_id, min(duration), max(duration) FROM calls
    WHERE ended_at >= ? AND duration IS NOT NULL GROUP BY series_id"""
_FIRST_HOUR: Final = """
    SELECT min(hour) FROM hourly WHERE series_id IN (
        SELECT id FROM series WHERE service_name = ? AND environment = ?)"""
_FIRST_CALL: Final = """
    SELECT min(ended_at) FROM calls WHERE ended_at >= ? AND ended_at < ? AND series_id IN (
        SELECT id FROM series WHERE service_name = ? AND environment = ?)"""


class Extremes(NamedTuple):
    """Seconds of the calls of one series."""

    series: int
    shortest: float
    longest: float


class Totals(NamedTuple):
    """One moment of a journal.

    Attributes:
        series: those that are new since the last time: id and texts by column of `schema.SERIES`, in order of id.
        sums: by id of the series, numbers by column of `schema.COUNTS`, `SECONDS` and `MONEY` (Decimal USD).
        buckets: by id of the series and metric, calls by upper bound, not cumulative.
    """

    series: list[tuple[int, Mapping[str, str]]]
    sums: Mapping[int, Mapping[str, Any]]
    buckets: Mapping[tuple[int, str], Mapping[float, int]]


class TotalsReader:
    """Follows a journal; for one thread at a time.

    Args:
        path: the journal.

    Attributes:
        identity: 16 hex digits, the ``process`` under which it is served.

    Raises:
        NothingYetError: nothing has been written to it.
        JournalError: it cannot be read; likewise all methods.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = file_at(path)
        self._connection = open_for_reading(path)
        self._known = 0
        self._version: int | None = None
        try:
            self.identity = self._identity()
        except JournalError:
            self._connection.close()
            raise

    @property
    def replaced(self) -> bool:
        """Whether the file has been moved or deleted: what we read is no longer what programs write to."""
        return file_at(self._path) != self._file

    def news(self) -> Totals | None:
        """What there is now; None where nothing has been written since the last time."""
        with complaining():
            version = self._pragma("data_version")  # asked before reading: who writes meanwhile is seen the next time
            if version == self._version:
                return None
            if self._pragma("user_version") != VERSION:
                raise JournalError("it is of another version of openrouter-otel by now")
            self._connection.execute("BEGIN")
            try:
                totals = Totals(list(self._series()), dict(self._sums()), self._buckets())
            finally:
                self._connection.execute("ROLLBACK")
        if totals.series:
            self._known = totals.series[-1][0]
        self._version = version
        return totals

    def extremes(self, since: int) -> list[Extremes]:
        """Of calls that ended since an instant (ms)."""
        with complaining():
            return [Extremes(*row) for row in self._connection.execute(_EXTREMES, (since,))]

    def began(self, service_name: str, environment: str) -> float | None:
        """When the first call of a service ended, seconds since the epoch; its hour, where its row has been pruned."""
        service = (service_name, environment)
        with complaining():
            hour = self._connection.execute(_FIRST_HOUR, service).fetchone()[0]
            if hour is None:
                return None
            start = hour * HOUR_MS
            first = self._connection.execute(_FIRST_CALL, (start, start + HOUR_MS, *service)).fetchone()[0]
        return float(start if first is None else first) / 1000

    def close(self) -> None:
        """No more questions."""
        self._connection.close()

    def _identity(self) -> str:
        with complaining():
            found = self._connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
        if found is None:
            raise JournalError("it has lost its identity")
        return str(found[0])

    def _series(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        for id, *texts in self._connection.execute(_SERIES, (self._known,)):
            yield id, dict(zip(SERIES, texts, strict=True))

    def _sums(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        plain = (*COUNTS, *SECONDS)
        for id, *values in self._connection.execute(_TOTALS):
            sums = dict(zip(plain, values, strict=False))
            for column, at in zip(MONEY, range(len(plain), len(values), 2), strict=True):
                sums[column] = money.amount(values[at], values[at + 1])
            yield id, sums

    def _buckets(self) -> dict[tuple[int, str], dict[float, int]]:
        found: dict[tuple[int, str], dict[float, int]] = {}
        for id, metric, bound, count in self._connection.execute(_BUCKETS):
            found.setdefault((id, metric), {})[bound] = count
        return found

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
