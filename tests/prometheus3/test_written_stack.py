"""What ``openrouter-otel stack`` writes, run by the Prometheus that it pins with the flags that it gives it.

As near to ``docker compose up`` as it gets without a container engine; Grafana's part is played by a stand-in.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana_standin import GrafanaStandin, serving
from openrouter_otel import cli
from real_prometheus import answers, binary, free_port, major_version


@dataclass(frozen=True)
class Stack:
    """A folder that was written, and its Prometheus.

    Attributes:
        folder: where it is.
        service: of its compose file.
        url: where it answers.
    """

    folder: Path
    service: dict[str, Any]
    url: str

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything but the paths of a container is as the compose file says."""
    assert major_version() >= 3, "the stack needs Prometheus 3: make test-prometheus3"
    folder, data = tmp_path_factory.mktemp("stack"), tmp_path_factory.mktemp("data")
    assert cli.main(["stack", str(folder)]) == 0
    service = yaml.safe_load((folder / "docker-compose.yml").read_text("utf-8"))["services"]["prometheus"]
    mounts = {"/etc/prometheus": str(folder / "grafana" / "prometheus"), "=/prometheus": f"={data}"}
    flags = []
    for flag in service["command"]:
        for inside, here in mounts.items():
            flag = flag.replace(inside, here)
        flags.append(flag)
    url = f"http://127.0.0.1:{free_port()}"
    log = data / "log"
    command = [str(binary("prometheus")), *flags, f"--web.listen-address={url.removeprefix('http://')}"]
    with log.open("wb") as written, subprocess.Popen(command, stdout=written, stderr=written) as process:
        try:
            deadline = time.monotonic() + 30
            while not answers(f"{url}/-/ready"):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield Stack(folder, service, url)
        finally:
            process.terminate()


def test_its_health_check_passes(stack: Stack) -> None:
    _, program, *arguments = stack.service["healthcheck"]["test"]
    here = [argument.replace("http://127.0.0.1:9090", stack.url) for argument in arguments]
    check = subprocess.run([binary(program), *here], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    nobody = f"--url=http://127.0.0.1:{free_port()}"
    assert subprocess.run([binary(program), *here[:-1], nobody], capture_output=True, check=False).returncode


def test_it_keeps_a_year_and_takes_pushes(stack: Stack) -> None:
    flags = stack.ask("/api/v1/status/flags")["data"]
    assert flags["storage.tsdb.retention.time"] == "400d"
    assert flags["web.enable-otlp-receiver"] == "true"


def test_it_is_the_version_that_is_pinned(stack: Stack) -> None:
    version = stack.ask("/api/v1/status/buildinfo")["data"]["version"]
    assert stack.service["image"] == f"prom/prometheus:v{version}"


def test_its_own_smoke_test_passes(stack: Stack) -> None:
    boards = {
        path.stem: json.loads(path.read_text()) for path in (stack.folder / "grafana" / "dashboards").glob("*.json")
    }
    with serving(GrafanaStandin(stack.url, boards)) as grafana:
        command = [sys.executable, "grafana/smoke.py", "--prometheus", stack.url, "--grafana", grafana]
        done = subprocess.run(command, cwd=stack.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
