"""What the exporter serves of a journal, and what it does when there is none."""

from __future__ import annotations

import random
import signal
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from endpoint.programs import Program, Scrape, scrape
from exporter.conftest import KEY, Exporter, Stage
from fake_openrouter import MANAGEMENT_KEY, FakeOpenRouter
from journal.reading import ask
from openrouter_otel import exporter, names
from openrouter_otel.emit.entries import entry
from openrouter_otel.exporting.journal import JournalExport
from openrouter_otel.journal.store import JournalError
from openrouter_otel.journal.writing import Source, Writer
from openrouter_otel.record import Record
from openrouter_otel.settings import Settings
from records import ended
from waiting import until

Run = Callable[..., Program]
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"
OF_PROCESSES = {"process", "service_instance_id"}
ABOUT_PROCESSES = {metric.prometheus for metric in names.PROCESS_METRICS}


def values(shown: Scrape, without: set[str] = frozenset()) -> Values:  # type: ignore[assignment]
    """Samples by name and labels; zeros are left out, which say no more than nothing does."""
    return {
        (sample.name, frozenset(pair for pair in sample.labels.items() if pair[0] not in without)): sample.value
        for sample in shown.samples
        if sample.value and sample.name not in ABOUT_PROCESSES
    }


# --- the same as from a process ---
def test_it_serves_what_the_program_itself_would(run: Run, host: str, journal: Path, tmp_path: Path) -> None:
    """Every metric, label and value; sums of seconds are added in another order and differ in their last digit."""
    program = run(
        INSTRUMENT
        + """
for user in ("alice", "bob\\n", "(other)", None):
    with usage_context(tags={"team": "search", "b c": "x"}):
        more = {"user": user} if user else {}
        ask(**more); ask("byok;fee=0.00001", **more); ask("good;reasoning=5;cached=3", model="openai/gpt-5", **more)
        list(ask("good;shape=B", stream=True, **more))
        next(ask("endless;chunk_delay=0.001", stream=True, **more))
        for scenario in ("error;status=402", "flaky;retry_after=0.01", "error-in-200", "good;cost=0"):
            try: ask(scenario, **more)
            except Exception: pass
import gc; gc.collect()
import time; time.sleep(1.5)
say()
hear()
""",
        OPENROUTER_OTEL_JOURNAL=str(journal),
        OPENROUTER_OTEL_SERVE_METRICS="true",
        OPENROUTER_OTEL_METRIC_TAGS="team,b c",
        OTEL_SERVICE_NAME="shop",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=prod",
    )
    program.hear()
    with Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        mine, its = (values(shown, OF_PROCESSES) for shown in (served.scrape(), scrape(program.addresses[0])))
    program.go_on()

    assert mine.keys() == its.keys()
    assert {name for name, _ in mine} >= {metric.prometheus for metric in names.USAGE_METRICS if not metric.buckets}
    inexact = {sample for sample in mine if mine[sample] != its[sample]}
    assert {name for name, _ in inexact} <= {
        "openrouter_duration_squared_total",
        *(f"{metric.prometheus}_sum" for metric in names.USAGE_METRICS if metric.buckets),
    }
    assert {sample: mine[sample] for sample in inexact} == pytest.approx({sample: its[sample] for sample in inexact})


def test_it_has_the_journals_identity_versions_and_beginning(
    run: Run, host: str, journal: Path, tmp_path: Path
) -> None:
    before = time.time()
    assert run(INSTRUMENT + "ask()", OPENROUTER_OTEL_JOURNAL=str(journal)).end() == 0
    after = time.time()
    with Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        shown = served.scrape()

    [identity] = ask(journal, "SELECT value FROM meta WHERE name = 'identity'")
    assert shown.process == identity["value"]
    [info] = shown.families["openrouter_otel_build_info"].samples
    assert info.labels.keys() >= {"version", "openai_version"}
    [began] = shown.values("openrouter_process_start_time_seconds")
    assert before < began < after


