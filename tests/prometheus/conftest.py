"""A history for a real Prometheus, one line per sample, and the report that is made from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openrouter_otel import report
from real_prometheus import RealPrometheus, backfill


@dataclass
class Scraped:
    """Samples of counters as they were scraped; `now` is about when the report will be made, in seconds."""

    now: int = field(default_factory=lambda: int(time.time()))
    lines: list[str] = field(default_factory=list)

    def sample(self, name: str, at: float, value: object, **labels: str) -> None:
        """One sample, `at` seconds since the epoch."""
        pairs = ",".join(f"{label}={json.dumps(text)}" for label, text in labels.items())
        self.lines.append(f"{name}{{{pairs}}} {value} {at:.3f}")

    def calls(self, at: float, count: int, cost: str, **labels: str) -> None:
        """A scrape that shows `count` calls worth `cost` so far; labels without a value are left out."""
        who = {"process": "p1", "model": "openai/gpt-5", "user": "alice", "instance": "a:9464", "job": "app", **labels}
        base = {label: text for label, text in who.items() if text}
        how = {"outcome": "ok", "cost_source": "reported"}
        self.sample("openrouter_requests_total", at, count, **base, **how)
        self.sample("openrouter_cost_usd_total", at, cost, **base, **how, payee="openrouter")

    def started(self, at: float, since: float, process: str = "p1") -> None:
        """A scrape that shows when a process began to count."""
        self.sample("openrouter_process_start_time_seconds", at, since, process=process, instance="a:9464")


Reported = Callable[..., dict[str, Any]]


@pytest.fixture
def scraped() -> Scraped:
    """An empty history."""
    return Scraped()


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[Scraped], str]]:
    """Start a Prometheus that has scraped a history; gives its address."""
    running: list[RealPrometheus] = []

    def start(history: Scraped) -> str:
        for server in running:  # the folder is theirs
            server.stop()
        if history.lines:
            backfill(tmp_path, "\n".join([*history.lines, "# EOF\n"]))
        running.append(RealPrometheus(tmp_path).start())
        return running[-1].url

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def reported(prometheus: Callable[[Scraped], str], tmp_path: Path) -> Reported:
    """The JSON report on a history, numbers with all their digits."""

    def make(history: Scraped, *options: str) -> dict[str, Any]:
        output = tmp_path / "report.json"
        assert report.main(["--no-cache", "--prometheus", prometheus(history), "--output", str(output), *options]) == 0
        made: dict[str, Any] = json.loads(output.read_text(), parse_float=Decimal)
        return made

    return make
