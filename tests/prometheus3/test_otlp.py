"""Metrics that come by OTLP into Prometheus' own receiver, held against the same ones scraped.

Needs Prometheus 3 (``make test-prometheus3``). Configuration and flags are those of docker-compose.yml.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fake_openrouter import FakeOpenRouter
from openrouter_otel import names
from openrouter_otel.promql import ARRIVAL
from real_prometheus import RealPrometheus, free_port, major_version

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("program.py")
PROMETHEUS = yaml.safe_load((ROOT / "grafana" / "prometheus" / "prometheus.yml").read_text("utf-8"))
FLAGS = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["prometheus"]["command"]
SCRAPED = "openrouter-otel"
PUSHED = "shop"  # the service's name becomes the job
# Where a sample came from; all else must be equal.
FROM = ("instance", "job")

Labels = frozenset[tuple[str, str]]


class Asked:
    """What the Prometheus of this test knows."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expr: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self._url}/api/v1/query?{urllib.parse.urlencode({'query': expr})}") as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def series(self, job: str, metric: str = "openrouter_.+") -> dict[Labels, str]:
        """Every series of ours that came by a job, with its last value."""
        found = self.query(f'last_over_time({{__name__=~"{metric}",job="{job}"}}[1h])')
        return {
            frozenset((name, value) for name, value in one["metric"].items() if name not in FROM): one["value"][1]
            for one in found
        }


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A Prometheus that has had the same from one program twice: scraped, and pushed."""
    assert major_version() >= 3, "OTLP needs Prometheus 3: make test-prometheus3"
    port = free_port()
    config = {key: PROMETHEUS[key] for key in ("otlp", "storage")}
    (job,) = PROMETHEUS["scrape_configs"]
    quickly = {"scrape_interval": "500ms", "scrape_timeout": "500ms"}
    targets = [{"targets": [f"127.0.0.1:{port}"]}]
    config["scrape_configs"] = [{**job, **quickly, "static_configs": targets}]
    receiver = tuple(flag for flag in FLAGS if "otlp" in flag)
    folder = tmp_path_factory.mktemp("prometheus")
    with RealPrometheus(folder, yaml.safe_dump(config), receiver) as server, FakeOpenRouter() as openrouter:
        endpoint = f"{server.url}/api/v1/otlp/v1/metrics"
        command = [sys.executable, str(PROGRAM), openrouter.base_url, endpoint, str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "pushed\n"
            asked = Asked(server.url)
            deadline = time.monotonic() + 20
            while len(asked.series(SCRAPED)) < len(asked.series(PUSHED)) and time.monotonic() < deadline:
                time.sleep(0.2)
            yield asked
            program.communicate("")


def test_what_is_pushed_has_the_names_labels_and_values_of_what_is_scraped(prometheus: Asked) -> None:
    scraped, pushed = prometheus.series(SCRAPED), prometheus.series(PUSHED)
    assert scraped
    assert pushed == scraped


def test_the_names_are_those_of_the_contract(prometheus: Asked) -> None:
    pushed = {dict(labels)["__name__"] for labels in prometheus.series(PUSHED)}
    histograms = {metric.prometheus for metric in names.METRICS if metric.kind == "histogram"}
    plain = {metric.prometheus for metric in names.METRICS} - histograms
    suffixes = ("_bucket", "_count", "_sum")
    assert pushed <= plain | {name + suffix for name in histograms for suffix in suffixes}
    assert {name + suffix for name in histograms for suffix in suffixes} <= pushed
    for metric in (names.COST, names.REQUESTS, names.TOKENS, names.ERRORS, names.RETRIES):
        assert metric.prometheus in pushed


def test_both_are_one_to_boards_and_reports(prometheus: Asked) -> None:
    """What differs between them is what boards and reports take away before they count."""
    (process,) = {dict(labels)[names.PROCESS] for job in (SCRAPED, PUSHED) for labels in prometheus.series(job)}
    assert process
    assert set(FROM) <= set(ARRIVAL)
    cost = names.COST.prometheus
    merged = prometheus.query(f"sum(max without ({', '.join(ARRIVAL)}) ({cost}))")
    alone = prometheus.query(f'sum({cost}{{job="{SCRAPED}"}})')
    assert merged[0]["value"][1] == alone[0]["value"][1] != "0"


def test_the_resources_attributes_become_labels(prometheus: Asked) -> None:
    for labels in prometheus.series(PUSHED, names.REQUESTS.prometheus):
        assert dict(labels).items() >= {"service_name": "shop", "deployment_environment_name": "prod"}.items()
        assert dict(labels)["service_instance_id"]
        assert dict(labels)["tag_team"] == "search"