def test_two_services_in_one_journal_are_told_apart_and_both_counted(stage: Stage, run: Run) -> None:
    """A report takes two series that differ in the service only for one that was seen twice."""
    with stage.exporter():
        for service, calls in (("shop", 3), ("batch", 2)):
            program = run(
                INSTRUMENT + calls * "ask(); ",
                OPENROUTER_OTEL_JOURNAL=str(stage.journal),
                OTEL_SERVICE_NAME=service,
            )
            assert program.end() == 0
        stage.await_scrape(5)
    report = stage.report()

    assert report["summary"]["all_time"]["total_requests"] == 5
    assert stage.query("sum(last_over_time(openrouter_requests_total{service_name='shop'}[1h]))") == 3


# --- caps ---
@pytest.fixture
def write(journal: Path) -> Callable[..., None]:
    """Writes records to the journal, as a process that then ends."""
    writer = Writer(str(journal), Source("0" * 16, service_name="shop"))

    def write(*records: Record) -> None:
        writer.write([entry(record, ("team",)) for record in records])
        writer.close()

    return write


def served(journal: Path, now: int = 0, **caps: int) -> Scrape:
    with closing(JournalExport(str(journal), Settings(**caps), {}, lambda: now)) as export:  # type: ignore[arg-type]
        return Scrape(export.text())


def test_users_beyond_the_cap_share_a_name_and_totals_stay_right(write: Callable[..., None], journal: Path) -> None:
    write(*(ended(user=f"user-{number}") for number in range(20)))

    shown = served(journal, max_users=5, max_histogram_users=2)
    users = {sample.labels["user"] for sample in shown.samples if sample.name == "openrouter_requests_total"}
    assert users == {*(f"user-{number}" for number in range(5)), "(other)"}
    assert shown.values("openrouter_requests_total", user="(other)") == [15]
    assert shown.total("openrouter_cost_usd_total") == Decimal("0.02")
    assert shown.values("openrouter_request_duration_seconds_count", user="(other)") == [18]


def test_no_metric_has_more_attribute_sets_than_the_cap_and_those_it_folds(
    write: Callable[..., None], journal: Path
) -> None:
    write(*(ended(user=f"user-{number}", model=f"m-{number % 70}") for number in range(280)))

    shown = served(journal, max_series=50)
    for metric in (names.REQUESTS, names.COST, names.TOKENS):
        assert 50 < len(shown.values(metric.prometheus)) <= 50 + 3 * 10
        assert shown.total(metric.prometheus) == served(journal, max_series=10**6).total(metric.prometheus)


def test_what_was_shown_once_never_falls_whenever_an_exporter_is_started(
    write: Callable[..., None], journal: Path
) -> None:
    """Whatever comes later, the same attributes are folded: those that came first keep their names."""
    chance = random.Random(6)
    caps = {"max_users": 9, "max_histogram_users": 4, "max_series": 12}
    long_running = JournalExport(str(journal), Settings(**caps), {}, lambda: 0)  # type: ignore[arg-type]
    shown: Values = {}
    for _ in range(12):
        write(*(_any(chance) for _ in range(chance.randrange(1, 9))))
        anew = values(served(journal, **caps))
        assert anew == values(Scrape(long_running.text()))
        assert all(anew[sample] >= value for sample, value in shown.items())
        shown = {sample: value for sample, value in anew.items() if not sample[0].startswith("openrouter_duration_m")}
    long_running.close()

    assert any("(other)" in dict(labels).values() for _, labels in shown)


def _any(chance: random.Random) -> Record:
    return ended(
        user=f"user-{chance.randrange(20)}",
        model=f"m-{chance.randrange(6)}",
        tags={"team": f"t-{chance.randrange(3)}"},
        retries=chance.randrange(2),
        outcome=chance.choice(("ok", "abandoned")),
        duration=chance.choice((0.25, 0.5, 1.0)),
        usage=chance.choice((ended().answer.usage, None)),
    )


