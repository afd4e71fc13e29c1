"""A journal's file that cannot be written, is locked, full or moved away: one warning, and the program goes on."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from charges import charged
from endpoint.programs import Program
from fake_openrouter import FakeOpenRouter
from journal.reading import ask, assert_sums_are_those_of_the_rows, by, records, spent
from waiting import until

Run = Callable[..., Program]

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"
TROUBLED = """
logging.getLogger("openrouter_otel").setLevel(logging.WARNING)
import openrouter_otel.emit.journal as emitting
emitting.LIMIT = 5
OpenRouterInstrumentor().instrument()
for _ in range(8): ask()
say(8)
hear()
ask()
say(9)
"""


@pytest.mark.parametrize("where", ["/proc/usage.db", "a file/usage.db", "usage.db"])
def test_a_file_that_cannot_be_written_is_one_warning_and_the_program_goes_on(
    where: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("no folder")
    (tmp_path / "usage.db").write_text("no database, but dear to somebody")
    program = run(TROUBLED, OPENROUTER_OTEL_JOURNAL=str(tmp_path / where))

    assert program.hear() == 8
    until(lambda: len(program.lines("WARNING")) == 1)
    program.go_on()
    assert program.hear() == 9
    assert program.end() == 0
    [warning] = program.lines("WARNING")
    assert str(tmp_path / where) in warning
    assert "Traceback" not in program.log
    assert (tmp_path / "usage.db").read_text() == "no database, but dear to somebody"


def test_a_short_script_whose_file_cannot_be_written_is_told_how_much_is_lost(run: Run) -> None:
    program = run(INSTRUMENT + "ask(); ask()", OPENROUTER_OTEL_JOURNAL="/proc/usage.db")

    assert program.end() == 0
    [warning] = program.lines("WARNING")
    assert warning.startswith("2 calls ")
    assert [line for line in program.lines("INFO") if "2 calls of this process missing from the journal" in line]


def test_once_the_trouble_is_over_what_waited_is_written_and_what_did_not_fit_is_counted(
    run: Run, openrouter: FakeOpenRouter, journal: Path
) -> None:
    journal.write_text("no database")
    program = run(TROUBLED, OPENROUTER_OTEL_JOURNAL=str(journal))
    assert program.hear() == 8
    until(lambda: len(program.lines("WARNING")) == 1)
    journal.unlink()
    until(lambda: journal.exists() and len(records(journal)) == 5)
    program.go_on()
    assert program.hear() == 9

    assert program.end() == 0
    assert len(records(journal)) == 6
    assert ask(journal, "SELECT lost FROM sources") == [{"lost": 3}]
    assert_sums_are_those_of_the_rows(journal)


def test_a_full_disk_costs_nothing_that_fits_in_memory(run: Run, openrouter: FakeOpenRouter, journal: Path) -> None:
    program = run(
        """
import resource
logging.getLogger("openrouter_otel").setLevel(logging.WARNING)
OpenRouterInstrumentor().instrument()
ask()
hear()
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
limit = os.path.getsize(os.environ["OPENROUTER_OTEL_JOURNAL"] + "-wal")
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
for _ in range(300): ask()
say()
hear()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
""",
        OPENROUTER_OTEL_JOURNAL=str(journal),
    )
    until(lambda: journal.exists() and len(records(journal)) == 1)
    program.go_on()
    program.hear()
    until(lambda: "WARNING" in program.log)
    program.go_on()

    assert program.end() == 0
    [warning] = program.lines("WARNING")
    assert "disk" in warning
    assert len(records(journal)) == 301
    assert spent(journal) == charged(openrouter)
    assert_sums_are_those_of_the_rows(journal)


@contextmanager
def locked(program: Program, journal: Path) -> Iterator[None]:
    """Somebody else writes, from the program's first row on, while it goes on with what comes after `hear()`."""
    program.hear()
    until(lambda: journal.exists() and len(records(journal)) == 1)
    with closing(sqlite3.connect(journal, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        program.go_on()
        yield


def test_a_file_that_somebody_has_locked_for_a_while_is_no_trouble(
    run: Run, openrouter: FakeOpenRouter, journal: Path
) -> None:
    program = run(INSTRUMENT + "ask()\nsay()\nhear()\nfor _ in range(50): ask()", OPENROUTER_OTEL_JOURNAL=str(journal))
    with locked(program, journal):
        time.sleep(1.5)

    assert program.end() == 0
    assert len(records(journal)) == 51
    assert spent(journal) == charged(openrouter)
    assert program.lines("WARNING") == []


def test_a_file_that_stays_locked_holds_the_end_up_for_seconds_and_is_one_warning(run: Run, journal: Path) -> None:
    program = run(INSTRUMENT + "ask()\nsay()\nhear()\nask()\nsay()", OPENROUTER_OTEL_JOURNAL=str(journal))
    with locked(program, journal):
        program.hear()
        begun = time.monotonic()
        assert program.end() == 0

    assert time.monotonic() - begun < 8
    [warning] = program.lines("WARNING")
    assert "locked" in warning


def test_a_journal_that_is_moved_away_is_begun_anew(run: Run, journal: Path, tmp_path: Path) -> None:
    program = run(
        INSTRUMENT + 'ask(user="a")\nsay()\nhear()\nask(user="b")\nsay()\nhear()', OPENROUTER_OTEL_JOURNAL=str(journal)
    )
    program.hear()
    until(lambda: journal.exists() and by(journal, "user_id") == {"a": 1})
    for end in ("", "-wal", "-shm"):
        os.rename(f"{journal}{end}", tmp_path / f"old.db{end}")
    program.go_on()
    program.hear()
    until(lambda: journal.exists() and by(journal, "user_id") == {"b": 1})
    program.go_on()

    assert program.end() == 0
    assert by(tmp_path / "old.db", "user_id") == {"a": 1}
