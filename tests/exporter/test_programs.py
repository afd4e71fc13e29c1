"""Programs that no Prometheus could scrape, through their journal and its exporter: the report equals the charges."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from endpoint.programs import Program
from exporter.conftest import Stage, until
from journal.reading import ask, records
from real_prometheus import free_port

Run = Callable[..., Program]

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"


def test_a_thousand_scripts_of_a_moment_are_one_set_of_series(stage: Stage, run: Run) -> None:
    """As cron starts them: each lives a moment, some at the same time, and the exporter is there before any of them."""

    def script(_: int) -> None:
        program = run(
            INSTRUMENT + 'ask(user="cron"); ask("byok;fee=0.000125", user="cron")',
            OPENROUTER_OTEL_JOURNAL=str(stage.journal),
        )
        assert program.end() == 0, program.log

    with stage.exporter() as exporter:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(script, range(6)))
        stage.await_scrape(12)
        assert len(exporter.scrape().values("openrouter_requests_total")) == 1
    report = stage.report()

    assert report["summary"]["all_time"]["total_requests"] == 12
    assert report["user_stats"]["cron"]["requests"] == 12
    assert stage.query("count(count by (process) (last_over_time(openrouter_requests_total[1h])))") == 1


PREFORK = """
import threading
OpenRouterInstrumentor().instrument()
from gunicorn.app.base import BaseApplication

def app(environ, start_response):
    ask(client=new_client(), user=environ["PATH_INFO"].strip("/"))
    start_response("200 OK", [("Content-Length", "0")])
    return []

class Server(BaseApplication):
    def load_config(self):
        options = {"bind": os.environ["BIND"], "workers": 4, "threads": 2, "preload_app": True, "graceful_timeout": 1}
        for name, value in options.items(): self.cfg.set(name, value)

    def load(self):
        ask(user="parent")
        return app

Server().run()
"""


def test_gunicorn_with_four_workers(stage: Stage, run: Run, tmp_path: Path) -> None:
    """Instrumented and used before the fork, as `--preload` has it."""
    bind = f"127.0.0.1:{free_port()}"
    program = run(PREFORK, OPENROUTER_OTEL_JOURNAL=str(stage.journal), BIND=bind, HOME=str(tmp_path))
    until(lambda: "Booting worker" in program.log)

    def visit(number: int) -> None:
        until(lambda: answers(f"http://{bind}/user-{number % 3}"))

    with stage.exporter():
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(visit, range(40)))
        stage.await_scrape(41)
    report = stage.report()

    assert {user: row["requests"] for user, row in report["user_stats"].items()} == {
        "user-0": 14,
        "user-1": 13,
        "user-2": 13,
        "parent": 1,
    }
    assert len(ask(stage.journal, "SELECT DISTINCT process FROM records WHERE user_id <> 'parent'")) > 1


POOL = """
import multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)
OpenRouterInstrumentor().instrument()

def work(number):
    for _ in range(5): ask(client=new_client(), user=f"user-{number}")

if __name__ == "__main__":
    ask(user="parent")
    context = multiprocessing.get_context(os.environ["METHOD"])
    workers = [context.Process(target=work, args=(n,)) for n in range(2)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    ask(user="parent")
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing(method: str, stage: Stage, run: Run) -> None:
    with stage.exporter():
        program = run(POOL, OPENROUTER_OTEL_JOURNAL=str(stage.journal), METHOD=method)
        assert program.end() == 0, program.log
        stage.await_scrape(12)
    report = stage.report()

    assert {user: row["requests"] for user, row in report["user_stats"].items()} == {
        "parent": 2,
        "user-0": 5,
        "user-1": 5,
    }


# The whole of a notebook: a real kernel, real cells, and the end that closing it brings.
NOTEBOOK = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
for cell in sys.argv[1:]:
    said = client.execute_interactive(cell, timeout=30)["content"]
    assert said["status"] == "ok", said
client.stop_channels()
manager.shutdown_kernel()
"""


def test_a_notebook(stage: Stage, run: Run, tmp_path: Path) -> None:
    """Its cells are run one by one, and a stream that is left early is unpriced."""
    cells = (
        "import os; from openai import OpenAI",
        "from openrouter_otel import OpenRouterInstrumentor; OpenRouterInstrumentor().instrument()",
        "client = OpenAI(base_url=os.environ['OPENROUTER_OTEL_BASE_URLS'], api_key='sk-or-v1-test')\n"
        "def ask(scenario='good', **more): return client.chat.completions.create(model='openai/gpt-5', messages="
        "[{'role': 'user', 'content': 'hi'}], user='ada', extra_headers={'x-scenario': scenario}, **more)",
        "ask(); ask()",
        "for chunk in ask('endless;chunk_delay=0.001', stream=True): break",
        "ask('byok')",
    )
    with stage.exporter():
        driver = f"import sys; sys.argv[1:] = {cells!r}\n{NOTEBOOK}"
        program = run(
            driver,
            prelude="",
            OPENROUTER_OTEL_JOURNAL=str(stage.journal),
            JUPYTER_RUNTIME_DIR=str(tmp_path),
            IPYTHONDIR=str(tmp_path),
        )
        assert program.end() == 0, program.log
        stage.await_scrape(4)
    report = stage.report()

    assert report["user_stats"]["ada"]["requests"] == 4
    assert report["summary"]["all_time"]["abandoned_requests"] == 1


def test_nothing_is_lost_and_nothing_counted_twice_over_a_restart_of_the_exporter(stage: Stage, run: Run) -> None:
    def script(user: str) -> None:
        assert run(INSTRUMENT + f"ask(user={user!r})", OPENROUTER_OTEL_JOURNAL=str(stage.journal)).end() == 0

    with stage.exporter() as exporter:
        script("before")
        stage.await_scrape(1)
        assert exporter.end() == 0
    script("meanwhile")
    with stage.exporter():
        script("after")
        stage.await_scrape(3)
    report = stage.report()

    assert {user: row["requests"] for user, row in report["user_stats"].items()} == {
        "before": 1,
        "meanwhile": 1,
        "after": 1,
    }


def test_a_pruning_takes_nothing_away(stage: Stage, run: Run) -> None:
    """Rows are gone, sums are not: what was counted stays counted, also for an exporter that is started anew."""
    with stage.exporter():
        program = run(INSTRUMENT + "ask(); ask()", OPENROUTER_OTEL_JOURNAL=str(stage.journal))
        assert program.end() == 0
        stage.await_scrape(2)
        age(stage.journal, days=3)
        program = run(
            INSTRUMENT + "ask()",
            OPENROUTER_OTEL_JOURNAL=str(stage.journal),
            OPENROUTER_OTEL_JOURNAL_RETENTION_DAYS="1",
        )
        assert program.end() == 0
        assert len(records(stage.journal)) == 1
        stage.await_scrape(3)
    with stage.exporter():
        time.sleep(1.2)
        stage.await_scrape(3)
    report = stage.report()

    assert report["summary"]["all_time"]["total_requests"] == 3


def answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bool(answer.status == 200)


def age(journal: Path, days: int) -> None:
    """Make the rows so much older; their sums stay where they are."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(journal, timeout=20)) as connection, connection:
        connection.execute("UPDATE calls SET ended_at = ended_at - ?", (days * 86_400_000,))
