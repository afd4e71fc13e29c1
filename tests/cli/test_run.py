"""`openrouter-otel run`: any program, measured from outside, and its bill like that of `time`."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_openrouter import FakeOpenRouter
from journal.reading import records

CALLS = """
import os, sys
from openai import OpenAI
client = OpenAI(base_url=os.environ["GATEWAY"], api_key="sk-or-v1-test", max_retries=0)

def ask(scenario="good;cost=0.01", model="openai/gpt-4o-mini", **more):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
    return client.chat.completions.create(**body, extra_headers={"x-scenario": scenario})
"""
Start = Callable[..., "subprocess.Popen[str]"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Writes a user's program, says where."""

    def write(code: str, prelude: str = CALLS) -> str:
        path = tmp_path / "agent.py"
        path.write_text(prelude + code, "utf-8")
        return str(path)

    return write


@pytest.fixture
def start(openrouter: FakeOpenRouter, tmp_path: Path) -> Start:
    """Starts `openrouter-otel run` in a process group of its own."""

    def started(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "OPENROUTER_", "PYTHONPATH"))}
        url = openrouter.base_url
        return subprocess.Popen(
            [sys.executable, "-m", "openrouter_otel.cli", "run", *arguments],
            env={**plain, "GATEWAY": url, "OPENROUTER_OTEL_BASE_URLS": url, "TMPDIR": str(tmp_path), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            start_new_session=True,
        )

    return started


@pytest.fixture
def run(start: Start) -> Run:
    """Runs it to its end."""

    def ran(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = start(*arguments, **variables)
        out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return ran


def test_a_program_that_knows_nothing_of_us_is_billed_when_it_ends(
    run: Run, program: Callable[[str], str], tmp_path: Path
) -> None:
    agent = program(
        """
print("its own output", *sys.argv[1:])
for _ in range(11): ask()
ask("good;cost=0.5", model="anthropic/claude-sonnet-4.5")
for _ in range(2):
    stream = ask("endless;chunk_delay=0.001", stream=True)
    next(stream)
    stream.close()
sys.exit(7)
"""
    )
    ran = run("--", sys.executable, agent, "--kill", "-x")

    first, *table = ran.stderr.splitlines()
    assert ran.returncode == 7
    assert ran.stdout == "its own output --kill -x\n"
    assert re.fullmatch(r"14 calls, \$0\.6100, p95 \d+ ms, 2 abandoned, 2 calls of unknown price", first)
    assert [line.split() for line in table] == [
        ["model", "calls", "tokens", "cost", "unpriced"],
        ["anthropic/claude-sonnet-4.5", "1", table[1].split()[2], "$0.5000", "0"],
        ["openai/gpt-4o-mini", "13", table[2].split()[2], "$0.1100", "2"],
    ]
    assert os.listdir(tmp_path) == ["agent.py"]  # the journal was a temporary one


def test_children_of_the_program_are_billed_too(run: Run, program: Callable[[str], str]) -> None:
    agent = program(
        """
import multiprocessing, subprocess
if len(sys.argv) > 1:
    ask(); sys.exit()
os.chdir("/")
subprocess.run([sys.executable, __file__, "child"], check=True)
subprocess.run(["sh", "-c", f"{sys.executable} {__file__} grandchild"], check=True)
worker = multiprocessing.get_context("fork").Process(target=ask)
worker.start(); worker.join()
ask()
"""
    )

    assert run("--", sys.executable, agent).stderr.startswith("4 calls, $0.0400, ")


def test_a_given_journal_is_kept_and_only_this_run_is_billed(
    run: Run, program: Callable[[str], str], tmp_path: Path
) -> None:
    agent = program("ask()")
    run("--journal", "usage.db", sys.executable, agent)
    second = run(sys.executable, agent, OPENROUTER_OTEL_JOURNAL=str(tmp_path / "usage.db"))

    assert second.stderr.startswith("1 call, $0.0100, ")
    assert len({row["run"] for row in records(tmp_path / "usage.db")}) == 2


@pytest.mark.parametrize(
    ("limit", "status"),
    [("0.03", 0), ("0.0299", 3), ("0.0000001", 3), ("0", 3)],
    ids=["at the limit", "above it", "hardly anything allowed", "nothing allowed"],
)
def test_a_build_can_gate_on_the_bill(limit: str, status: int, run: Run, program: Callable[[str], str]) -> None:
    ran = run("--max-cost", limit, "--", sys.executable, program("for _ in range(3): ask()"))

    assert ran.returncode == status
    assert ran.stderr.endswith(f" is more than the limit of ${limit}\n") is (status == 3)


def test_what_becomes_too_dear_is_stopped_with_all_that_it_has_started(
    run: Run, program: Callable[[str], str], openrouter: FakeOpenRouter
) -> None:
    agent = program("import time\nwhile True:\n    ask(); time.sleep(0.02)")
    begun = time.monotonic()
    ran = run("--max-cost", "0.05", "--kill", "--", "sh", "-c", f"{sys.executable} {agent}; true")

    assert ran.returncode == 3
    assert ran.stderr.endswith("is more than the limit of $0.05; the program was stopped\n")
    assert time.monotonic() - begun < 6
    before = len(openrouter.book.entries)
    time.sleep(0.3)
    assert len(openrouter.book.entries) == before  # the shell's child is gone as well


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "no command to run"),
        (["--max-cost", "much", "--", "true"], 2, "'much' is no amount"),
        (["--max-cost", "-1", "--", "true"], 2, "no amount"),
        (["--kill", "--", "true"], 2, "--kill needs --max-cost"),
        (["--frobnicate", "--", "true"], 2, "--help shows"),
        (["--journal", "/proc/usage.db", "--", "true"], 2, "/proc/usage.db cannot be used"),
        (["--", "no-such-command"], 127, "no-such-command: command not found"),
        (["--", "/"], 126, "/: "),
    ],
)
def test_bad_use_is_one_line_and_nothing_is_run(arguments: list[str], status: int, says: str, run: Run) -> None:
    ran = run(*arguments)

    assert (ran.returncode, ran.stdout) == (status, "")
    [line] = ran.stderr.splitlines()
    assert line.startswith("openrouter-otel: run: ")
    assert says in line


