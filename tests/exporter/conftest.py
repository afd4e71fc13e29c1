"""Programs that keep a journal, the real exporter that serves it, a real Prometheus, and the stand-in's book."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from endpoint.conftest import host, run
from endpoint.programs import Scrape, scrape
from fake_openrouter import FakeOpenRouter
from journal.conftest import journal
from real_prometheus import RealPrometheus

__all__ = ["host", "journal", "run"]

COMMAND = Path(sys.executable).with_name("openrouter-otel")
KEY = "sk-or-v1-test"  # of tests/endpoint/programs.py
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: openrouter-otel
    static_configs: [{{targets: ['{host}:9464']}}]
"""


class Exporter:
    """A context manager around one `openrouter-otel exporter`.

    Args:
        folder: where its log goes.
        options: of the command.
        environment: variables beside those of a plain shell.
    """

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "OPENROUTER_"))}
        self._log = folder / "exporter.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(COMMAND), "exporter", *options], stdout=log, stderr=log, env={**plain, **environment}
            )

    @property
    def log(self) -> str:
        """All that exporters of this folder have said."""
        return self._log.read_text("utf-8")

    def scrape(self) -> Scrape:
        """One look at what it serves, once it does."""
        deadline = time.monotonic() + 20
        while not (found := re.findall(r"metrics are at (http://\S+/metrics)", self.log)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return scrape(found[-1])

    def end(self) -> int:
        """Have it end, and say its status."""
        self.process.terminate()
        return self.process.wait(10)

    def __enter__(self) -> Exporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Stage:
    """An exporter of a journal and a Prometheus that scrapes it, beside the stand-in's book.

    Args:
        openrouter: whom programs call.
        prometheus: scrapes the exporter's host.
        host: where the exporter listens.
        journal: what it serves.
    """

    def __init__(self, openrouter: FakeOpenRouter, prometheus: RealPrometheus, host: str, journal: Path) -> None:
        self.openrouter = openrouter
        self.journal = journal
        self._prometheus = prometheus
        self._host = host

    @property
    def url(self) -> str:
        """Of Prometheus."""
        return self._prometheus.url

    def exporter(self, *options: str) -> Exporter:
        """The exporter, at the port where Prometheus looks."""
        environment = {"OPENROUTER_BASE_URL": self.openrouter.base_url, "OPENROUTER_API_KEY": KEY}
        command = ("--journal", str(self.journal), "--host", self._host, *options)
        return Exporter(self._prometheus.folder, *command, **environment)

    def query(self, expression: str) -> Decimal:
        """One number from Prometheus; 0 where there is none."""
        form = urllib.parse.urlencode({"query": expression}).encode()
        with urllib.request.urlopen(f"{self._prometheus.url}/api/v1/query", form, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return Decimal(result[0]["value"][1]) if result else Decimal(0)

    def await_scrape(self, calls: int, metric: str = "openrouter_requests_total") -> None:
        """Wait until Prometheus has seen so many."""
        counted = f"sum(last_over_time({metric}[1h]))"
        deadline = time.monotonic() + 20
        while (seen := self.query(counted)) != calls:
            assert time.monotonic() < deadline, (seen, calls)
            time.sleep(0.1)

    def report(self, *, resolved: bool = False) -> dict[str, Any]:
        """The report as a user gets it, which must equal the book: with what was found out later where `resolved`."""
        command = [sys.executable, "-m", "openrouter_otel.report", "--no-cache", "--prometheus", self._prometheus.url]
        made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        report: dict[str, Any] = json.loads(made.stdout, parse_float=Decimal)
        self.openrouter.book.settle()
        total, accounting, book = report["summary"]["all_time"], report["accounting"], self.openrouter.book.totals()
        known = book.told + book.untold if resolved else book.told
        assert accounting["charged_cost"] == known.charge
        assert accounting["byok_cost"] == known.bill
        assert total["total_cost"] == known.charge + known.bill
        assert (total["input_tokens"], total["output_tokens"]) == (known.input, known.output)
        unpriced = 0 if resolved else book.untold_generations
        assert total["unpriced_requests"] == accounting["unpriced_requests"] == unpriced
        assert accounting["identity"] == "unique"
        assert report["verdict"] == "exact", report["statement"]
        return report


@pytest.fixture
def stage(openrouter: FakeOpenRouter, host: str, journal: Path, tmp_path: Path) -> Iterator[Stage]:
    """A Prometheus that scrapes where an exporter will be."""
    with ExitStack() as stack:
        prometheus = stack.enter_context(RealPrometheus(tmp_path / "prometheus", CONFIG.format(host=host)))
        yield Stage(openrouter, prometheus, host, journal)
