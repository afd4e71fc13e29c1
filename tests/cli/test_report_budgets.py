"""``report --budgets``: the very file that the rules are made of, and one line where it is of no use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openrouter_otel import report

PROGRAM = """
import sys
from openrouter_otel import OpenRouterInstrumentor, record

OpenRouterInstrumentor().instrument(journal=sys.argv[1], metric_tags=["team"])
answer = {"choices": [{}], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.125}}
for user in ("alice", "alice", "bob"):
    record(answer, latency_ms=1, model="openai/gpt-5-mini", user=user, tags={"team": "search"})
"""
BUDGETS = """
budgets:
  - {usd: 0.5, period: day}
  - {usd: 0.25, period: week, user: alice}
  - {usd: 40, period: month, tag: {team: search}}
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "usage.db"
    subprocess.run([sys.executable, "-c", PROGRAM, path], check=True, timeout=60)
    return path


def budget_file(folder: Path, text: str) -> str:
    path = folder / "budgets.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_budget_of_the_file_is_held_against_what_was_charged(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--journal", str(journal), "--budgets", budget_file(tmp_path, BUDGETS), "--since", "1h"]
    assert report.main(options) == 0
    found = json.loads(capsys.readouterr().out)["budgets"]
    told = [(one["name"], one["used"], one["used_share"], one["status"]) for one in found]
    assert told == [
        ("All per day", 0.375, 0.75, "ok"),
        ("alice per week", 0.25, 1.0, "exceeded"),
        ("search per month", 0.375, 0.009375, "ok"),
    ]


@pytest.mark.parametrize(
    ("text", "more", "complaint"),
    [
        ("budgets: [{usd: 0, period: day}]", [], "budgets.yml: budget 1: `usd` must be an amount above zero, not 0"),
        ("{", [], "budgets.yml: not YAML"),
        (BUDGETS, ["--user", "alice"], "--budgets counts every call: leave the filters out, or the budgets"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, more: list[str], complaint: str
) -> None:
    assert report.main(["--budgets", budget_file(tmp_path, text), *more]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert complaint in err


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--budgets", "nowhere.yml"]) == 2
    assert capsys.readouterr().err == "report: --budgets nowhere.yml: No such file or directory\n"
