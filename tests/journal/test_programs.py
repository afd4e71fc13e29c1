"""Real programs that keep a journal: however they end, the books are right."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from charges import charged
from endpoint.programs import Program
from fake_openrouter import FakeOpenRouter
from journal.reading import assert_sums_are_those_of_the_rows, by, records, spent
from waiting import until

Run = Callable[..., Program]

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"


def test_a_script_of_a_moment_loses_nothing_and_serves_nothing(
    run: Run, openrouter: FakeOpenRouter, journal: Path
) -> None:
    program = run(
        INSTRUMENT
        + """
with usage_context(user="alice", session="s-1", tags={"team": "search"}):
    for _ in range(5): ask()
    ask("byok;fee=0.00001")
    try: ask("error;status=400")
    except Exception: pass
    stream = ask("endless;chunk_delay=0.001", stream=True)
    next(stream)
record({"id": "gen-x", "model": "m", "choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 1}})
""",
        OPENROUTER_OTEL_JOURNAL=str(journal),
    )

    assert program.end() == 0, program.log
    assert by(journal, "outcome") == {"ok": 7, "error": 1, "abandoned": 1}
    assert by(journal, "cost_source") == {"reported": 6, "none": 1, "unknown": 2}
    assert by(journal, "user_id") == {"alice": 8, None: 1}
    assert spent(journal) == charged(openrouter) > 0
    assert_sums_are_those_of_the_rows(journal)
    assert program.addresses == program.lines("WARNING") == program.lines("ERROR") == []
    assert not journal.with_name("usage.db-wal").exists()  # closed, not just left


def test_a_kill_loses_at_most_the_last_second(run: Run, openrouter: FakeOpenRouter, journal: Path) -> None:
    program = run(
        INSTRUMENT
        + """
import threading, time
def work():
    while True: ask()
for _ in range(3): threading.Thread(target=work, daemon=True).start()
time.sleep(1.7)
say()
os.kill(os.getpid(), 9)
""",
        OPENROUTER_OTEL_JOURNAL=str(journal),
    )
    program.hear()
    killed = time.time()

    assert program.end() == -signal.SIGKILL
    openrouter.book.settle()
    entries = {entry.id: entry.told.charge for entry in openrouter.book.entries if entry.time < killed - 1}
    written = {row["generation_id"]: Decimal(row["cost"]) for row in records(journal)}
    assert len(entries) > 50
    assert entries.items() <= written.items()
    assert_sums_are_those_of_the_rows(journal)


EIGHT = """
import multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)
OpenRouterInstrumentor().instrument()

def work(number):
    mine = new_client()
    for _ in range(40): ask(client=mine, user=f"user-{number}")

ask(user="parent")
workers = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(8)]
for worker in workers: worker.start()
ask(user="parent")
for worker in workers: worker.join()
say([worker.exitcode for worker in workers])
"""


def test_eight_forked_workers_write_one_file_each_call_once(
    run: Run, openrouter: FakeOpenRouter, journal: Path
) -> None:
    program = run(EIGHT, OPENROUTER_OTEL_JOURNAL=str(journal))

    assert program.hear() == [0] * 8
    assert program.end() == 0
    assert by(journal, "user_id") == {"parent": 2, **{f"user-{n}": 40 for n in range(8)}}
    assert len(by(journal, "process")) == len(by(journal, "pid")) == 9
    assert len({row["generation_id"] for row in records(journal)}) == 322
    assert spent(journal) == charged(openrouter)
    assert_sums_are_those_of_the_rows(journal)
    assert program.lines("WARNING") == []


WORKERS = """
import multiprocessing
OpenRouterInstrumentor().instrument()

def work(number):
    ask(user=f"user-{number}")

if __name__ == "__main__":
    context = multiprocessing.get_context(os.environ["METHOD"])
    worker = context.Process(target=work, args=(9,))
    worker.start(); worker.join()
    say(worker.exitcode)
    hear()
    with context.Pool(2) as pool:
        pool.map(work, range(8), 1)
        pool.close()
        pool.join()
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_neither_a_worker_that_ends_at_once_nor_a_pool_that_is_joined_loses_a_call(
    method: str, run: Run, journal: Path
) -> None:
    program = run(WORKERS, OPENROUTER_OTEL_JOURNAL=str(journal), METHOD=method)

    assert program.hear() == 0
    assert by(journal, "user_id") == {"user-9": 1}
    program.go_on()
    assert program.end() == 0, program.log
    assert by(journal, "user_id") == {"user-9": 1, **{f"user-{number}": 1 for number in range(8)}}


def test_a_program_that_becomes_a_daemon_keeps_what_it_had_before(
    run: Run, openrouter: FakeOpenRouter, journal: Path
) -> None:
    program = run(
        INSTRUMENT
        + """
import threading
ask(user="before")
if os.fork(): os._exit(0)
ask(client=new_client(), user="after")
say(threading.active_count())
""",
        OPENROUTER_OTEL_JOURNAL=str(journal),
    )

    assert program.hear() == 2  # itself and its own writer
    until(lambda: by(journal, "user_id") == {"before": 1, "after": 1})
    assert len(by(journal, "process")) == 2
    assert spent(journal) == charged(openrouter)


@pytest.mark.parametrize(
    ("users", "expected"),
    [("hashed", "fdbf8b1cacd3d578"), ("off", None)],
)
def test_users_are_known_to_the_journal_as_the_setting_says(
    users: str, expected: str | None, run: Run, journal: Path
) -> None:
    program = run(
        INSTRUMENT + 'ask(user="alice")',
        OPENROUTER_OTEL_JOURNAL=str(journal),
        OPENROUTER_OTEL_USERS=users,
        OPENROUTER_OTEL_USER_HASH_KEY="0123456789abcdef",
    )

    assert program.end() == 0
    assert by(journal, "user_id") == {expected: 1}
    assert b"alice" not in journal.read_bytes()


def test_measuring_can_end_and_begin_again(run: Run, openrouter: FakeOpenRouter, journal: Path) -> None:
    program = run(
        """
import threading
OpenRouterInstrumentor().instrument()
ask()
OpenRouterInstrumentor().uninstrument()
say(threading.active_count())
ask()
OpenRouterInstrumentor().instrument()
ask()
""",
        OPENROUTER_OTEL_JOURNAL=str(journal),
    )

    assert program.hear() == 1
    assert program.end() == 0
    assert len(records(journal)) == 2
    assert_sums_are_those_of_the_rows(journal)
