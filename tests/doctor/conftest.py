"""A doctor for setups that are really broken: programs, servers and files of this machine."""

from __future__ import annotations

import itertools
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from endpoint.conftest import Run, host, run
from endpoint.programs import PORTS
from openrouter_otel import doctor
from real_prometheus import RealPrometheus, backfill

__all__ = ["Diagnose", "Diagnosis", "Run", "Scraping", "Started", "await_value", "calls_in_history", "host", "run"]

INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"
CALLS = f"{INSTRUMENT}ask(user='alice')\nsay()\nhear()\n"


class Diagnosis(NamedTuple):
    """What `openrouter-otel doctor` has said."""

    status: int
    findings: list[dict[str, Any]]
    verdict: str

    def find(self, status: str, part: str) -> dict[str, Any]:
        """The one finding of a status that says this."""
        found = [each for each in self.findings if each["status"] == status and part in each["what"]]
        assert len(found) == 1, (part, self.findings)
        return found[0]

    def told(self, *statuses: str) -> list[str]:
        """What all findings of some statuses say."""
        return [each["what"] for each in self.findings if each["status"] in statuses]


Diagnose = Callable[..., Diagnosis]
Started = Callable[..., RealPrometheus]
Scraping = Callable[..., RealPrometheus]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, host: str, tmp_path: Path) -> None:
    """Nobody's settings but the test's, and ports that nobody else uses."""
    for name in ("PROMETHEUS_URL", "OPENROUTER_OTEL_JOURNAL", "OTEL_SDK_DISABLED", "OTEL_EXPORTER_PROMETHEUS_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_HOST", host)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def diagnose(capfd: pytest.CaptureFixture[str]) -> Diagnose:
    """Asks the doctor; `ahead` seconds are added to this host's clock."""

    def ask(*arguments: str, ahead: float = 0.0) -> Diagnosis:
        capfd.readouterr()
        status = doctor.main(["--format", "json", *arguments], clock=lambda: time.time() + ahead)
        out, err = capfd.readouterr()
        told = json.loads(err[err.index("{\n") :] if "--" in arguments else out)
        return Diagnosis(status, told["findings"], told["verdict"])

    return ask


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts a Prometheus, with a history where one is given."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def start(config: str = "scrape_configs: []\n", history: str = "", **more: Any) -> RealPrometheus:
            folder = tmp_path / f"prometheus-{next(numbers)}"
            if history:
                backfill(folder, history)
            return stack.enter_context(RealPrometheus(folder, config, **more))

        yield start


@pytest.fixture
def scraping(started: Started, host: str, run: Run) -> Scraping:
    """Starts a Prometheus that scrapes a program which has made a call; the first scrape takes five seconds."""
    run(CALLS).hear()

    def scrape(relabelling: str = "", jobs: tuple[str, ...] = ("app",), labels: str = "") -> RealPrometheus:
        targets = ", ".join(f"'{host}:{port}'" for port in PORTS)
        config = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
        for job in jobs:
            config += f"  - job_name: {job}\n    static_configs: [{{targets: [{targets}], labels: {{{labels}}}}}]\n"
            config += f"    metric_relabel_configs: [{relabelling}]\n"
        return started(config)

    return scrape


def await_value(prometheus: RealPrometheus, query: str) -> None:
    """Wait until a query has a value."""
    form = urllib.parse.urlencode({"query": query}).encode()
    deadline = time.monotonic() + 20
    while True:
        with urllib.request.urlopen(f"{prometheus.url}/api/v1/query", form, timeout=10) as answer:
            if json.load(answer)["data"]["result"]:
                return
        assert time.monotonic() < deadline, query
        time.sleep(0.1)


def calls_in_history(
    *ages: float, step: float = 15, process: str = "00000000000000aa", since: float = 7200, instance: str = "a:9464"
) -> str:
    """Samples of a process, `step` seconds apart within (oldest, newest) pairs of seconds ago, as OpenMetrics text."""
    now = time.time()
    times = [
        now - oldest + step * number
        for oldest, newest in zip(ages[::2], ages[1::2], strict=True)
        for number in range(int((oldest - newest) / step) + 1)
    ]
    labels = f'process="{process}",instance="{instance}",job="app"'
    lines = [f"openrouter_process_start_time_seconds{{{labels}}} {now - since:.0f} {at:.3f}" for at in times]
    lines += [f'openrouter_requests_total{{{labels},outcome="ok"}} 1 {at:.3f}' for at in times]
    return "\n".join([*lines, "# EOF\n"])
