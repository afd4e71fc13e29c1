"""What is in a journal's file: rows, sums that outlive them, and files that are none of ours."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

import records as made
from journal.reading import ask, assert_sums_are_those_of_the_rows, records, spent, sums
from openrouter_otel.emit.entries import entry
from openrouter_otel.facts.usage import Usage
from openrouter_otel.journal.schema import CALL, HISTOGRAMS, RECORD_COLUMNS, SERIES, VERSION
from openrouter_otel.journal.store import JournalError, open_for_reading
from openrouter_otel.journal.writing import Source, Writer

SOURCE = Source("0123456789abcdef", "run-1", "shop", "instance-1", "production")
DAY_NS = 86_400 * 10**9
DUST = [Decimal("0.1"), Decimal("0.00030000000000000003"), Decimal("1.2345678901234567e-05"), Decimal("12.5")]


def write(path: Path, *all: object, retention_days: int | None = None) -> None:
    writer = Writer(str(path), SOURCE, retention_days)
    writer.write([entry(record, ("team",)) for record in all])  # type: ignore[arg-type]
    writer.close()


def test_a_row_tells_all_that_the_record_knew(journal: Path) -> None:
    usage = Usage(10, 5, (("cache_read", 3),), Decimal("0.001"), True, Decimal("0.02"))
    started = 1_700_000_000 * 10**9
    write(
        journal,
        made.ended(
            user="alice",
            tags={"team": "search", "n": "1"},
            usage=usage,
            started_at=started,
            first_token=0.25,
            retries=2,
        ),
    )

    [row] = records(journal)
    assert list(row)[:15] == list(RECORD_COLUMNS)
    told = {
        "timestamp": 1_700_000_001_000, "model": "openai/gpt-5", "prompt_tokens": 10, "completion_tokens": 5,
        "latency_ms": 1000.0, "cost": "0.021", "user_id": "alice", "tags": '{"team": "search", "n": "1"}',
        "session_id": None, "provider": "OpenAI", "operation": "chat", "outcome": "ok", "error_type": None,
        "error_message": None, "generation_id": "gen-1", "cost_source": "reported", "charged": "0.001",
        "provider_cost": "0.02", "estimated": None, "details": '{"cache_read": 3}', "retries": 2, "first_token": 0.25,
        "metric_tags": '{"team": "search"}', "service_name": "shop", "environment": "production", "stream": 1,
        "service_instance_id": "instance-1", "process": SOURCE.process, "run": "run-1", "pid": os.getpid(),
    }  # fmt: skip
    assert told == {name: row[name] for name in told}
    buckets = {row["metric"]: row["le"] for row in ask(journal, "SELECT * FROM histograms")}
    assert buckets == dict(zip([metric.name for metric in HISTOGRAMS], (1.0, 0.33, 6.8), strict=True))


def test_what_is_unknown_is_null_and_adds_nothing(journal: Path) -> None:
    write(journal, made.ended(usage=None, outcome="abandoned", duration=None, finish=None, provider=None))

    [row] = records(journal)
    unknown = ("cost", "charged", "prompt_tokens", "completion_tokens", "latency_ms", "user_id", "provider", "tags")
    assert {row[name] for name in unknown} == {None}
    assert (row["cost_source"], row["outcome"]) == ("unknown", "abandoned")
    assert sums(journal, "totals") == {**dict.fromkeys(sums(journal, "totals"), 0), "requests": 1}
    assert len(ask(journal, "SELECT id FROM calls WHERE pending = 1")) == 1  # a resolver may ask for generation gen-1


def test_sums_are_exact_to_the_last_digit_however_they_were_batched(journal: Path) -> None:
    all = [made.ended(usage=Usage(1, 1, (), DUST[n % 4]), started_at=n * 40 * 60 * 10**9) for n in range(40)]
    write(journal, *all[:33])
    for record in all[33:]:
        write(journal, record)

    assert spent(journal) == 10 * sum(DUST)
    assert_sums_are_those_of_the_rows(journal)


def test_a_file_has_all_columns_that_the_schema_names_and_is_for_its_owner_alone(journal: Path) -> None:
    write(journal, made.ended())

    assert {*SERIES, "id"} == {row["name"] for row in ask(journal, "PRAGMA table_info(series)")}
    assert set(CALL) < {row["name"] for row in ask(journal, "PRAGMA table_info(calls)")}
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert ask(journal, "PRAGMA journal_mode") == [{"journal_mode": "wal"}]
    assert ask(journal, "PRAGMA user_version") == [{"user_version": VERSION}]
    assert len(ask(journal, "SELECT value FROM meta WHERE name = 'identity'")[0]["value"]) == 16


def test_rows_beyond_the_retention_go_and_their_sums_stay(journal: Path) -> None:
    now = time.time_ns()
    old, young = made.ended(started_at=now - 40 * DAY_NS), made.ended(started_at=now - 20 * DAY_NS)
    write(journal, old, old, young)
    before = sums(journal, "totals"), sums(journal, "hourly")
    write(journal, young, retention_days=30)

    assert [row["timestamp"] for row in records(journal)] == [young.ended_at // 10**6] * 2
    assert before[0]["requests"] == before[1]["requests"] == 3
    assert sums(journal, "totals")["requests"] == sums(journal, "hourly")["requests"] == 4
    assert sums(journal, "totals")["charged"] == Decimal("0.004")
    [since] = ask(journal, "SELECT value FROM meta WHERE name = 'complete_since'")
    assert int(since["value"]) == old.ended_at // 10**6 + 1


def test_a_call_that_fails_to_be_written_leaves_nothing_half_done(journal: Path) -> None:
    write(journal, made.ended())
    good = entry(made.ended(), ())
    bad = good._replace(call=(*good.call[:4], object(), *good.call[5:]))
    writer = Writer(str(journal), SOURCE)

    with pytest.raises(JournalError):
        writer.write([good, bad])
    writer.write([good])

    assert len(records(journal)) == 2
    assert_sums_are_those_of_the_rows(journal)


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"These are my notes, not a database at all. " * 100)


def somebody_elses(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")


def of_a_later_version(path: Path) -> None:
    write(path, made.ended())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (not_sqlite, "not a database"),
        (somebody_elses, "another program's database"),
        (of_a_later_version, "later version"),
    ],
)
def test_a_file_that_is_no_journal_of_ours_is_refused_and_left_as_it_is(
    make: Callable[[Path], None], why: str, journal: Path
) -> None:
    make(journal)
    before = journal.read_bytes()

    with pytest.raises(JournalError, match=why):
        write(journal, made.ended())
    with pytest.raises(JournalError, match=why):
        open_for_reading(str(journal))
    assert journal.read_bytes() == before


def test_reading_makes_no_file(journal: Path) -> None:
    with pytest.raises(JournalError, match="no such file"):
        open_for_reading(str(journal))
    assert not journal.exists()