def test_five_thousand_series_take_well_under_a_second(write: Callable[..., None], journal: Path) -> None:
    records = [ended(user=f"user-{number % 1000}", model=f"m-{number // 1000}") for number in range(5000)]
    write(*records)
    with closing(JournalExport(str(journal), Settings(), {})) as export:
        export.text()
        write(*records[:100])
        began = time.process_time()
        text = export.text()
        changed = time.process_time()
        assert export.text() == text
        unchanged = time.process_time()

    assert text.count("openrouter_requests_total{") == 5000
    assert changed - began < 0.8
    assert unchanged - changed < 0.1


def test_extremes_are_of_this_minute_and_the_one_before(write: Callable[..., None], journal: Path) -> None:
    second = 10**9
    for at, duration in ((30, 9.0), (70, 3.0), (130, 1.0)):
        write(ended(started_at=at * second - round(duration * second), duration=duration))
    write(ended(started_at=125 * second, duration=0.1, outcome="abandoned"))

    def extremes(at: int) -> list[float]:
        shown = served(journal, at * second)
        return [float(v) for end in ("min", "max") for v in shown.values(f"openrouter_duration_{end}_seconds")]

    assert extremes(150) == [1.0, 3.0]
    assert extremes(200) == [1.0, 1.0]
    assert extremes(250) == []


# --- whatever becomes of the file ---
def test_a_journal_may_come_after_its_exporter(run: Run, host: str, journal: Path, tmp_path: Path) -> None:
    with Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        assert served.scrape().text == served.scrape().text == ""
        assert run(INSTRUMENT + "ask()", OPENROUTER_OTEL_JOURNAL=str(journal)).end() == 0
        assert served.scrape().total("openrouter_requests_total") == 1
        waits = [line for line in served.log.splitlines() if "nothing to show" in line]
        assert len(waits) == 1
        assert not journal.with_name("usage.db-journal").exists()


def _garbage(path: Path) -> None:
    path.write_text("no database, but dear to somebody" * 99)


def _of_others(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


def _later(path: Path) -> None:
    Writer(str(path), Source("0" * 16)).write([entry(ended(), ())])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_garbage, "not a database"),
        (_of_others, "another program's database"),
        (_later, "a later version of openrouter-otel"),
        (Path.mkdir, "it is no file"),
    ],
)
def test_a_file_that_is_no_journal_is_one_line_and_status_1(
    spoil: Callable[[Path], None], why: str, host: str, journal: Path, tmp_path: Path
) -> None:
    spoil(journal)
    with Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        assert served.process.wait(20) == 1
        [line] = served.log.splitlines()

    assert line.startswith(f"openrouter-otel: exporter: the journal {journal} cannot be read")
    assert why in line


