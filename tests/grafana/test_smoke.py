"""``grafana/smoke.py`` against a real Prometheus with our configuration's rules, and a stand-in for Grafana's API."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grafana_queries import GRAFANA, Json, boards, panels
from grafana_standin import GrafanaStandin, serving
from real_prometheus import RealPrometheus, free_port
from rule_worlds import RULES

CONFIG = "rule_files: [rules/*.rules.yml]\n"
BOARDS = {board["uid"]: board for board in boards()}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has loaded our rules, and nothing to count yet."""
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copytree(RULES, folder / "rules")
    with RealPrometheus(folder, CONFIG) as server:
        yield server.url


def smoke(prometheus: str, boards: dict[str, Json], wait: int = 10) -> tuple[int, list[str]]:
    """Status and lines."""
    with serving(GrafanaStandin(prometheus, boards)) as grafana:
        command = [sys.executable, str(GRAFANA / "smoke.py"), "--prometheus", prometheus, "--grafana", grafana]
        done = subprocess.run([*command, f"--wait={wait}"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def failures(lines: list[str]) -> list[str]:
    return [line.removeprefix("FAIL  ") for line in lines if line.startswith("FAIL")]


def test_a_stack_that_works_passes_everything(prometheus: str) -> None:
    status, lines = smoke(prometheus, BOARDS)
    assert (status, failures(lines)) == (0, [])
    for board in BOARDS.values():
        assert any(line.startswith(f"pass  board {board['uid']}: ") for line in lines)
        for panel in panels(board):
            assert any(line.startswith(f"pass  {board['title']} / {panel['title']}: ") for line in lines)
    for file in RULES.glob("*.rules.yml"):
        assert any(line.startswith(f"pass  rules of {file.name}: ") for line in lines)
    assert re.fullmatch(r"(\d+) of \1 checks passed", lines[-1])


def test_a_board_that_is_not_there_fails(prometheus: str) -> None:
    status, lines = smoke(prometheus, {uid: board for uid, board in BOARDS.items() if uid != "openrouter-users"})
    assert status == 1
    (failure,) = failures(lines)
    assert failure.startswith("board openrouter-users: status 404: ")
    assert "Dashboard not found" in failure


def test_a_query_that_prometheus_refuses_fails(prometheus: str) -> None:
    broken = copy.deepcopy(BOARDS)
    panel = panels(broken["openrouter-overview"])[0]
    panel["targets"][0]["expr"] = "sum(openrouter_requests_total"
    status, lines = smoke(prometheus, broken)
    assert status == 1
    (failure,) = failures(lines)
    assert failure.startswith(f"OpenRouter / Overview / {panel['title']}: query A: ")
    assert "parse error" in failure


def test_rules_that_are_not_loaded_fail(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    shutil.copy(RULES / "openrouter-counting.rules.yml", tmp_path / "rules")
    with RealPrometheus(tmp_path, CONFIG) as server:
        status, lines = smoke(server.url, BOARDS)
    assert status == 1
    told = {line.partition(":")[0]: line for line in failures(lines)}
    assert set(told) == {f"rules of openrouter-{name}.rules.yml" for name in ("alerts", "budgets", "thresholds")}
    assert "not loaded: openrouter:threshold" in told["rules of openrouter-thresholds.rules.yml"]


def test_a_rule_that_cannot_be_evaluated_fails(tmp_path: Path) -> None:
    two = "(label_replace(vector(1), 'a', '1', '', '') or label_replace(vector(1), 'a', '2', '', ''))"
    rule = {"record": "openrouter:threshold", "expr": f"vector(1) + on () {two}"}
    shutil.copytree(RULES, tmp_path / "rules")
    broken = {"groups": [{"name": "broken", "interval": "1s", "rules": [rule]}]}
    (tmp_path / "rules" / "mine.rules.yml").write_text(json.dumps(broken), encoding="utf-8")
    with RealPrometheus(tmp_path, CONFIG) as server:
        deadline = time.monotonic() + 20
        while not (told := failures(smoke(server.url, {})[1])[0]).startswith("rules") and time.monotonic() < deadline:
            time.sleep(0.5)
    assert told.startswith("rules of openrouter-thresholds.rules.yml: openrouter:threshold fails: ")


def test_a_server_that_is_not_there_is_one_line_each(prometheus: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, str(GRAFANA / "smoke.py"), "--prometheus", prometheus, "--grafana", nobody, "--wait=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ""
    first, *others = failures(done.stdout.splitlines())
    assert first == f"Grafana answers: {nobody} cannot be reached: [Errno 111] Connection refused"
    assert len(others) == len(BOARDS)


def test_another_server_in_its_place_is_no_traceback(prometheus: str) -> None:
    """Somebody gave the addresses the wrong way round."""
    with serving(GrafanaStandin(prometheus, BOARDS)) as grafana:
        command = [
            sys.executable,
            str(GRAFANA / "smoke.py"),
            "--prometheus",
            grafana,
            "--grafana",
            prometheus,
            "--wait=0",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1].startswith("0 of ")


def test_an_address_that_is_none_is_refused() -> None:
    command = [sys.executable, str(GRAFANA / "smoke.py"), "--grafana", "localhost:3000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'localhost:3000' is no http:// or https:// address" in done.stderr


def test_what_a_browser_would_put_in_is_put_in(prometheus: str) -> None:
    """The stand-in refuses what still has a variable; this shows that it would."""
    broken = copy.deepcopy(BOARDS)
    board = broken["openrouter-models"]
    board["templating"]["list"] = [one for one in board["templating"]["list"] if one["name"] != "model"]
    status, lines = smoke(prometheus, broken)
    assert status == 1
    assert all("unexpected character: $model" in failure for failure in failures(lines))
    assert json.dumps(board).count("$model") > 1
