"""The JSON is the contract's, with every digit."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from known_usage import Usage
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import RENDERERS
from openrouter_otel.reporting.render.paper import Paper

S = [
    "total_requests",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "total_cost",
    "avg_latency_ms",
    "avg_cost_per_request",
    "total_errors",
    "error_rate",
    "abandoned_requests",
    "unpriced_requests",
]
L = ["count", "mean", "median", "stdev", "min", "max", "p50", "p95", "p99", "p50_range", "p95_range", "p99_range"]
ROW = [
    "requests",
    "tokens",
    "cost",
    "avg_latency_ms",
    "cost_per_request",
    "errors",
    "error_rate",
    "cost_per_million_tokens",
]
SECTIONS = [
    "schema_version",
    "generated_at",
    "timezone",
    "source",
    "filters",
    "data_since",
    "period",
    "verdict",
    "statement",
    "summary",
    "model_breakdown",
    "provider_breakdown",
    "daily_trend",
    "weekly_trend",
    "monthly_trend",
    "hourly_distribution",
    "latency_overall",
    "latency_stats",
    "time_to_first_token_stats",
    "top_users",
    "user_stats",
    "errors",
    "account",
    "accounting",
]
ACCOUNTING = [
    "identity",
    "unpriced_requests",
    "charged_cost",
    "byok_cost",
    "estimated_cost",
    "overflow_requests",
    "gaps",
    "warnings",
]


def rendered(report: Report) -> str:
    return RENDERERS["json"](report, Paper())


def test_the_shape_is_the_contracts() -> None:
    usage = Usage()
    usage.call("0.5")
    made = json.loads(rendered(usage.report()))
    assert list(made) == SECTIONS
    assert list(made["summary"]) == ["last_24h", "last_7d", "last_30d", "all_time", "period"]
    assert all(list(one) == S for one in made["summary"].values())
    assert list(made["model_breakdown"]["openai/gpt-5"]) == list(made["provider_breakdown"]["OpenAI"]) == ROW
    assert list(made["daily_trend"][0]) == ["date", "requests", "tokens", "cost", "errors"]
    assert next(iter(made["weekly_trend"][0])) == "week_start"
    assert next(iter(made["monthly_trend"][0])) == "month"
    assert list(made["latency_overall"]) == list(made["latency_stats"]["openai/gpt-5"]) == L
    assert list(made["top_users"][0]) == ["user_id", "requests", "tokens", "cost", "models_used"]
    assert list(made["errors"]) == ["error_rate", "by_type", "by_model", "recent"]
    assert list(made["accounting"]) == ACCOUNTING
    assert made["latency_overall"]["p95_range"] == [1500, 2200]


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


@settings(max_examples=40)
@given(st.text(), st.decimals(0, 10**9, places=12), st.lists(st.text(), max_size=2))
def test_any_name_and_amount_parses_back(name: str, cost: Decimal, warnings: list[str]) -> None:
    usage = Usage()
    usage.call(f"{cost:f}", user=name, model="m")
    report = usage.report()
    report = replace(report, accounting=replace(report.accounting, warnings=tuple(warnings)))
    text = rendered(report)
    made = json.loads(text, parse_float=Decimal)
    assert made["user_stats"] == {
        name or "anonymous": {"requests": 1, "tokens": 120, "cost": cost, "models_used": ["m"]}
    }
    assert made["accounting"]["warnings"] == warnings
    assert text.isascii()
