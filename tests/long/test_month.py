"""Thirty days of a larger fleet, by fixed seeds: millions of samples, and every sum what was scraped."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from histories import MINUTE, RESTART, UNIQUE, history
from openrouter_otel.reporting import figures, scan
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.period import Asked
from openrouter_otel.reporting.prometheus import Prometheus
from real_prometheus import RealPrometheus, backfill
from truth import check_latency, check_sums

REPOSITORY = Path(__file__).resolve().parents[2]
TZ = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(("kind", "seed"), [(UNIQUE, 21), (RESTART, 22)])
def test_every_sum_of_thirty_days_is_what_was_scraped(tmp_path: Path, kind: str, seed: int) -> None:
    told = history(seed, int(time.time() * 1000), kind, days=30, targets=4, step=4 * MINUTE)
    backfill(tmp_path, told.openmetrics())
    with RealPrometheus(tmp_path) as server:
        for _ in range(2):
            source = Prometheus(server.url, Access(), 60)
            found = scan.read(source, Asked(None, None, TZ), Filters(), tmp_path / "cache.sqlite")
            made = figures.report(found, figures.Wanted("Asia/Kolkata"), datetime.now(timezone.utc))
            check_sums(made, told.seen(), found.now, found.period, TZ)
            check_latency(made, told.seen(), found.period, extremes=False)


def test_the_reports_benchmark_finds_no_error() -> None:
    """A small share of `python -m benchmarks.report`; its goals are for a machine that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.report", "--counters", "1000", "--histograms", "60", "--days", "10"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.count(" 0 of its sums wrong") == 2, done.stdout + done.stderr[-2000:]
