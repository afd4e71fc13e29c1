"""`openrouter-otel tail`: calls as they happen, from the journal that real programs write."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from fcntl import ioctl
from pathlib import Path
from typing import IO

import pytest

from endpoint.conftest import Run, host, run
from endpoint.programs import Program
from openrouter_otel import cli
from openrouter_otel.reporting.render.columns import width

__all__ = ["host", "run"]

PATIENCE = 20.0
MEASURE = "OpenRouterInstrumentor().instrument(journal=os.environ['JOURNAL'], journal_retention_days=1)\n"
KINDS = """
ask("good;cost=0.01", user="alice")
for _ in ask("good;cost=0.000012", stream=True, stream_options={"include_usage": True}): pass
stream = ask("endless;chunk_delay=0.001", stream=True); next(stream); stream.close()
try: ask("error;status=400", client=client.with_options(max_retries=0))
except Exception: pass
ask("good;model=%1b[2Jnice%0amodel", user="anthropic-long-\\x1b[31mname\\u202e-of-a-user-who-is-many")
record({"id": "g", "model": "mine", "choices": [{"finish_reason": "stop"}], "usage": {"cost": 2.5}}, user="alice")
"""
Tail = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "usage.db"


@pytest.fixture
def tail(journal: Path) -> Iterator[Tail]:
    """Starts `openrouter-otel tail`."""
    with ExitStack() as stack:

        def start(
            *arguments: str, stdout: int | IO[bytes] = subprocess.PIPE, **variables: str
        ) -> subprocess.Popen[bytes]:
            plain = {k: v for k, v in os.environ.items() if not k.startswith(("OPENROUTER_", "COLUMNS"))}
            process = subprocess.Popen(
                [sys.executable, "-m", "openrouter_otel.cli", "tail", *arguments],
                env={**plain, "OPENROUTER_OTEL_JOURNAL": str(journal), "TZ": "UTC", **variables},
                stdout=stdout,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.kill)
            return stack.enter_context(process)

        yield start


@pytest.fixture
def written(run: Run, journal: Path) -> Callable[..., Program]:
    """Runs a program that keeps the journal, to its end."""

    def write(code: str) -> Program:
        program = run(MEASURE + code, JOURNAL=str(journal))
        assert program.end() == 0
        return program

    return write


def line(process: subprocess.Popen[bytes]) -> str:
    """What it prints next."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE)[0], "it prints nothing"
    return process.stdout.readline().decode().rstrip("\n")


def ended(process: subprocess.Popen[bytes]) -> tuple[int, list[str], str]:
    """Its status, the lines it has printed and what it complained of."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, (out or b"").decode().splitlines(), err.decode()


def on_a_terminal(tail: Tail, columns: int, *arguments: str) -> list[str]:
    """What a terminal of that width is given."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = tail("--no-follow", *arguments, stdout=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux' way to say that the other side is closed
        while select.select([ours], [], [], PATIENCE)[0]:
            shown += os.read(ours, 65536)
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    return shown.decode().splitlines()


def test_every_kind_of_call_is_a_line_and_unknown_is_not_zero(written: Callable[..., Program], tail: Tail) -> None:
    written(KINDS)
    status, [head, *lines], err = ended(tail("--no-follow"))
    cells = [row.split() for row in lines]

    assert (status, err) == (0, "")
    assert head.split() == ["time", "model", "user", "input", "output", "cost", "took", "first", "outcome"]
    good, stream, abandoned, failed, _, recorded = cells
    assert good[1:3] + good[5:6] + good[-2:] == ["openai/gpt-4o-mini", "alice", "$0.0100", "-", "ok"]
    assert stream[2] == "anonymous"
    assert stream[5] == "$0.000012"
    assert stream[-2] == "ms"  # its first token
    assert abandoned[3:6] == ["unknown"] * 3
    assert abandoned[-1] == "abandoned"
    assert failed[3:6] == ["-"] * 3
    assert failed[-2] == "error"
    assert failed[-1] == "invalid_request"
    assert recorded[1:] == ["mine", "alice", "unknown", "unknown", "$2.5000", "?", "-", "ok"]


def test_lines_are_aligned_and_names_harmless_on_a_terminal(written: Callable[..., Program], tail: Tail) -> None:
    written(KINDS)
    for columns in (80, 140):
        assert_aligned_and_harmless(columns, *on_a_terminal(tail, columns))


def assert_aligned_and_harmless(columns: int, head: str, *lines: str) -> None:
    calls = [row for row in lines if row[0] != " "]

    assert len(calls) == 6
    assert {len(row) <= columns for row in lines} == {True}
    assert {row[head.index("outcome") - 1] for row in calls} == {" "}
    assert [row[head.index("outcome") :].split()[0] for row in calls] == ["ok", "ok", "abandoned", "error", "ok", "ok"]
    assert {row[head.index("user") - 1] for row in calls} == {" "}
    assert "invalid_request" in lines[3] + lines[4]
    assert not [char for row in lines for char in row if not char.isprintable()]