def test_trouble_with_the_file_fails_the_scrape_and_is_over_when_it_is_over(
    write: Callable[..., None], journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Old figures would look like a time without calls; a failed scrape looks like what it is."""
    caplog.set_level("INFO", "openrouter_otel")
    write(ended())
    away = journal.with_name("away")
    with closing(JournalExport(str(journal), Settings(), {}, lambda: 0)) as export:
        good = export.text()
        journal.rename(away)
        _garbage(journal)
        for _ in range(2):
            with pytest.raises(JournalError):
                export.text()
        journal.unlink()
        away.rename(journal)
        assert export.text() == good

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_scrape_that_fails_says_why(host: str, journal: Path, tmp_path: Path, write: Callable[..., None]) -> None:
    write(ended())
    with Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        served.scrape()
        journal.unlink()
        _garbage(journal)
        with pytest.raises(urllib.error.HTTPError) as refused:
            served.scrape()
        with refused.value as answer:
            assert answer.code == 503
            assert b"not a database" in answer.read()


def test_a_journal_that_is_begun_anew_is_another_process(write: Callable[..., None], journal: Path) -> None:
    write(ended(), ended())
    with closing(JournalExport(str(journal), Settings(), {}, lambda: 0)) as export:
        old = Scrape(export.text())
        for part in ("", "-wal", "-shm"):
            journal.with_name(f"usage.db{part}").unlink(missing_ok=True)
        write(ended())
        new = Scrape(export.text())

    assert [int(shown.total("openrouter_requests_total")) for shown in (old, new)] == [2, 1]
    assert old.process != new.process


# --- the account ---
def test_the_account_is_served_alone_or_beside_a_journal(
    run: Run, openrouter: FakeOpenRouter, host: str, journal: Path, tmp_path: Path
) -> None:
    """One process for both; what the key has used is what the journal's calls came to."""
    assert run(INSTRUMENT + "ask()", OPENROUTER_OTEL_JOURNAL=str(journal)).end() == 0
    keys = {
        "OPENROUTER_BASE_URL": openrouter.base_url,
        "OPENROUTER_API_KEY": KEY,
        "OPENROUTER_MANAGEMENT_KEY": MANAGEMENT_KEY,
    }
    with Exporter(tmp_path, "--account", "--host", host, **keys) as alone:
        shown = asked(alone)
        assert not shown.values("openrouter_requests_total")
    with Exporter(tmp_path, "--account", "--journal", str(journal), "--host", host, **keys) as both:
        shown = asked(both)
        assert shown.total("openrouter_requests_total") == 1
        used = shown.values("openrouter_key_usage_usd", period="total")
        assert used == [shown.total("openrouter_cost_usd_total")] != [0]
        assert shown.values("openrouter_credits_remaining_usd") == [100 - used[0]]


def test_an_account_that_cannot_be_asked_keeps_no_journal_from_being_served(
    write: Callable[..., None], host: str, journal: Path, tmp_path: Path
) -> None:
    write(ended())
    nobody = {"OPENROUTER_BASE_URL": "http://127.0.0.1:9/api/v1", "OPENROUTER_API_KEY": KEY}
    with Exporter(tmp_path, "--account", "--journal", str(journal), "--host", host, **nobody) as served:
        assert served.scrape().total("openrouter_requests_total") == 1
        until(lambda: "cannot be had" in served.log)
        assert served.end() == 0
        assert "Traceback" not in served.log


def asked(exporter: Exporter) -> Scrape:
    """A scrape once OpenRouter has answered, which none waits for."""
    until(lambda: "openrouter_credits_remaining_usd" in exporter.scrape().text)
    return exporter.scrape()


# --- the command ---
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_it_is_told_to(sign: int, host: str, journal: Path, tmp_path: Path) -> None:
    with Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        served.scrape()
        served.process.send_signal(sign)

        assert served.process.wait(10) == 0
        assert "Traceback" not in served.log


def test_it_takes_the_next_of_the_ten_ports_where_a_program_has_the_first(
    host: str, journal: Path, tmp_path: Path
) -> None:
    with socket.create_server((host, 9464)), Exporter(tmp_path, "--journal", str(journal), "--host", host) as served:
        served.scrape()

        assert f"http://{host}:9465/metrics" in served.log


def test_a_port_that_was_asked_for_and_is_taken_is_one_line_and_status_1(
    host: str, journal: Path, tmp_path: Path, openrouter: FakeOpenRouter
) -> None:
    port = str(openrouter.port)
    with Exporter(tmp_path, "--journal", str(journal), "--host", "127.0.0.1", "--port", port) as served:
        assert served.process.wait(20) == 1
        assert f"no socket at 127.0.0.1:{port}" in served.log.splitlines()[-1]


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--journal", " "],
        ["--account"],
        ["--account", "--resolve"],
        ["--journal", "a", "--port", "x"],
        ["--journal", "a", "--port", "70000"],
        ["--nonsense"],
    ],
)
def test_arguments_that_make_no_sense_are_one_line(
    argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENROUTER_OTEL_JOURNAL", "OPENROUTER_API_KEY", "OPENROUTER_MANAGEMENT_KEY"):
        monkeypatch.delenv(variable, raising=False)

    assert exporter.main(argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("openrouter-otel: exporter: ")


def test_resolving_without_a_key_says_which_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)

    assert exporter.main(["--journal", "a", "--resolve"]) == 2
    assert "OPENROUTER_API_KEY" in capsys.readouterr().err
