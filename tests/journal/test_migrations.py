"""A journal outlives versions of ours: an older file is brought up to date, a later one refused, and no row is lost."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

import records as made
from journal.reading import ask, assert_sums_are_those_of_the_rows, records
from openrouter_otel.emit.entries import entry
from openrouter_otel.journal import store
from openrouter_otel.journal.schema import APPLICATION_ID, MIGRATIONS, VERSION
from openrouter_otel.journal.store import JournalError, open_for_reading, open_for_writing
from openrouter_otel.journal.writing import Source, Writer

NEXT = ("ALTER TABLE calls ADD COLUMN region TEXT", "UPDATE calls SET region = 'eu'")


def write(path: Path, process: str) -> None:
    writer = Writer(str(path), Source(process, None, "shop", "", ""))
    writer.write([entry(made.ended(), ())])
    writer.close()


def version(path: Path) -> int:
    return int(ask(path, "PRAGMA user_version")[0]["user_version"])


@pytest.fixture
def old(journal: Path) -> Path:
    """A journal of today's version, with one call in it."""
    write(journal, "a" * 16)
    return journal


def upgrade(monkeypatch: pytest.MonkeyPatch, *migrations: tuple[str, ...]) -> None:
    """Become a later version of ours."""
    monkeypatch.setattr(store, "MIGRATIONS", (*MIGRATIONS, *migrations))
    monkeypatch.setattr(store, "VERSION", VERSION + len(migrations))


@pytest.mark.parametrize("begun", range(VERSION))
def test_every_older_version_has_a_way_to_todays(begun: int, journal: Path) -> None:
    with closing(sqlite3.connect(journal, isolation_level=None)) as connection:
        for statement in (statement for migration in MIGRATIONS[:begun] for statement in migration):
            connection.execute(statement)
        if begun:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {begun}")

    write(journal, "a" * 16)
    assert version(journal) == VERSION
    assert len(records(journal)) == 1
    assert_sums_are_those_of_the_rows(journal)


def test_rows_and_identity_survive_an_upgrade_and_writing_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [before], identity = records(old), ask(old, "SELECT value FROM meta WHERE name = 'identity'")
    upgrade(monkeypatch, NEXT, ("CREATE INDEX calls_by_region ON calls (region)",))

    with pytest.raises(JournalError, match="no call has been written to it by this version"):
        open_for_reading(str(old))  # a reader changes nothing
    write(old, "b" * 16)

    assert version(old) == VERSION + 2
    assert records(old)[0] == before
    assert [row["region"] for row in ask(old, "SELECT region FROM calls ORDER BY id")] == ["eu", None]
    assert ask(old, "SELECT value FROM meta WHERE name = 'identity'") == identity
    assert_sums_are_those_of_the_rows(old)
    open_for_reading(str(old)).close()


def test_a_program_that_was_not_upgraded_is_told_so_and_harms_nothing(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        upgrade(later, NEXT)
        open_for_writing(str(old)).close()
    before = old.read_bytes()

    for use in (open_for_writing, open_for_reading):
        with pytest.raises(JournalError, match=r"^it was written by a later version of openrouter-otel$"):
            use(str(old))
    assert old.read_bytes() == before


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        upgrade(later, NEXT, ("CREATE TABLE calls (again TEXT)",))
        with pytest.raises(JournalError, match="already exists"):
            open_for_writing(str(old))

    assert version(old) == VERSION
    write(old, "b" * 16)
    assert len(records(old)) == 2
    assert "region" not in {row["name"] for row in ask(old, "PRAGMA table_info(calls)")}


def test_programs_that_come_at_once_upgrade_a_file_once(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(monkeypatch, NEXT)
    monkeypatch.setattr(store, "BUSY_WAIT", 10.0)
    together, faults = threading.Barrier(8), list[JournalError]()

    def come() -> None:
        together.wait()
        try:
            open_for_writing(str(old)).close()
        except JournalError as error:  # `duplicate column name`, where it was upgraded twice
            faults.append(error)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert version(old) == VERSION + 1
