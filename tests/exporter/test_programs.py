"""Programs that no Prometheus could scrape, through their journal and its exporter: the report equals the charges."""

from __future__ import annotations

import sqlite3
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from endpoint.programs import Program
from exporter.conftest import Stage
from journal.reading import ask, records
from real_prometheus import free_port
from waiting import until

Run = Callable[..., Program]
Calls = dict[str, int]  # of a user

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"


def cron(run: Run) -> Calls:
    """Scripts of a moment, one after the other."""
    for _ in range(4):
        assert run(INSTRUMENT + 'ask(user="cron"); ask("byok;fee=0.000125", user="cron")').end() == 0
    return {"cron": 8}


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
        ask(user="master")
        return app

Server().run()
"""


def gunicorn(run: Run) -> Calls:
    """Four workers, instrumented and used before the fork, as `--preload` has it."""
    bind = f"127.0.0.1:{free_port()}"
    program = run(PREFORK, BIND=bind)
    until(lambda: "Booting worker" in program.log)
    visits = [f"visitor-{number % 3}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda visitor: until(lambda: answers(f"http://{bind}/{visitor}")), visits))
    return {"master": 1, **Counter(visits)}


POOL = """
import multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)
OpenRouterInstrumentor().instrument()
method = os.environ["METHOD"]

def work(number):
    for _ in range(5): ask(client=new_client(), user=f"{method}-{number}")

if __name__ == "__main__":
    ask(user=method)
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=work, args=(n,)) for n in range(2)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    ask(user=method)
"""


def multiprocessing(run: Run, method: str) -> Calls:
    """Workers, and their parent before and after them."""
    program = run(POOL, METHOD=method)
    assert program.end() == 0, program.log
    return {method: 2, f"{method}-0": 5, f"{method}-1": 5}


# The whole of a notebook: a real kernel, real cells, and the end that closing it brings.
NOTEBOOK = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
for cell in sys.argv[1:]:
    said = client.execute_interactive(cell, timeout=60)["content"]
    assert said["status"] == "ok", said
client.stop_channels()
manager.shutdown_kernel()
"""
CELLS = (
    "import os; from openai import OpenAI",
    "from openrouter_otel import OpenRouterInstrumentor; OpenRouterInstrumentor().instrument()",
    "client = OpenAI(base_url=os.environ['OPENROUTER_OTEL_BASE_URLS'], api_key='sk-or-v1-test')\n"
    "def ask(scenario='good', **more): return client.chat.completions.create(model='openai/gpt-5', messages="
    "[{'role': 'user', 'content': 'hi'}], user='notebook', extra_headers={'x-scenario': scenario}, **more)",
    "ask(); ask()",
    "for chunk in ask('endless;chunk_delay=0.001', stream=True): break",
    "ask('byok')",
)


def notebook(run: Run) -> Calls:
    """Its cells are run one by one, and a stream is left early."""
    program = run(f"import sys; sys.argv[1:] = {CELLS!r}\n{NOTEBOOK}", prelude="")
    assert program.end() == 0, program.log
    return {"notebook": 4}


def test_programs_of_every_kind_at_once_are_one_set_of_series(stage: Stage, run: Run, tmp_path: Path) -> None:
    """The exporter is there before any of them, and adds them all up; each user's calls tell what kind was counted."""

    def keeping(code: str, prelude: str | None = None, **variables: str) -> Program:
        quietly = {name: str(tmp_path) for name in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
        more = {} if prelude is None else {"prelude": prelude}
        return run(code, **more, OPENROUTER_OTEL_JOURNAL=str(stage.journal), **quietly, **variables)

    kinds: list[Callable[[], Calls]] = [
        lambda: gunicorn(keeping),
        lambda: notebook(keeping),
        lambda: multiprocessing(keeping, "spawn"),
        lambda: multiprocessing(keeping, "fork"),
        lambda: cron(keeping),
    ]
    with stage.exporter() as exporter:
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(kind) for kind in kinds]
        expected = {user: calls for kind in made for user, calls in kind.result().items()}
        stage.await_scrape(sum(expected.values()))
        assert len(exporter.scrape().values("openrouter_requests_total", user="cron")) == 1
    report = stage.report()

    assert {user: row["requests"] for user, row in report["user_stats"].items()} == expected
    assert report["summary"]["all_time"]["abandoned_requests"] == 1
    assert stage.query("count(count by (process) (last_over_time(openrouter_requests_total[1h])))") == 1
    visited = "SELECT DISTINCT process FROM records WHERE user_id LIKE 'visitor-%'"
    assert len(ask(stage.journal, visited)) > 1  # more than one of gunicorn's workers


def test_neither_a_restart_of_the_exporter_nor_a_pruning_loses_a_call_or_counts_one_twice(
    stage: Stage, run: Run
) -> None:
    """Rows are gone, sums are not: what was counted stays counted, also for an exporter that is started anew."""

    def script(calls: str, **variables: str) -> None:
        assert run(INSTRUMENT + calls, OPENROUTER_OTEL_JOURNAL=str(stage.journal), **variables).end() == 0

    with stage.exporter() as exporter:
        script("ask(user='before'); ask(user='before')")
        stage.await_scrape(2)
        assert exporter.end() == 0
    script("ask(user='meanwhile')")
    with stage.exporter() as exporter:
        stage.await_scrape(3)
        age(stage.journal, days=3)
        script("ask(user='after')", OPENROUTER_OTEL_JOURNAL_RETENTION_DAYS="1")
        assert len(records(stage.journal)) == 1
        stage.await_scrape(4)
        assert exporter.end() == 0
    started = time.time()
    with stage.exporter():
        until(lambda: stage.query("max(timestamp(openrouter_requests_total))") > started)
    report = stage.report()

    requests = {user: row["requests"] for user, row in report["user_stats"].items()}
    assert requests == {"before": 2, "meanwhile": 1, "after": 1}


def answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bool(answer.status == 200)


def age(journal: Path, days: int) -> None:
    """Make the rows so much older; their sums stay where they are."""
    with closing(sqlite3.connect(journal, timeout=20)) as connection, connection:
        connection.execute("UPDATE calls SET ended_at = ended_at - ?", (days * 86_400_000,))