@pytest.mark.parametrize(("number", "to_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_reaches_the_program_once_and_the_bill_is_told(
    number: signal.Signals, to_group: bool, start: Start, program: Callable[[str], str]
) -> None:
    agent = program(
        f"""
import signal, time
seen = []
signal.signal({int(number)}, lambda *_: seen.append(1))
ask()
print("ready", flush=True)
while not seen: time.sleep(0.01)
time.sleep(0.3)
print(len(seen), flush=True)
os.kill(os.getpid(), 9)
"""
    )
    process = start("--", sys.executable, agent)
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 20)[0]
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.7)  # until the call is written down: the end will be sudden
    (os.killpg if to_group else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=20)

    assert out == "1\n"
    assert process.returncode == 128 + 9
    assert err.startswith("1 call, $0.0100")


def test_a_program_that_ctrl_c_ends_is_billed(start: Start, program: Callable[[str], str]) -> None:
    process = start("--", sys.executable, program("ask(); print('ready', flush=True)\nwhile True: pass"))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGINT
    assert "1 call, $0.0100" in err
    assert err.count("KeyboardInterrupt") == 1


def test_a_sitecustomize_of_the_users_own_is_run_as_well(
    run: Run, program: Callable[[str], str], tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text("import builtins; builtins.company = 'set up'")
    agent = program("ask(); import sitecustomize; print(company, sitecustomize.__file__)")

    ran = run("--", sys.executable, agent, PYTHONPATH=str(theirs))
    assert ran.stdout == f"set up {theirs / 'sitecustomize.py'}\n"
    assert ran.stderr.startswith("1 call, $0.0100")


OWN = """
from openrouter_otel import OpenRouterInstrumentor, usage_context
OpenRouterInstrumentor().instrument(users="off")
with usage_context(user="alice"): ask()
"""


@pytest.mark.parametrize("first", [CALLS + OWN, OWN.split("with")[0] + CALLS + "with" + OWN.split("with")[1]])
def test_a_program_that_measures_itself_is_counted_once_and_by_its_own_settings(
    first: str, run: Run, program: Callable[..., str], tmp_path: Path
) -> None:
    ran = run("--journal", "usage.db", "--", sys.executable, program(first, ""))

    assert ran.stderr.startswith("1 call, $0.0100")
    assert "already instrumented" not in ran.stderr
    assert [row["user_id"] for row in records(tmp_path / "usage.db")] == [None]


def test_hostile_names_cannot_write_to_the_terminal(run: Run, program: Callable[[str], str]) -> None:
    ran = run("--", sys.executable, program("ask('good;model=%1b[2Jnice%0amodel')"))

    assert "\x1b" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 3


def test_a_program_without_calls_costs_nothing(run: Run) -> None:
    ran = run("--", sys.executable, "-c", "import openai")

    assert ran.returncode == 0
    assert ran.stderr == "0 calls, $0; if there should be some, ask openrouter-otel doctor -- command ...\n"
