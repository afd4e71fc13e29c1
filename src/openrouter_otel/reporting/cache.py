"""What closed hours told, in an SQLite file: a later run reads only what is new, and outlives what the source keeps.

Kept are readings as the source gave them, unfiltered, by source and time grid; what did not change is not repeated.
All that a run learnt is written in one transaction, and only if no other run has been quicker: what is in the file is
whole at any time. Every trouble becomes a sentence in `notes`; a report never fails for its cache.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from openrouter_otel.reporting.identity import Labels, Raw, key
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import Interval

VERSION: Final = 1
PATIENCE: Final = 5.0  # seconds for another run to finish writing
QUICK: Final = 1  # zlib's level: time matters more than the last percent
SCHEMA: Final = """
CREATE TABLE series (id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE);
CREATE TABLE known (source TEXT, grid TEXT, since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (source, grid));
CREATE TABLE told (
  source TEXT, grid TEXT, kind TEXT, since INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX in_time ON told (source, grid, kind, until);
"""


class DamagedError(Exception):
    """What is in the file cannot be read."""


class Cache:
    """The part of a file that is about one source and one grid.

    Args:
        path: the file; None for no cache at all. It is made where it is missing, readable by its owner only.
        source: which source, tenant included.
        grid: how its time is cut: the time zone's name.

    Attributes:
        notes: what went wrong, one sentence each.
        known: the time that the file knows all about.
    """

    def __init__(self, path: Path | None, source: str, grid: str) -> None:
        self.notes: list[str] = []
        self.known: Interval | None = None
        self._path = path
        self._key = (source, grid)
        self._file: sqlite3.Connection | None = None
        self._new: list[tuple[str, int, int, bytes]] = []
        self._numbers: dict[Labels, int] = {}
        self._labels: dict[int, Raw] = {}
        self._fresh: list[tuple[int, str]] = []
        self._discarded = False
        if path is not None:
            self._open(path)

    def __bool__(self) -> bool:
        """Whether there is one."""
        return self._file is not None

    def readings(
        self, kind: str, wanted: Callable[[Interval], bool] = lambda span: True
    ) -> Iterator[tuple[Interval, list[Reading]]]:
        """What is known of a kind, in order of time; of the wanted spans only."""
        for span, body in self._bodies(kind):
            if wanted(span):
                yield (
                    span,
                    [
                        Reading(self._labels[number], list(zip(times, texts, strict=True)))
                        for number, times, texts in zip(*_opened(body), strict=True)
                    ],
                )

    def values(self, kind: str) -> Iterator[tuple[Interval, Any]]:
        """Whatever else was kept of a kind, in order of time."""
        for span, body in self._bodies(kind):
            yield span, _opened(body)

    def _bodies(self, kind: str) -> Iterator[tuple[Interval, bytes]]:
        if self._file is None or self._discarded:
            return
        query = "SELECT since, until, body FROM told WHERE source = ? AND grid = ? AND kind = ? ORDER BY until, rowid"
        try:
            for since, until, body in self._file.execute(query, (*self._key, kind)).fetchall():
                yield Interval(since, until), body
        except sqlite3.DatabaseError as error:
            raise DamagedError(str(error)) from error

    def keep(self, kind: str, span: Interval, readings: Iterable[Reading]) -> None:
        """Remember readings."""
        if self._file is not None:
            rows = [
                (self._number(labels), [at for at, _ in points], [text for _, text in points])
                for labels, points in readings
                if points
            ]
            if rows:
                self.keep_value(kind, span, list(zip(*rows, strict=True)))

    def keep_value(self, kind: str, span: Interval, value: object) -> None:
        """Remember anything that JSON can hold."""
        if self._file is not None:
            text = json.dumps(value, separators=(",", ":"))
            self._new.append((kind, span.since, span.until, zlib.compress(text.encode(), QUICK)))

    def rebuild(self, why: str) -> None:
        """Begin anew with an empty file."""
        if self._path is not None:
            self._fresh.clear()
            self._new.clear()
            try:
                self._rebuild(self._path, f"is damaged ({why})")
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)

    def discard(self, why: str) -> None:
        """Forget what is known of this source, now and in the file."""
        self.notes.append(why)
        self._discarded = True
        self.known = None

    def commit(self, known: Interval) -> None:
        """Write everything at once, as what is known of `known`; not where another run has written meanwhile."""
        if self._file is None:
            return
        try:
            self._file.rollback()  # the snapshot that was read from
            self._file.execute("BEGIN IMMEDIATE")
            if self._stands():
                self._write(known)
            self._file.commit()
        except sqlite3.Error as error:
            self.notes.append(f"the cache {str(self._path)!r} could not be written: {error}")
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with contextlib.suppress(sqlite3.Error):
                self._file.close()
            self._file = None

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            try:
                self._load(path)
            except sqlite3.OperationalError:
                raise  # locked or unreadable, not damaged
            except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as error:
                self._rebuild(path, f"is damaged ({error})")
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.close()
        self.known = None
        self.notes.append(f"the cache {str(self._path)!r} cannot be used: {error}")

    def _load(self, path: Path) -> None:
        self._file = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("BEGIN")
        (version,) = self._file.execute("PRAGMA user_version").fetchone()
        if not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._create()
        elif version != VERSION:
            self._rebuild(path, f"is of another version ({version}, not {VERSION})")
            return
        found = self._file.execute("SELECT since, until FROM known WHERE source = ? AND grid = ?", self._key).fetchone()
        self.known = Interval(*found) if found else None
        # One parse of all is quicker than one each.
        rows = self._file.execute("SELECT id, labels FROM series ORDER BY id").fetchall()
        for (number, _), labels in zip(rows, json.loads(f"[{','.join(text for _, text in rows)}]"), strict=True):
            self._labels[number] = labels = Raw(labels)
            self._numbers[key(labels)] = number

    def _create(self) -> None:
        assert self._file is not None
        self._file.execute("ROLLBACK")
        self._file.execute("BEGIN IMMEDIATE")
        if not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for statement in SCHEMA.split(";\n"):
                self._file.execute(statement)
            self._file.execute(f"PRAGMA user_version = {VERSION}")
        self._file.execute("COMMIT")
        self._file.execute("BEGIN")

    def _rebuild(self, path: Path, why: str) -> None:
        self.notes.append(f"the cache {str(path)!r} {why}: it was made anew")
        self.close()
        self.known = None
        self._numbers.clear()
        self._labels.clear()
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._load(path)

    def _number(self, labels: Any) -> int:
        raw = key(labels)
        number = self._numbers.get(raw)
        if number is None:
            number = self._numbers[raw] = len(self._numbers) + 1
            self._fresh.append((number, json.dumps(dict(raw), separators=(",", ":"))))
        return number

    def _stands(self) -> bool:
        """Whether the file still is as it was read."""
        assert self._file is not None
        query = "SELECT since, until FROM known WHERE source = ? AND grid = ?"
        found = self._file.execute(query, self._key).fetchone()
        (numbers,) = self._file.execute("SELECT count(*) FROM series").fetchone()
        before = None if self._discarded else self.known
        same = self._discarded or (Interval(*found) if found else None) == before
        return same and numbers == len(self._numbers) - len(self._fresh)

    def _write(self, known: Interval) -> None:
        assert self._file is not None
        if self._discarded:
            self._file.execute("DELETE FROM told WHERE source = ? AND grid = ?", self._key)
        self._file.executemany("INSERT INTO series VALUES (?, ?)", self._fresh)
        self._file.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?, ?)", [(*self._key, *one) for one in self._new])
        self._file.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", (*self._key, known.since, known.until))


def _opened(body: bytes) -> Any:
    try:
        return json.loads(zlib.decompress(body))
    except (zlib.error, ValueError, TypeError) as error:
        raise DamagedError(str(error)) from error