def test_names_of_any_script_fit_their_columns(written: Callable[..., Program], tail: Tail) -> None:
    users = ("山田太郎" * 9, "🚀" * 30, "e\u0301" * 30, "מ" * 30, "a" * 128, "ไทยน้ำ", "bob")
    written(f"for user in {users!r}: ask(user=user, model=user)")
    for columns in (80, 99, 100, 140):
        head, *calls = on_a_terminal(tail, columns)

        assert len(calls) == len(users)
        assert max(map(width, (head, *calls))) <= columns
        assert {width(row[: row.rindex(" ok")]) for row in calls} == {width(head[: head.rindex(" outcome")])}
        assert ("first" in head) is (columns >= 100)


def test_calls_appear_as_they_happen_also_after_a_pruning(run: Run, journal: Path, tail: Tail) -> None:
    program = run(MEASURE + "for number in range(3):\n ask(user=f'u{number}'); say(); hear()", JOURNAL=str(journal))
    program.hear()
    process = tail()
    seen = [line(process), line(process)]
    with closing(sqlite3.connect(journal, timeout=PATIENCE)) as pruner:
        pruner.execute("DELETE FROM calls")
        pruner.commit()
    for _ in range(2):
        program.go_on()
        program.hear()
        seen.append(line(process))

    assert [row.split()[2] for row in seen] == ["user", "u0", "u1", "u2"]


def test_it_waits_for_a_journal_that_is_not_there_yet(written: Callable[..., Program], tail: Tail) -> None:
    process = tail("-n", "0")
    assert process.stderr is not None
    assert select.select([process.stderr], [], [], PATIENCE)[0]
    told = process.stderr.readline().decode()
    written("ask(user='first'); ask(user='second')")

    assert told.startswith("openrouter-otel: tail: waiting for ")
    assert [line(process).split()[2] for _ in range(3)] == ["user", "first", "second"]
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, [], "")


def test_a_journal_that_is_made_anew_is_followed_from_its_beginning(
    written: Callable[..., Program], journal: Path, tail: Tail
) -> None:
    written("ask(user='old'); ask(user='older')")
    process = tail("-n", "1")
    assert [line(process).split()[2] for _ in range(2)] == ["user", "older"]
    for file in journal.parent.glob("usage.db*"):
        file.unlink()
    written("ask(user='new')")

    assert line(process).split()[2] == "new"


# Options, and whose calls are shown with them.
LATEST: list[tuple[list[str], list[str]]] = [
    (["-n", "2"], ["b", "anonymous"]),
    (["-n", "0"], []),
    (["--user", "a"], ["a", "a"]),
    (["--user", "anonymous"], ["anonymous"]),
    (["--model", "openai/gpt-5", "-n", "1"], ["a"]),
    (["--user", "nobody' OR 1=1 --"], []),
]


def test_the_last_calls_of_a_user_or_model(written: Callable[..., Program], tail: Tail) -> None:
    written("ask(user='a'); ask(user='a', model='openai/gpt-5'); ask(user='b'); ask()")
    for arguments, users in LATEST:
        _, [_, *lines], _ = ended(tail("--no-follow", *arguments))
        assert [row.split()[2] for row in lines] == users, arguments


def test_whoever_has_seen_enough_ends_it_quietly(written: Callable[..., Program], tail: Tail) -> None:
    written("for _ in range(5): ask()")
    process = tail()
    head = subprocess.run(["head", "-n", "2"], stdin=process.stdout, capture_output=True, text=True, check=True)
    assert process.stdout is not None
    process.stdout.close()
    begun = time.monotonic()

    assert len(head.stdout.splitlines()) == 2
    assert process.wait(PATIENCE) == 0  # though no further call comes
    assert time.monotonic() - begun < 5
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_yesterdays_calls_stand_below_their_date(written: Callable[..., Program], journal: Path, tail: Tail) -> None:
    written("ask(); ask()")
    with closing(sqlite3.connect(journal)) as clock:
        clock.execute("UPDATE calls SET ended_at = 1795478400000 WHERE id = 1")  # 2026-11-24T00:00:00Z
        clock.commit()
    _, [_, date, first, today, second], _ = ended(tail("--no-follow"))

    assert (date, first[:8]) == ("2026-11-24", "00:00:00")
    assert len(today) == 10
    assert second.endswith("ok")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--journal", ""], 2, "there is no journal: name one with --journal FILE or OPENROUTER_OTEL_JOURNAL"),
        (["-n", "many"], 2, "'many' is no number of calls"),
        (["-n", "-1"], 2, "'-1' is no number"),
        (["--frobnicate"], 2, "--help shows"),
        (["--no-follow"], 1, "there is no such file"),
        (["--journal", __file__], 1, "file is not a database"),
        (["--journal", __file__, "--no-follow"], 1, "file is not a database"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str],
    status: int,
    says: str,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENROUTER_OTEL_JOURNAL", str(journal))
    assert cli.main(["tail", *arguments]) == status

    said = capsys.readouterr()
    [complaint] = said.err.splitlines()
    assert said.out == ""
    assert complaint.startswith("openrouter-otel: tail: ")
    assert says in complaint
