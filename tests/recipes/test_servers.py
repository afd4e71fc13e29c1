"""Recipes of servers with several processes: one journal, or a port for each; nothing is lost when they are stopped."""

from __future__ import annotations

import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from charges import charged
from endpoint.programs import PORTS, Scrape, scrape
from fake_openrouter import FakeOpenRouter, scenario
from journal.reading import assert_sums_are_those_of_the_rows, records, spent
from recipes.running import Recipe, free_port
from recipes_page import Command, command
from waiting import until

Start = Callable[..., Recipe]
QUERY = "?question=How%20are%20you&user=alice"


def answers(url: str) -> bool:
    """Whether a server is up and its answer good."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.read())
    except urllib.error.HTTPError:
        raise
    except OSError:  # not yet
        return False


def ask_until(enough: Callable[[], bool], url: str) -> None:
    """Ask, many at once, until both workers have had their share."""
    until(lambda: answers(url))
    with ThreadPoolExecutor(8) as pool:
        for _ in count():
            assert all(pool.map(answers, [url] * 16))
            if enough():
                return


def processes(journal: Path) -> set[object]:
    try:
        return {row["process"] for row in records(journal)} if journal.exists() else set()
    except sqlite3.OperationalError:  # the file is there, and its tables are about to be
        return set()


@pytest.mark.parametrize(
    ("heading", "path", "more"),
    [
        ("FastAPI with uvicorn workers", "/ask", []),
        ("gunicorn prefork", "/", []),
        ("gunicorn prefork", "/", ["--preload"]),
    ],
    ids=["uvicorn", "gunicorn", "gunicorn --preload"],
)
def test_all_workers_of_a_server_write_one_journal_to_the_last_call(
    heading: str,
    path: str,
    more: list[str],
    start: Start,
    openrouter: FakeOpenRouter,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    at = ["--port", str(port)] if path == "/ask" else ["--bind", f"127.0.0.1:{port}"]
    recipe = start(command(heading), *at, *more)
    url = f"http://127.0.0.1:{port}{path}{QUERY}"
    ask_until(lambda: len(processes(journal)) == 2, url)

    monkeypatch.setattr(openrouter, "default", scenario("good;latency=0.3"))
    before = len(openrouter.requests)
    with ThreadPoolExecutor() as pool:
        last = pool.submit(answers, url)
        until(lambda: len(openrouter.requests) > before)
        recipe.stop()  # with a call under way: its end is the server's
        assert last.result()
    assert len(records(journal)) == len(openrouter.book.entries) > 16
    assert {row["user_id"] for row in records(journal)} == {"alice"}
    assert spent(journal) == charged(openrouter)
    assert_sums_are_those_of_the_rows(journal)


@pytest.mark.parametrize("more", [[], ["--preload"]], ids=["gunicorn", "gunicorn --preload"])
def test_without_a_journal_each_worker_serves_metrics_at_a_port_of_its_own(
    more: list[str], start: Start, openrouter: FakeOpenRouter, host: str
) -> None:
    port = free_port()
    bare = Command({}, command("gunicorn prefork").words)
    start(bare, "--bind", f"127.0.0.1:{port}", *more, OTEL_EXPORTER_PROMETHEUS_HOST=host)
    ask_until(
        lambda: sum(shown.total("openrouter_requests_total") > 0 for shown in served(host)) == 2,
        f"http://127.0.0.1:{port}/{QUERY}",
    )

    assert sum(shown.total("openrouter_cost_usd_total") for shown in served(host)) == charged(openrouter) > 0
    assert len({shown.process for shown in served(host)}) == (3 if more else 2)  # the master's shows no calls


def served(host: str) -> list[Scrape]:
    """What is on the ten ports that the bundled Prometheus looks at."""
    return [shown for port in PORTS if (shown := looked_at(f"http://{host}:{port}/metrics"))]


def looked_at(address: str) -> Scrape | None:
    try:
        return scrape(address)
    except urllib.error.URLError:
        return None


@pytest.mark.parametrize("more", [[], ["--max-tasks-per-child", "1"]], ids=["children that stay", "a child a task"])
def test_celery_children_write_one_journal(
    more: list[str], start: Start, openrouter: FakeOpenRouter, folder: Path, journal: Path
) -> None:
    (folder / "data_in").mkdir()  # the two ends of Celery's broker of files
    (folder / "data_out").symlink_to("data_in")
    broker = {"CELERY_BROKER_URL": "filesystem://"}
    worker = start(command("Celery"), *more, **broker)
    produce = "import celery_tasks\nfor n in range(6): celery_tasks.summarise.delay('text', f'user-{n}')"
    start(Command({}, ["python", "-c", produce]), **broker).output()
    until(lambda: len(openrouter.book.entries) == 6)

    assert worker.stop() == 0  # with calls that are not in the journal yet
    assert {row["user_id"] for row in records(journal)} == {f"user-{n}" for n in range(6)}
    assert len(records(journal)) == 6
    assert spent(journal) == charged(openrouter) > 0
    assert len(processes(journal)) in ({6} if more else {1, 2})
