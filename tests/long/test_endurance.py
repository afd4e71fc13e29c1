"""What a long life does to a process, on a small share of the numbers of `python -m benchmarks.endurance`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_memory_holds_steady_and_no_cent_is_lost() -> None:
    command = [sys.executable, "-m", "benchmarks.endurance", "--share", "0.03"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_metrics_at_the_caps_are_served_within_five_seconds() -> None:
    command = [sys.executable, "-m", "benchmarks.scrape"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
