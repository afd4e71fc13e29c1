"""Synthetic histories with known truth: every sum is what was scraped, whatever tells processes apart."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from histories import MINUTE, RESTART, UNIQUE, VALUES, History, Life, history
from openrouter_otel import names
from openrouter_otel.reporting import figures, scan
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import HOUR, Asked, Interval
from simulated_prometheus import SimulatedPrometheus
from truth import check_latency, check_sums, money

NOW = 1_795_400_123_456
BERLIN = ZoneInfo("Europe/Berlin")


def evidence(source: SimulatedPrometheus, cache: Path | None = None, filters: Filters = Filters()) -> Evidence:  # noqa: B008
    return scan.read(source, Asked(None, None, BERLIN), filters, cache)


def report(found: Evidence) -> Report:
    return figures.report(found, figures.Wanted("Europe/Berlin"), datetime.now(timezone.utc))


def check(source: SimulatedPrometheus, told: History, now: int, cache: Path | None = None) -> None:
    found = evidence(source, cache)
    made = report(found)
    assert made.accounting.identity == told.kind
    check_sums(made, told.seen(), now, found.period, BERLIN)
    check_latency(made, told.seen(), found.period, extremes=False)


@pytest.mark.parametrize("closed", [True, False], ids=["prometheus2", "prometheus3"])
@pytest.mark.parametrize("kind", [UNIQUE, RESTART])
@pytest.mark.parametrize("seed", range(4))
def test_every_sum_is_what_was_scraped(seed: int, kind: str, closed: bool) -> None:
    told = history(seed, NOW, kind)
    check(SimulatedPrometheus(told.samples(), NOW, closed), told, NOW)


@pytest.mark.parametrize("closed", [True, False], ids=["prometheus2", "prometheus3"])
@pytest.mark.parametrize("seed", range(4))
def test_values_alone_give_what_values_can_show_and_never_more(seed: int, closed: bool) -> None:
    told = history(seed, NOW, VALUES)
    made = report(evidence(SimulatedPrometheus(told.samples(), NOW, closed)))
    shown = told.by_values()
    assert made.summary["all_time"].total_cost == shown[names.COST.prometheus]
    assert made.summary["all_time"].total_requests == shown[names.REQUESTS.prometheus] <= len(told.seen())
    assert made.latency_overall.count <= sum(call.ok for _, call in told.seen())
    assert (made.accounting.identity, made.verdict) == (VALUES, "lower_bound")


def test_a_source_that_bears_little_is_asked_in_smaller_pieces() -> None:
    told = history(1, NOW, UNIQUE)
    check(SimulatedPrometheus(told.samples(), NOW, bearable=700), told, NOW)


def test_extremes_are_exact_when_no_gap_exceeds_a_minute() -> None:
    told = history(3, NOW, UNIQUE, days=2, targets=2, step=MINUTE, gaps=False)
    found = evidence(SimulatedPrometheus(told.samples(), NOW))
    check_latency(report(found), told.seen(), found.period, extremes=True)


def test_what_processes_counted_before_the_source_remembers_is_in_no_figure_that_begins_later() -> None:
    """The source keeps the last four days: processes that ran before have a past of which only the sum is known."""
    told = history(5, NOW, UNIQUE, days=6, step=4 * MINUTE, gaps=False)
    kept = NOW - 4 * 24 * HOUR
    source = SimulatedPrometheus((sample for sample in told.samples() if sample.at > kept), NOW)
    found = evidence(source)
    old = {life.process for life in told.lives if any(at <= kept for at in _times(life)) and _times(life)[-1] > kept}
    assert old
    assert set(found.coverage.older) == old
    recent = Interval(found.data_since or 0, NOW)
    made = found.books[names.COST.prometheus].within(recent).sum()
    assert made == money(call for at, call in told.seen() if at in recent and not _first_after(told, at, kept))
    whole = found.books[names.COST.prometheus].within(found.interval("all_time")).sum()
    assert whole == money(call for life in told.lives if _times(life)[-1] > kept for _, call in life.seen())


def _first_after(told: History, at: int, kept: int) -> bool:
    """Whether an old process' first remembered scrape showed it: then it cannot be told from what was before."""
    return any(
        _times(life)[0] <= kept and at == min(t for t in _times(life) if t > kept)
        for life in told.lives
        if _times(life)[-1] > kept
    )


def _times(life: Life) -> list[int]:
    return sorted(at for times in life.scrapes.values() for at in times) or [0]
