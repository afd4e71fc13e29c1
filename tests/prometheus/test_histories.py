"""Synthetic histories in a real Prometheus: every sum is what was scraped, cold and from the cache."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from histories import MINUTE, RESTART, UNIQUE, VALUES, History, history
from openrouter_otel import names
from openrouter_otel.reporting import figures, scan
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.period import Asked
from openrouter_otel.reporting.prometheus import Prometheus
from real_prometheus import RealPrometheus, backfill
from truth import check_latency, check_sums

TZ = ZoneInfo("America/New_York")
WANTED = figures.Wanted("America/New_York")


def read(server: RealPrometheus, cache: Path | None) -> Evidence:
    return scan.read(Prometheus(server.url, Access(), 60), Asked(None, None, TZ), Filters(), cache)


def check(told: History, found: Evidence, extremes: bool = False) -> None:
    made = figures.report(found, WANTED, datetime.now(timezone.utc))
    check_sums(made, told.seen(), found.now, found.period, TZ)
    check_latency(made, told.seen(), found.period, extremes)
    assert made.accounting.identity == told.kind


@pytest.mark.parametrize(("kind", "seed"), [(UNIQUE, 1), (UNIQUE, 2), (RESTART, 3)])
def test_every_sum_is_what_was_scraped_cold_and_warm(tmp_path: Path, kind: str, seed: int) -> None:
    told = history(seed, int(time.time() * 1000), kind, days=5)
    backfill(tmp_path, told.openmetrics())
    with RealPrometheus(tmp_path) as server:
        for _ in range(2):
            found = read(server, tmp_path / "cache.sqlite")
            check(told, found)
            assert found.notes == ()


def test_values_alone_give_what_values_can_show(tmp_path: Path) -> None:
    told = history(4, int(time.time() * 1000), VALUES, days=5)
    backfill(tmp_path, told.openmetrics())
    with RealPrometheus(tmp_path) as server:
        found = read(server, None)
    shown = told.by_values()
    for metric in (names.REQUESTS.prometheus, names.COST.prometheus, names.TOKENS.prometheus):
        assert found.books[metric].within(found.interval("all_time")).sum() == shown[metric]


def test_extremes_are_exact_when_no_gap_exceeds_a_minute(tmp_path: Path) -> None:
    told = history(5, int(time.time() * 1000), UNIQUE, days=1, targets=2, step=MINUTE, gaps=False)
    backfill(tmp_path, told.openmetrics())
    with RealPrometheus(tmp_path) as server:
        check(told, read(server, None), extremes=True)
