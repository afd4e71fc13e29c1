"""The boards' queries on a real Prometheus: none fails, none is empty, and money is counted to the digit."""

from __future__ import annotations

import math

import pytest

from grafana_queries import Json, View, boards, figures, panel_named, targets
from openrouter_otel import names
from usage_history import DAY, HOUR, History

EVERY_QUERY = [
    pytest.param(panel, target, id=f"{board['uid']}-{panel['title']}-{target['refId']}")
    for board in boards()
    for panel, target in targets(board)
]
MAY_BE_NEGATIVE = {"Counted against charged"}
# `all others` is there only where there are more than ten.
OPTIONAL = "unless on ("
RANGES = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}


@pytest.fixture
def overview() -> Json:
    (board,) = [board for board in boards() if board["uid"] == "openrouter-overview"]
    return board


def ask(view: View, board: Json, title: str, place: int = 0) -> list[Json]:
    panel = panel_named(board, title)
    return view.ask(panel, panel["targets"][place])


@pytest.mark.parametrize(("panel", "target"), EVERY_QUERY)
def test_every_query_has_an_answer_over_every_range(panel: Json, target: Json, prometheus: str, end: int) -> None:
    for text, seconds in RANGES.items():
        series = View(prometheus, end - seconds, end).ask(panel, target)
        optional = OPTIONAL in target["expr"]
        if seconds >= DAY and not optional:  # an hour may well pass without an error or a stream
            assert series, text
        values = [float(value) for one in series for _, value in one.get("values") or [one["value"]]]
        assert all(math.isfinite(value) and (value >= 0 or panel["title"] in MAY_BE_NEGATIVE) for value in values), text


@pytest.mark.parametrize(("panel", "target"), EVERY_QUERY)
def test_every_query_has_an_answer_for_one_model_and_one_user(
    panel: Json, target: Json, prometheus: str, history: History, end: int
) -> None:
    call = next(call for call in history.calls(end - DAY, end) if call.error_type)
    chosen = {
        "environment": "demo",
        "service": "shop",
        "provider": call.offer.provider,
        "model": call.offer.model,
        "user": call.user,
    }
    optional = OPTIONAL in target["expr"]
    assert optional or View(prometheus, end - DAY, end, chosen).ask(panel, target)


@pytest.mark.parametrize("hours", [1, 6, 24, 33])
def test_spend_is_the_truth(overview: Json, prometheus: str, history: History, end: int, hours: int) -> None:
    since, until = end - hours * HOUR - 7, end - 7
    ((_, spend),) = [one["value"] for one in ask(View(prometheus, since, until), overview, "Spend")]
    truth = sum(history.spend_by_model(since, until).values())
    assert float(spend) == pytest.approx(float(truth), rel=1e-9)


def test_increase_would_have_lost_money(prometheus: str, history: History, end: int) -> None:
    """Why the boards do not use it: births, restarts and processes seen twice are all in this day."""
    plain = {"expr": f"sum(increase({names.COST.prometheus}[$__range]))", "instant": True}
    ((_, spend),) = [one["value"] for one in View(prometheus, end - DAY, end).ask({}, plain)]
    truth = float(sum(history.spend_by_model(end - DAY, end).values()))
    assert abs(float(spend) / truth - 1) > 0.02


def test_every_table_and_bar_is_the_same_truth(overview: Json, prometheus: str, history: History, end: int) -> None:
    since, until = end - DAY, end
    view = View(prometheus, since, until)
    truth = {model: float(cost) for model, cost in history.spend_by_model(since, until).items()}
    calls = history.calls(since, until)
    assert figures(ask(view, overview, "Models"), "model") == pytest.approx(truth)
    assert figures(ask(view, overview, "Spend by model"), "model") == pytest.approx(truth)
    assert sum(figures(ask(view, overview, "Top users by spend"), "user").values()) == pytest.approx(
        sum(truth.values())
    )
    assert figures(ask(view, overview, "Requests"), "") == {"": len(calls)}
    assert sum(figures(ask(view, overview, "Requests by model"), "model").values()) == len(calls)
    assert sum(figures(ask(view, overview, "Errors by type"), "error_type").values()) == sum(
        call.outcome == names.ERROR for call in calls
    )
    assert figures(ask(view, overview, "Unpriced"), "") == {
        "": sum(call.cost_source == names.UNPRICED for call in calls)
    }


def test_nothing_at_all_is_a_dash_and_not_a_number(overview: Json, prometheus: str, end: int) -> None:
    before_everything = View(prometheus, end - 9 * DAY, end - 8 * DAY)
    for panel, target in targets(overview):
        assert before_everything.ask(panel, target) == []


def test_calls_without_errors_have_an_error_ratio_of_zero(
    overview: Json, prometheus: str, history: History, end: int
) -> None:
    quiet = next(
        at
        for at in range(end - HOUR, end - DAY, -HOUR)
        if history.calls(at, at + HOUR) and not any(call.error_type for call in history.calls(at, at + HOUR))
    )
    assert figures(ask(View(prometheus, quiet, quiet + HOUR), overview, "Errors"), "") == {"": 0}
