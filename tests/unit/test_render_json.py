"""The JSON has every digit and any name; `test_report_schema.py` has its shape."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from full_report import full_report
from known_usage import Usage
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import RENDERERS
from openrouter_otel.reporting.render.paper import Paper


def rendered(report: Report) -> str:
    return RENDERERS["json"](report, Paper())


def test_trends_are_lists_and_users_are_listed_by_name() -> None:
    made = json.loads(rendered(full_report()))
    assert list(made["daily_trend"][0]) == ["date", "requests", "tokens", "cost", "errors"]
    assert next(iter(made["weekly_trend"][0])) == "week_start"
    assert next(iter(made["monthly_trend"][0])) == "month"
    assert made["top_users"][0] == {"user_id": "alice", **made["user_stats"]["alice"]}
    assert made["latency_overall"]["p95_range"] == [1500, 2200]


def test_what_other_formats_need_is_not_in_it() -> None:
    assert not {"rows", "row_labels", "daily_levels"} & set(json.loads(rendered(full_report())))


def test_money_keeps_twelve_places_that_a_float_would_lose() -> None:
    usage = Usage()
    usage.call("123456789.012345678901")
    text = rendered(usage.report())
    assert '"total_cost": 123456789.012345678901,' in text
    assert json.loads(text, parse_float=Decimal)["accounting"]["charged_cost"] == Decimal("123456789.012345678901")


def test_counts_are_integers_and_money_always_has_a_point() -> None:
    usage = Usage()
    usage.call("3")
    made = json.loads(rendered(usage.report()), parse_float=Decimal)
    assert made["summary"]["period"]["total_cost"] == 3
    assert isinstance(made["summary"]["period"]["total_cost"], Decimal)
    assert isinstance(made["summary"]["period"]["total_tokens"], int)


@settings(max_examples=40, deadline=None)
@given(st.text(), st.decimals(0, 10**9, places=12), st.lists(st.text(), max_size=2))
def test_any_name_and_amount_parses_back(name: str, cost: Decimal, warnings: list[str]) -> None:
    usage = Usage()
    usage.call(f"{cost:f}", user=name, model="m")
    report = usage.report()
    report = replace(report, accounting=replace(report.accounting, warnings=tuple(warnings)))
    text = rendered(report)
    made = json.loads(text, parse_float=Decimal)
    assert {user: (row["cost"], row["models_used"]) for user, row in made["user_stats"].items()} == {
        name or "anonymous": (cost, ["m"])
    }
    assert made["accounting"]["warnings"] == warnings
    assert text.isascii()
