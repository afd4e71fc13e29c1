"""Every format from the command line: where the verdict is said, and what a bare install can write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openrouter_otel import report
from real_prometheus import RealPrometheus

STATEMENT = "No usage: this source has never seen a call of openrouter-otel."


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RealPrometheus(tmp_path_factory.mktemp("empty")) as prometheus:
        yield prometheus.url


@pytest.mark.parametrize("wanted", ["json", "markdown", "terminal"])
def test_a_format_with_room_for_the_verdict_is_silent_besides(
    source: str, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main(["--prometheus", source, "--format", wanted]) == 0
    said = capsys.readouterr()
    assert STATEMENT in said.out
    assert said.err == ""


def test_csv_is_headed_by_the_verdict_on_standard_error(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ([], ["--output", str(tmp_path / "report.csv")]):
        assert report.main(["--prometheus", source, "--format", "csv", *options]) == 0
        said = capsys.readouterr()
        assert said.err == f"report: {STATEMENT} (verdict: exact)\n"
        assert STATEMENT not in said.out
    assert (tmp_path / "report.csv").read_text().startswith("date,")


def test_without_rich_only_the_terminal_is_refused(source: str, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ModuleNotFoundError('no rich', name='rich')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "openrouter_otel.report", "--prometheus", source, "--format"]
    for wanted, status in (("json", 0), ("csv", 0), ("markdown", 0), ("terminal", 1)):
        run = subprocess.run([*command, wanted], capture_output=True, text=True, env=environment, check=False)
        assert run.returncode == status, run.stderr
    assert run.stderr == "report: --format terminal needs rich: pip install 'openrouter-otel[report]'\n"
