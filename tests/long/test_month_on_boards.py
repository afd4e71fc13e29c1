"""Thirty days on the boards: their totals by model against the truth, and against what ``increase()`` would have said.

Processes that run for a month, one that is restarted, 360 scripts of a single call, a process seen by two jobs, and a
gap of thirty hours. The figures are in docs/counting.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from grafana_queries import View, boards, figures, panel_named
from grafana_world import record
from openrouter_otel import names
from real_prometheus import RealPrometheus, backfill
from rule_worlds import COUNTING, rules
from usage_history import DAY, OFFERS, History, make_history

END = 1_795_370_400
LAG = 90  # seconds until a rule has recorded what a scrape brought
WINDOWS = {"24 h": 1, "7 d": 7, "30 d": 30}
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "counting.md"

Totals = Mapping[str, float]


@pytest.fixture(scope="module")
def month() -> History:
    return make_history(END, hours=31 * 24, step=900, calls_an_hour=12, offers=OFFERS[:4], gap_hours=30)


@pytest.fixture(scope="module")
def prometheus(month: History, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("month")
    backfill(folder, month.openmetrics(only=names.COST.prometheus))
    (minutes,) = [rule for rule in rules(COUNTING) if rule["record"] == "openrouter:cost_usd:increase1m"]
    with RealPrometheus(folder) as server:
        record(folder / "minutes.rules.yml", [{**minutes, "interval": "1m"}], server, END - 30 * DAY, END + 2 * LAG)
    with RealPrometheus(folder) as server:
        yield server.url


def on_the_board(prometheus: str, days: int) -> Totals:
    (board,) = [board for board in boards() if board["uid"] == "openrouter-models"]
    panel = panel_named(board, "Scorecard")
    return figures(View(prometheus, END - days * DAY, END).ask(panel, panel["targets"][0]), "model")


def asked(prometheus: str, days: int, expr: str, late: int = 0) -> Totals:
    target = {"expr": expr, "instant": True}
    return figures(View(prometheus, END + late - days * DAY, END + late).ask({}, target), "model")


def worst(seen: Totals, truth: Totals) -> float:
    """The model that is furthest off, as a share of its truth."""
    return max((seen.get(model, 0) / spent - 1 for model, spent in truth.items()), key=abs)


@pytest.mark.parametrize("window", WINDOWS)
def test_board_totals_are_the_truth_where_increase_is_not(month: History, prometheus: str, window: str) -> None:
    days = WINDOWS[window]
    truth = {model: float(spent) for model, spent in month.spend_by_model(END - days * DAY, END).items()}
    board = worst(on_the_board(prometheus, days), truth)
    rules = worst(
        asked(prometheus, days, "sum by (model) (sum_over_time(openrouter:cost_usd:increase1m[$__range]))", LAG), truth
    )
    plain = worst(asked(prometheus, days, f"sum by (model) (increase({names.COST.prometheus}[$__range]))"), truth)
    assert abs(board) < 1e-9
    assert abs(rules) < 0.001
    assert abs(plain) > 0.01
    row = f"| {window} | {sum(truth.values()):.4f} | {abs(board):.4%} | {abs(rules):.4%} | {plain:+.1%} |"
    assert row in DOCUMENT.read_text(encoding="utf-8"), row
