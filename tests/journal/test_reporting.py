"""What only a journal's report has, and what becomes of it when the journal is not as it should be."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import records as made
from journal.reading import ask
from openrouter_otel import report
from openrouter_otel.emit.entries import entry
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.usage import Usage
from openrouter_otel.journal.schema import RECORD_COLUMNS
from openrouter_otel.journal.writing import Source, Writer
from openrouter_otel.record import Record
from openrouter_otel.report import usage_report

SECOND = 10**9
DAY = 86_400 * SECOND
HOSTILE = "=cmd()|<b>`x`\u202e[red]"


def ago(seconds: float, **parts: Any) -> Record:
    """A call that ended so long ago."""
    duration = parts.setdefault("duration", 1.0)
    return made.ended(started_at=time.time_ns() - round((seconds + duration) * SECOND), **parts)


def write(path: Path, *calls: Record, retention_days: int | None = None, lost: int = 0) -> None:
    writer = Writer(str(path), Source("0123456789abcdef", None, "shop", "i-1", "production"), retention_days)
    writer.write([entry(call, ("team",)) for call in calls], lost)
    writer.close()


def said(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> str:
    """What the command prints."""
    assert report.main(["--journal", str(path), *options]) == 0
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> dict[str, Any]:
    """The JSON report."""
    found: dict[str, Any] = json.loads(said(capsys, path, *options), parse_float=Decimal)
    return found


def test_quantiles_are_single_calls(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(journal, *(ago(60, duration=ms / 1000, user="alice") for ms in range(1, 101)))

    found = told(capsys, journal)
    alice = found["user_stats"]["alice"]["latency"]
    assert (found["source"], found["accounting"]["identity"]) == ({"kind": "journal", "file": str(journal)}, "journal")
    assert found["statement"].startswith("Exact: every call that was written to the journal is counted once")
    for one in (found["latency_overall"], alice):
        assert (one["p50"], one["p95"], one["p99"], one["min"], one["max"]) == (50, 95, 99, 1, 100)
        assert one["p95_range"] == [95, 95]
        assert (one["stdev"], one["stdev_estimated"]) == (pytest.approx(Decimal("29.011492")), False)


def test_the_dearest_sessions_and_the_newest_errors_are_told(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure("http_502", "the upstream is down", "OpenAI", answered=True)
    quiet = Failure("content_policy_violation", None, None, answered=True)
    write(
        journal,
        *(session("cheap", ago(50 + n, user="bob"), "0.001") for n in range(3)),
        session("dear", ago(40, user="alice"), "0.5"),
        session("dear", ago(30, user=None), "0.25"),
        session("free", ago(20), None),
        ago(10, outcome="error", failure=failure, usage=None, model=None, requested="openai/gpt-5"),
        ago(5, outcome="error", failure=quiet, usage=None, model=None, requested="openai/gpt-5"),
    )

    found = told(capsys, journal, "--top", "3")
    dear, cheap, free = found["sessions"]
    assert (dear["session_id"], dear["users"], dear["requests"]) == ("dear", ["alice", "anonymous"], 2)
    assert (dear["cost"], dear["tokens"], dear["errors"]) == (Decimal("0.75"), 30, 0)
    assert dear["first"] < dear["last"]
    assert (cheap["session_id"], cheap["cost"], free["cost"]) == ("cheap", Decimal("0.003"), None)
    assert [(one["type"], one["model"], one["message"]) for one in found["errors"]["recent"]] == [
        ("content_policy_violation", "openai/gpt-5", None),
        ("http_502", "openai/gpt-5", "the upstream is down"),
    ]
    assert [one["session_id"] for one in told(capsys, journal, "--top", "1")["sessions"]] == ["dear"]


def session(name: str, call: Record, cost: str | None) -> Record:
    usage = Usage(10, 5, (), None if cost is None else Decimal(cost))
    source = "reported" if cost else "unknown"
    return call._replace(
        attribution=call.attribution._replace(session=name),
        answer=call.answer._replace(usage=usage),
        cost_source=source,
    )


def test_recent_errors_are_bounded(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure("http_502", "down", None, answered=True)
    write(journal, *(ago(n + 1, outcome="error", failure=failure, usage=None) for n in range(50)))

    found = told(capsys, journal)["errors"]
    times = [one["time"] for one in found["recent"]]
    assert found["by_type"] == {"http_502": 50}
    assert len(times) == 20
    assert times == sorted(times, reverse=True)


def test_what_was_pruned_stays_in_every_sum_and_is_missed_only_where_single_calls_are_needed(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(journal, *(ago(20 * 86_400, duration=float(n)) for n in range(1, 5)), ago(60, duration=9.0))
    before = told(capsys, journal)
    write(journal, retention_days=7)
    after = told(capsys, journal)

    assert ask(journal, "SELECT count(*) AS calls FROM calls") == [{"calls": 1}]
    assert after["summary"]["period"] == before["summary"]["period"]
    assert after["daily_trend"] == before["daily_trend"]
    assert after["user_stats"]["anonymous"]["cost"] == before["user_stats"]["anonymous"]["cost"] == Decimal("0.005")
    gone, whole = after["latency_overall"], before["latency_overall"]
    for kept in ("count", "mean", "stdev", "min", "max", "stdev_estimated"):
        assert gone[kept] == whole[kept]
    assert (whole["p95_range"], gone["p95"], gone["p95_range"]) == ([9000, 9000], None, [None, None])
    assert after["verdict"] == "exact"
    [warning] = after["accounting"]["warnings"]
    assert "pruned" in warning
    assert told(capsys, journal, "--since", "2d")["latency_overall"]["p95"] == 9000
    assert told(capsys, journal, "--since", "2d")["accounting"]["warnings"] == []


def test_an_hour_that_can_no_longer_be_divided_makes_the_report_incomplete(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(journal, ago(20 * 86_400), ago(60))
    write(journal, retention_days=7)
    moment = ask(journal, "SELECT min(hour) * 3600 + 1800 AS odd FROM hourly")[0]["odd"]

    found = told(capsys, journal, "--since", time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)))
    assert found["verdict"] == "incomplete"
    assert "within an hour whose calls were pruned" in found["statement"]
    assert found["summary"]["period"]["total_requests"] == 2


def test_calls_that_could_not_be_written_make_the_report_incomplete(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(journal, ago(60), lost=3)

    found = told(capsys, journal)
    assert found["verdict"] == "incomplete"
    assert "3 calls could not be written to the journal" in found["statement"]
    assert "0123456789abcdef" in found["accounting"]["warnings"][0]


def test_a_call_from_a_clock_that_is_ahead_is_counted_and_named(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(journal, ago(-7 * 86_400), ago(60))

    found = told(capsys, journal, "--since", "2h")
    assert found["summary"]["period"]["total_requests"] == found["summary"]["all_time"]["total_requests"] == 2
    assert sum(found["hourly_distribution"].values()) == 2
    assert "by another clock: 1;" in found["accounting"]["warnings"][-1]


def test_an_empty_journal_is_a_report_of_zeros(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(journal)

    found = told(capsys, journal)
    assert found["summary"]["all_time"]["total_requests"] == 0
    assert (found["data_since"], found["sessions"], found["errors"]["recent"]) == (None, [], [])


def test_a_program_gets_the_same_report(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(journal, ago(60, user="alice"))

    found = usage_report(journal=journal)
    assert found.summary["period"].total_cost == told(capsys, journal)["summary"]["period"]["total_cost"]
    with pytest.raises(ValueError, match="one source"):
        usage_report("http://localhost:9090", journal=journal)


@pytest.mark.parametrize("form", ["json", "csv", "markdown", "terminal", "html"])
def test_every_format_bears_hostile_names(form: str, journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure("http_502", HOSTILE, HOSTILE, answered=True)
    call = ago(60, model=HOSTILE, requested=HOSTILE, provider=HOSTILE, user=HOSTILE, tags={"team": HOSTILE})
    failed = ago(50, model=HOSTILE, requested=HOSTILE, user=HOSTILE, outcome="error", failure=failure, usage=None)
    write(journal, session(HOSTILE, call, "0.5"), failed)

    text = said(capsys, journal, "--format", form, "--group-by", "tag.team", "--user", HOSTILE)
    assert "<b>`x`" not in text.replace("'=cmd()|<b>`x`", "") or form in ("json", "terminal")
    assert "\u202e" not in text or form == "csv"
    if form == "json":
        assert json.loads(text)["sessions"][0]["session_id"] == HOSTILE
    if form == "csv":
        assert {row[1] for row in csv.reader(io.StringIO(text))} == {"tag.team", f"'{HOSTILE}", "(unknown)"}


# --- the rows themselves ---
def rows_written(journal: Path) -> None:
    usage = Usage(10, 5, (("cache_read", 3),), Decimal("0.00030000000000000003"))
    write(
        journal,
        ago(86_400 * 40, user="long-ago"),
        ago(90, user="alice", usage=usage, tags={"team": "search", "n": "1"}, duration=0.812345),
        ago(80, user=HOSTILE, usage=None, outcome="abandoned"),
        ago(70, user="bob", outcome="error", failure=Failure("http_502", "+1 is down", None, answered=True)),
    )


def test_records_are_rows_of_csv_in_the_contracts_columns(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows_written(journal)

    text = said(capsys, journal, "--records", "--format", "csv", "--tz", "Europe/Berlin")
    first, second, third = rows = list(csv.DictReader(io.StringIO(text)))
    assert list(first)[:15] == list(RECORD_COLUMNS)
    assert [row["user_id"] for row in rows] == ["alice", f"'{HOSTILE}", "bob"]
    assert first["timestamp"][-6:] in ("+01:00", "+02:00")
    assert (first["latency_ms"], first["cost"]) == ("812.345", "0.00030000000000000003")
    assert (first["tags"], first["service_name"]) == ('{"team": "search", "n": "1"}', "shop")
    assert (second["cost"], second["prompt_tokens"], second["outcome"]) == ("", "", "abandoned")
    assert (third["error_type"], third["error_message"]) == ("http_502", "'+1 is down")


def test_records_are_json_objects_line_by_line(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows_written(journal)

    first, second, third = lines(said(capsys, journal, "--records"))
    assert list(first)[:15] == list(RECORD_COLUMNS)
    assert first["cost"] == Decimal("0.00030000000000000003")
    assert (first["tags"], first["details"], first["stream"]) == (
        {"team": "search", "n": "1"},
        {"cache_read": 3},
        False,
    )
    assert (second["user_id"], second["cost"], third["process"]) == (HOSTILE, None, "0123456789abcdef")


def test_records_obey_period_and_filters(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows_written(journal)

    def users(*options: str) -> list[str]:
        return [row["user_id"] for row in lines(said(capsys, journal, "--records", *options))]

    assert users("--user", "alice") == users("--label", "tag.team=search") == ["alice"]
    assert users("--since", "60d", "--until", "30d") == ["long-ago"]
    assert users("--service", "other") == []
    assert said(capsys, journal, "--records", "--format", "csv", "--user", "nobody").count("\n") == 1


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def test_records_of_a_big_journal_are_not_held_in_memory(journal: Path, tmp_path: Path) -> None:
    write(journal, *(ago(60 + n / 100, user="x" * 120, duration=0.5) for n in range(12_000)))
    code = (
        "import resource, sys; from openrouter_otel import report;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "status = report.main(sys.argv[1:]);"
        "print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    output = tmp_path / "calls.jsonl"
    command = [sys.executable, "-c", code, "--journal", str(journal), "--records", "--output", str(output)]
    status, grown = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())

    assert status == 0
    assert output.stat().st_size > 8_000_000
    assert grown * 1024 < output.stat().st_size


# --- files ---
def refused(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> str:
    """The one line that is said."""
    assert report.main(["--journal", str(path), *options]) == 1
    told_ = capsys.readouterr()
    assert told_.out == ""
    assert told_.err.count("\n") == 1
    assert str(path) in told_.err
    return told_.err


@pytest.mark.parametrize("options", [(), ("--records",)])
def test_a_file_that_is_no_journal_is_one_line_and_stays_as_it_is(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, text, others, later = (tmp_path / name for name in ("missing.db", "text.db", "others.db", "later.db"))
    text.write_text("a diary, and by no means a database\n" * 99)
    with closing(sqlite3.connect(others)) as connection:
        connection.execute("CREATE TABLE diary (day)")
    write(later, ago(60))
    with closing(sqlite3.connect(later)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = contents(tmp_path)

    assert "there is no such file" in refused(capsys, missing, *options)
    assert "not a database" in refused(capsys, text, *options)
    assert "another program's database" in refused(capsys, others, *options)
    assert "a later version" in refused(capsys, later, *options)
    assert "no file" in refused(capsys, tmp_path, *options)
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and content of every file, without the companions that SQLite keeps beside an open one."""
    return {
        path.name: (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.iterdir()
        if not path.name.endswith(("-wal", "-shm"))
    }


def test_a_damaged_journal_is_one_line(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(journal, *(ago(60 + n) for n in range(2000)))
    body = bytearray(journal.read_bytes())
    body[8192 : len(body) - 8192] = b"\xff" * (len(body) - 16384)
    journal.write_bytes(body)

    assert "malformed" in refused(capsys, journal)
    assert "malformed" in refused(capsys, journal, "--records")


def test_reading_changes_nothing(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(journal, ago(60))
    before = contents(journal.parent)
    for options in ((), ("--records",), ("--user", "nobody"), ("--since", "90m")):
        said(capsys, journal, *options)
    assert contents(journal.parent) == before
    assert journal.stat().st_mode & 0o777 == 0o600


def test_calls_that_others_write_meanwhile_are_all_in_or_all_out(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(journal, ago(60))
    writer = Writer(str(journal), Source("f" * 16))
    for more in range(1, 4):
        writer.write([entry(ago(30, user="bob"), ())])  # it stays open, so that all of this is in the log only
        found = told(capsys, journal)
        assert found["summary"]["period"]["total_requests"] == 1 + more
        assert found["latency_overall"]["count"] == 1 + more
    writer.close()


@pytest.fixture
def library() -> Iterator[Path]:
    """A folder that nobody may write to, with a journal that everybody may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "usage.db", ago(60))
        (folder / "usage.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def test_a_journal_in_a_folder_that_cannot_be_written_is_read(library: Path) -> None:
    code = """
import os, sys
from openrouter_otel import report
if os.getuid() == 0:  # who may write everywhere
    os.setgid(65534)
    os.setuid(65534)
sys.exit(report.main(["--journal", sys.argv[1], "--format", "csv"]))
"""
    path = library / "usage.db"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("\n")) == (0, 2), done.stderr
    assert os.listdir(library) == ["usage.db"]
