"""`make demo` on machines of every kind: it keeps its promise wherever there is Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from examples.demo import demo
from examples.demo.verdict import Figure

from real_prometheus import binary

REPOSITORY = Path(__file__).resolve().parents[2]
EQUAL = "report total == charged total"
NEEDED = ("examples/demo", "tests/fake_openrouter", "tests/binaries.py", "tests/real_prometheus.py",
          "tests/real_victoria_metrics.py")  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the demo needs of the project, without anything that was unpacked before."""
    for name in NEEDED:
        source, target = REPOSITORY / name, tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return tmp_path / "checkout"


def run(checkout: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the demo's on a machine whose programs are those of one folder."""
    path.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env={**os.environ, "PATH": str(path), "PROMETHEUS_BIN_DIR": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def machine(folder: Path, **programs: str) -> Path:
    """A folder of programs, each a shell script."""
    folder.mkdir()
    for name, script in programs.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
    return folder


def test_without_any_prometheus_the_demo_keeps_a_journal(checkout: Path, tmp_path: Path) -> None:
    done = run(checkout, tmp_path / "bare", "examples.demo", "--seconds", "3")

    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1]) == (0, EQUAL), done.stdout + done.stderr
    assert lines[0].startswith("no prometheus on the PATH and no apt-get to fetch it with: install Prometheus (")
    assert lines[1] == "Without it the demo keeps its calls in a local journal."
    assert (checkout / ".cache" / "demo" / "usage.db").exists()
    assert (checkout / "report.json").exists()
    assert " ≠ " not in done.stdout
    assert "unpriced requests" in done.stdout


def test_with_a_prometheus_it_is_scraped(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "equipped").mkdir()
    for name in ("prometheus", "promtool"):
        (tmp_path / "equipped" / name).symlink_to(binary(name))
    done = run(checkout, tmp_path / "equipped", "examples.demo", "--seconds", "3")

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, EQUAL), done.stdout + done.stderr
    assert "search: Prometheus has all its 30 calls" in done.stdout
    assert not (checkout / ".cache" / "demo" / "usage.db").exists()


def test_setting_up_goes_on_without_a_prometheus_and_testing_does_not(checkout: Path, tmp_path: Path) -> None:
    optional, needed = (
        run(checkout, tmp_path / "bare", "examples.demo.packages", *options, "prometheus")
        for options in (["--optional"], [])
    )

    assert (optional.returncode, optional.stderr) == (0, "")
    assert optional.stdout.rstrip().endswith("`make demo` and `make quick` do without it; `make test` needs it.")
    assert (needed.returncode, needed.stdout) == (1, "")
    assert needed.stderr.startswith("no prometheus on the PATH and no apt-get to fetch it with: install Prometheus (")


def test_a_package_that_cannot_be_fetched_is_told_with_the_reason(checkout: Path, tmp_path: Path) -> None:
    broken = machine(tmp_path / "broken", apt_get="echo 'no route to anywhere' >&2; exit 100", dpkg_deb="exit 2")
    done = run(checkout, broken, "examples.demo.packages", "--optional", "prometheus")

    assert (done.returncode, done.stderr) == (0, "")
    assert "`apt-get update` failed (no route to anywhere)" in done.stdout
    assert not (checkout / ".cache" / "prometheus" / "usr").exists()


def test_an_explicit_wish_for_a_prometheus_is_not_replaced(checkout: Path, tmp_path: Path) -> None:
    done = run(checkout, tmp_path / "bare", "examples.demo", "--store", "prometheus")

    assert done.returncode == 1
    assert done.stderr.startswith("no prometheus on the PATH")


@pytest.mark.parametrize(("reported", "status", "last"), [("1.50", 0, EQUAL), ("1.49", 1, demo.UNEQUAL)])
def test_the_last_line_is_the_verdict(
    reported: str, status: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        Figure("total cost, USD", Decimal(reported), Decimal("1.5"), "the book"),
        Figure("requests", Decimal(3), Decimal(3), "the tally"),
    ]
    assert demo.conclude(rows) == status
    assert capsys.readouterr().out.splitlines() == [f"report {reported} USD, charged 1.5 USD", last]
