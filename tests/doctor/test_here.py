"""What the doctor finds on this host: ports, the journal, packages and settings."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from doctor.conftest import CALLS, Diagnose, Run, Started, calls_in_history
from doctor.test_prometheus import acme
from openrouter_otel.doctoring import kept
from openrouter_otel.doctoring.arguments import parse
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.journal.writing import Source, Writer

AWAY = ("--prometheus", "http://127.0.0.1:1")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "usage.db"


def written(run: Run, journal: Path, calls: str = "ask()") -> None:
    """A program has made calls and kept them."""
    assert run("OpenRouterInstrumentor().instrument()\n" + calls, OPENROUTER_OTEL_JOURNAL=str(journal)).end() == 0


# --- ports ---
def test_no_program_here_is_noted(diagnose: Diagnose, host: str) -> None:
    diagnose(*AWAY).find("note", f"no instrumented program serves metrics at ports 9464 to 9473 of {host}")


def test_a_program_at_a_later_port_is_found_with_its_versions(run: Run, diagnose: Diagnose, host: str) -> None:
    with acme(host, 9464):
        run(CALLS).hear()
        found = diagnose(*AWAY)

    found.find("warning", f"{host}:9464 is taken by another server (Acme/1 ")
    found.find("ok", f"{host}:9465 serves the metrics of a program (openrouter-otel ")


def test_a_port_of_ones_own_that_others_have_is_a_problem(
    diagnose: Diagnose, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "9470")

    class Mute(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example.com\r\n")

    with ThreadingTCPServer((host, 9470), Mute) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        found = diagnose(*AWAY)
        server.shutdown()

    wrong = found.find("problem", f"{host}:9470, which OTEL_EXPORTER_PROMETHEUS_PORT names, is taken by a program that")
    assert "free port" in wrong["advice"]


def test_ten_taken_ports_leave_none_for_the_next_program(diagnose: Diagnose, host: str) -> None:
    with ExitStack() as stack:
        for port in range(9464, 9474):
            stack.enter_context(acme(host, port))
        diagnose(*AWAY).find("problem", "all 10 ports are taken")


# --- the journal ---
def test_a_journal_in_order_does_without_a_prometheus_that_nobody_named(
    run: Run, diagnose: Diagnose, journal: Path
) -> None:
    written(run, journal, "ask(); ask()")
    found = diagnose("--journal", "usage.db")

    found.find("ok", f"the journal {journal} has 2 calls, the last of 20")
    assert found.told("problem", "warning") == []
    assert found.status == 0


def test_a_journal_that_is_not_there_yet_is_made_by_the_first_call(diagnose: Diagnose, journal: Path) -> None:
    diagnose("--journal", str(journal)).find("warning", f"the journal {journal} has no call yet: there is no such file")
    assert not journal.exists()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/no/such/folder/usage.db", "its folder cannot be written to, or is not there"),
        (__file__, "file is not a database"),
        ("other.db", "it is another program's database"),
    ],
)
def test_what_is_no_journal_is_a_problem(path: str, says: str, diagnose: Diagnose) -> None:
    with closing(sqlite3.connect("other.db")) as other:
        other.execute("CREATE TABLE theirs (id)")
    found = diagnose("--journal", path)

    found.find("problem", f"cannot be used: {says}")
    assert found.status == 1


def test_others_may_not_read_the_journal(run: Run, diagnose: Diagnose, journal: Path) -> None:
    written(run, journal)
    journal.chmod(0o644)

    found = diagnose("--journal", str(journal)).find("warning", "can be read by others (mode 0644)")
    assert found["advice"] == f"chmod 600 {journal}"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_journal_that_this_user_cannot_write_loses_calls(run: Run, journal: Path, tmp_path: Path) -> None:
    written(run, journal)
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode & ~0o222 | 0o055)
    try:
        with as_nobody():
            found = list(kept.journal(Setup(parse(["--journal", str(journal)]))))
    finally:
        tmp_path.chmod(0o755)

    assert f"problem: the journal {journal} cannot be written by this user: calls get lost" in [
        f"{finding.status}: {finding.what}" for finding in found
    ]


def test_lost_and_unpriced_calls_are_counted(run: Run, diagnose: Diagnose, journal: Path) -> None:
    written(run, journal, "s = ask('endless;chunk_delay=0.001', stream=True); next(s); s.close()")
    Writer(str(journal), Source("00000000000000bb")).write([], lost=3)
    found = diagnose("--journal", str(journal))

    found.find("warning", "3 calls could not be written to the journal")
    assert found.find("note", "1 call in the journal without a price")["advice"].startswith("openrouter-otel resolve")


def test_calls_that_a_program_and_an_exporter_serve_are_counted_twice(
    run: Run, diagnose: Diagnose, journal: Path, started: Started, host: str
) -> None:
    both = run(
        "OpenRouterInstrumentor().instrument(serve_metrics=True)\nask()\nimport time\ntime.sleep(0.5)\nsay()\nhear()",
        OPENROUTER_OTEL_JOURNAL=str(journal),
    )
    both.hear()
    alone = diagnose("--journal", str(journal))
    with closing(sqlite3.connect(journal)) as connection:
        [identity] = connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
    exported = started(history=calls_in_history(300, 0, process=identity))
    twice = diagnose("--journal", str(journal), "--prometheus", exported.url)

    alone.find("warning", f"the program at {host}:9464 keeps the journal and serves its metrics as well")
    twice.find("problem", "an exporter serves the journal: its calls are counted twice")


# --- packages and settings ---
def test_settings_that_make_no_sense_are_problems(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_MAX_USERS", "many")
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "http")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    found = diagnose(*AWAY)

    assert found.find("problem", "OPENROUTER_OTEL_MAX_USERS takes a whole number above 0, not 'many'")["advice"]
    found.find("problem", "OTEL_EXPORTER_PROMETHEUS_PORT takes a port number")
    found.find("problem", "OTEL_SDK_DISABLED is set")


def elsewhere(folder: Path, without: tuple[str, ...]) -> Path:
    """This environment's packages without some."""
    folder.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not entry.name.startswith(without):
            (folder / entry.name).symlink_to(entry)
    return folder


def test_packages_that_are_too_old_or_missing_are_found(tmp_path: Path) -> None:
    folder = elsewhere(tmp_path / "packages", ("genai_prices", "openai-", "wrapt-"))
    (folder / "openai-0.28.1.dist-info").mkdir()
    (folder / "openai-0.28.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: openai\nVersion: 0.28.1\n"
    )
    source = str(Path(__file__).parents[2] / "src")
    told = subprocess.run(
        [sys.executable, "-S", "-m", "openrouter_otel.cli", "doctor", "--format", "json", *AWAY],
        env={"PYTHONPATH": f"{source}:{folder}", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    findings = {each["what"]: each for each in json.loads(told.stdout)["findings"]}

    assert findings["openai 0.28.1 is installed, and <4,>=1.40 is supported"]["status"] == "problem"
    assert findings["wrapt is not installed"]["status"] == "problem"
    [prices] = [each for what, each in findings.items() if "genai-prices is not installed" in what]
    assert prices["advice"] == "pip install 'openrouter-otel[prices]'"
