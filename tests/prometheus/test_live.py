"""The main job on real parts: real clients, real HTTP, a real Prometheus, and the report equal to what was charged."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fake_openrouter import FakeOpenRouter
from real_prometheus import RealPrometheus, free_port

WORKER = Path(__file__).with_name("worker.py")

# One interval for all, and two jobs that scrape the same program: what is seen twice must count once.
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: first
    static_configs: [{{targets: [{targets}]}}]
    metric_relabel_configs: &ours
      - {{source_labels: [service_name], regex: {service}, action: keep}}
  - job_name: second
    static_configs: [{{targets: [{twice}]}}]
    metric_relabel_configs: *ours
"""


class Program:
    """A worker in a process of its own, and what it saw itself."""

    def __init__(self, openrouter: FakeOpenRouter, port: int | None, seen: Counter[str], **variables: str) -> None:
        environment = {**os.environ, **variables}
        environment.pop("OTEL_EXPORTER_PROMETHEUS_PORT", None)
        if port is not None:
            environment["OTEL_EXPORTER_PROMETHEUS_PORT"] = str(port)
        self._seen = seen
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), openrouter.base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._answer() == {"ready": True}

    def do(self, **asked: Any) -> None:
        """Have it do something, and add up what it saw."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        self._seen.update(self._answer())

    def _answer(self) -> dict[str, int]:
        assert self.process.stdout is not None
        told: dict[str, int] = json.loads(self.process.stdout.readline() or '{"died": true}')
        return told

    def end(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


class Stage:
    """Programs, a Prometheus that scrapes them, and the stand-in's book."""

    def __init__(self, openrouter: FakeOpenRouter, prometheus: RealPrometheus, service: str) -> None:
        self.openrouter = openrouter
        self.prometheus = prometheus
        self.service = service
        self.seen: Counter[str] = Counter()

    @contextmanager
    def program(self, port: int | None = None, **variables: str) -> Iterator[Program]:
        """A program that lives until its last call has been scraped."""
        program = Program(self.openrouter, port, self.seen, OTEL_SERVICE_NAME=self.service, **variables)
        try:
            yield program
            self.await_scrape()
        finally:
            program.end()

    def query(self, expression: str) -> Decimal:
        """One number from Prometheus; 0 where there is none."""
        form = urllib.parse.urlencode({"query": expression}).encode()
        with urllib.request.urlopen(f"{self.prometheus.url}/api/v1/query", form, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return Decimal(result[0]["value"][1]) if result else Decimal(0)

    def await_scrape(self) -> None:
        """Wait until Prometheus has seen every call there was."""
        once = "max without (job, instance) (last_over_time(openrouter_requests_total[1h]))"
        deadline = time.monotonic() + 20
        while self.query(f"sum({once})") != self.seen["calls"]:
            assert time.monotonic() < deadline, (self.query(f"sum({once})"), self.seen)
            time.sleep(0.1)

    def report(self, *source: str) -> dict[str, Any]:
        """The report as a user gets it, from Prometheus or another source."""
        source = source or ("--no-cache", "--prometheus", self.prometheus.url)
        command = [sys.executable, "-m", "openrouter_otel.report", *source]
        made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        told: dict[str, Any] = json.loads(made.stdout, parse_float=Decimal)
        return told


@pytest.fixture
def ports() -> list[int]:
    """Ports that programs are told to serve at."""
    return [free_port(), free_port()]


@pytest.fixture
def stage(tmp_path: Path, ports: list[int]) -> Iterator[Stage]:
    """A stand-in and a Prometheus that scrapes the given ports, the ten usual ones, and the first program twice."""
    targets = ", ".join(f"'127.0.0.1:{port}'" for port in [*ports, *range(9464, 9474)])
    service = f"live-{secrets.token_hex(4)}"  # other tests' programs may be at the usual ports, too
    config = CONFIG.format(targets=targets, twice=f"'127.0.0.1:{ports[0]}'", service=service)
    with ExitStack() as stack:
        openrouter = stack.enter_context(FakeOpenRouter())
        prometheus = stack.enter_context(RealPrometheus(tmp_path, config))
        yield Stage(openrouter, prometheus, service)


def assert_equal_to_the_book(stage: Stage) -> dict[str, Any]:
    """Money and tokens as the stand-in charged them, calls and errors as the programs saw them."""
    stage.openrouter.book.settle()
    report, book = stage.report(), stage.openrouter.book.totals()
    total, accounting = report["summary"]["all_time"], report["accounting"]
    assert accounting["charged_cost"] == book.told.charge
    assert accounting["byok_cost"] == book.told.bill
    assert total["total_cost"] == book.told.charge + book.told.bill
    assert (total["input_tokens"], total["output_tokens"]) == (book.told.input, book.told.output)
    assert (total["total_requests"], total["total_errors"]) == (stage.seen["calls"], stage.seen["errors"])
    assert total["unpriced_requests"] == book.untold_generations
    retries = "max without (job, instance) (last_over_time(openrouter_retries_total[1h]))"
    assert stage.query(f"sum({retries})") == stage.seen["retries"] == book.retries
    assert report["accounting"]["identity"] == "unique"
    return report


def test_the_report_equals_what_was_charged_over_deaths_twins_and_double_scrapes(
    stage: Stage, ports: list[int]
) -> None:
    """A process that dies and returns, another with the same labels beside it, all of it scraped by two jobs."""
    with stage.program(ports[0]) as program:
        program.do(model="openai/gpt-5", user="only-once")  # a series born with one increment that never moves again
        stage.await_scrape()
        program.do(calls=3)
        program.do(calls=2, stream=True, scenario="good;shape=B")
        program.do(scenario="byok;fee=0.000125", stream=True)
        program.do(scenario="flaky;retry_after=0.05")
    with stage.program(ports[0]) as again, stage.program(ports[1]) as twin:
        again.do(calls=3)
        twin.do(calls=4)
        twin.do(scenario="endless", stream=True, leave_after=2)
        twin.do(scenario="error;status=402")
        again.do(scenario="error-in-200")
        again.do(scenario="hang", timeout=0.3, retries=0)
        again.do(scenario="byok-silent;fee=0.00005")
    report = assert_equal_to_the_book(stage)
    assert report["verdict"] == "exact", report["statement"]
    assert report["user_stats"]["only-once"]["requests"] == 1
    assert sum(row["cost"] for row in report["daily_trend"]) == report["summary"]["period"]["total_cost"]


def test_a_forked_child_counts_for_itself_alone(stage: Stage) -> None:
    """The child's calls and the parent's add up to what was charged, and neither is counted by the other."""
    with stage.program() as program:
        program.do(calls=2)
        program.do(fork={"calls": 3, "user": "child"})
        program.do(calls=1)
    report = assert_equal_to_the_book(stage)
    assert report["user_stats"]["child"]["requests"] == 3
    assert stage.query("count(count by (process) (last_over_time(openrouter_requests_total[1h])))") == 2


def test_a_second_program_on_the_machine_gets_a_port_of_its_own_and_is_scraped(stage: Stage) -> None:
    """Nobody configured anything: both are found at the ten usual ports."""
    with stage.program() as one, stage.program() as two:
        one.do(calls=2, user="first")
        two.do(calls=3, user="second")
    report = assert_equal_to_the_book(stage)
    assert report["user_stats"]["first"]["requests"] == 2
    assert report["user_stats"]["second"]["requests"] == 3


def counted(table: dict[str, Any]) -> dict[str, Any]:
    """Rows of a table without what depends on the spread of durations."""
    return {
        name: {key: value for key, value in row.items() if key not in ("latency", "avg_latency_ms")}
        for name, row in table.items()
    }


def test_the_report_from_the_journal_is_the_one_from_prometheus(stage: Stage, ports: list[int], tmp_path: Path) -> None:
    """Two programs write one journal and are scraped; quantiles lie where the histograms say, only exactly."""
    journal = tmp_path / "usage.db"
    variables = {"OPENROUTER_OTEL_JOURNAL": str(journal), "OPENROUTER_OTEL_SERVE_METRICS": "true"}
    with stage.program(ports[0], **variables) as one, stage.program(ports[1], **variables) as two:
        one.do(calls=3, model="openai/gpt-5")
        one.do(calls=2, stream=True, scenario="good;shape=B")
        one.do(scenario="byok;fee=0.000125", stream=True)
        two.do(calls=4, user="bob")
        two.do(scenario="endless", stream=True, leave_after=2)
        two.do(scenario="error;status=402")
        two.do(scenario="error-in-200")
        two.do(scenario="hang", timeout=0.3, retries=0)
        two.do(scenario="byok-silent;fee=0.00005")
    scraped, told = assert_equal_to_the_book(stage), stage.report("--journal", str(journal))

    assert (told["verdict"], told["accounting"]["identity"]) == ("exact", "journal")
    assert counted(told["summary"]) == counted(scraped["summary"])
    for table in ("model_breakdown", "provider_breakdown", "user_stats"):
        assert counted(told[table]) == counted(scraped[table]), table
    for same in ("daily_trend", "weekly_trend", "monthly_trend", "daily_cost_by_model", "effective_prices"):
        assert told[same] == scraped[same], same
    for same in ("error_rate", "by_type", "by_model"):
        assert told["errors"][same] == scraped["errors"][same], same
    for same in ("unpriced_requests", "charged_cost", "byok_cost", "estimated_cost", "overflow_requests"):
        assert told["accounting"][same] == scraped["accounting"][same], same
    assert sum(told["hourly_distribution"].values()) == sum(scraped["hourly_distribution"].values())
    assert len(told["errors"]["recent"]) == 3
    assert scraped["errors"]["recent"] is scraped["sessions"] is None
    for table in ("latency_stats", "time_to_first_token_stats"):
        assert told[table].keys() == scraped[table].keys()
        for model, row in told[table].items():
            around = scraped[table][model]
            assert (row["count"], row["p95_range"]) == (around["count"], [row["p95"], row["p95"]])
            low, high = around["p95_range"]
            assert low <= row["p95"] <= (high or row["p95"])
