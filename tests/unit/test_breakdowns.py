"""The period by model, provider, user and any label: every table is the same usage, apart in another way."""

from __future__ import annotations

from typing import Any

import pytest

from known_usage import NOW, Usage, money
from openrouter_otel import names
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.model import Price
from openrouter_otel.reporting.period import DAY, HOUR


@pytest.fixture
def usage() -> Usage:
    return Usage()


def test_shares_are_of_the_periods_cost(usage: Usage) -> None:
    usage.call("3", model="a", provider="X")
    usage.call("1", model="b", provider="X", user="bob")
    report = usage.report()
    assert {name: row.share for name, row in report.model_breakdown.items()} == {"a": money("0.75"), "b": money("0.25")}
    assert report.provider_breakdown["X"].share == 1
    assert report.user_stats["bob"].share == money("0.25")


def test_a_period_that_cost_nothing_has_no_shares(usage: Usage) -> None:
    usage.add(names.REQUESTS, 1, outcome="ok", cost_source="reported")
    report = usage.report()
    assert report.model_breakdown["openai/gpt-5"].share is None
    assert report.user_stats["alice"].share is None
    assert report.fruitless_spend.share is None


def test_a_row_says_how_many_of_its_tokens_were_cached_and_thought(usage: Usage) -> None:
    usage.call("1", count=2)
    usage.call("1", count=2, provider="Azure")
    usage.add(names.TOKENS_DETAIL, 50, token_type="cache_read")
    usage.add(names.TOKENS_DETAIL, 15, token_type="reasoning", provider="Azure")
    by_provider = usage.report().provider_breakdown
    openai, azure = by_provider["OpenAI"], by_provider["Azure"]
    assert (openai.input_tokens, openai.output_tokens, openai.cached_input_tokens) == (200, 40, 50)
    assert (openai.cache_hit_share, azure.cache_hit_share) == (money("0.25"), money("0"))
    assert azure.reasoning_tokens == 15


def test_what_is_known_by_nobody_is_no_zero(usage: Usage) -> None:
    usage.call("1", model="a", user="alice")
    usage.add(names.REQUESTS, 2, model="a", user="bob", cost_source="unknown")
    usage.add(names.REQUESTS, 3, model="b", user="carol", cost_source="unknown")
    usage.add(names.RESOLVED, 1, model="a", user="bob")
    report = usage.report()
    assert {name: row.unpriced_requests for name, row in report.model_breakdown.items()} == {"a": 1, "b": 3}
    assert {name: row.known_cost for name, row in report.model_breakdown.items()} == {"a": 1, "b": None}
    assert report.model_breakdown["b"].known_cost_per_request is None
    assert {name: row.unpriced_requests for name, row in report.user_stats.items()} == {
        "alice": 0,
        "bob": 1,
        "carol": 3,
    }
    assert {name: row.known_cost for name, row in report.user_stats.items()} == {"alice": 1, "bob": 0, "carol": None}
    assert sum(row.unpriced_requests for row in report.provider_breakdown.values()) == 4
    assert report.summary["period"].unpriced_requests == 4


def test_what_a_million_tokens_cost_depends_on_who_served_them(usage: Usage) -> None:
    usage.call("0.6", model="a", provider="X")
    usage.call("0.12", model="a", provider="Y")
    usage.call("2.4", model="b", provider="Y")
    usage.add(names.REQUESTS, 1, model="a", provider="Z", outcome="error", cost_source="none")
    prices = usage.report().effective_prices
    assert [(model, list(providers)) for model, providers in prices.items()] == [("b", ["Y"]), ("a", ["X", "Y", "Z"])]
    assert prices["a"]["X"] == Price(1, 120, money("0.6"), money("5000"))
    assert prices["a"]["Y"].cost_per_million_tokens == money("1000")
    assert prices["a"]["Z"] == Price(1, 0, money("0"), None)


GROUPS: dict[str, dict[str, str]] = {
    "user": {"alice": "2", "anonymous": "1"},
    "model": {"openai/gpt-5": "3"},
    "provider": {"OpenAI": "2", "(unknown)": "1"},
    "operation": {"chat": "2", "(unknown)": "1"},
    "requested_model": {"gpt": "2", "openai/gpt-5": "1"},
    "outcome": {"ok": "3"},
    "tag.team": {"search": "2", "(unknown)": "1"},
    "tag_team": {"search": "2", "(unknown)": "1"},
    "service": {"shop": "2", "cron": "1"},
    "environment": {"prod": "3"},
    "namespace": {"n1": "2", "(unknown)": "1"},
}


@pytest.mark.parametrize("group_by", GROUPS)
def test_any_label_makes_a_table_that_adds_up(usage: Usage, group_by: str) -> None:
    usage.call(
        "2",
        service_name="shop",
        deployment_environment_name="prod",
        tag_team="search",
        operation="chat",
        requested_model="gpt",
        namespace="n1",
    )
    usage.call("1", process="p2", user="", provider="", service_name="cron", deployment_environment_name="prod")
    made = usage.report(Wanted(group_by=group_by)).group_by
    assert made is not None
    assert made.label == group_by
    costs = {name: row.cost for name, row in made.rows.items() if row.cost}
    assert costs == {name: money(cost) for name, cost in GROUPS[group_by].items()}
    assert sum(row.requests for row in made.rows.values()) == 2
    assert sum(row.tokens for row in made.rows.values()) == 240


def test_by_outcome_errors_are_errors_and_tokens_are_said_to_be_nobodys(usage: Usage) -> None:
    usage.call("2")
    usage.add(names.REQUESTS, 3, outcome="error", cost_source="none")
    usage.add(names.ERRORS, 3, error_type="http_502")
    report = usage.report(Wanted(group_by="outcome"))
    assert report.group_by is not None
    rows = report.group_by.rows
    assert (rows["error"].requests, rows["error"].errors, rows["error"].error_rate) == (3, 3, money("1"))
    assert (rows["ok"].avg_latency_ms, rows["ok"].tokens, rows["(unknown)"].tokens) == (2000, 0, 120)
    (warning,) = report.accounting.warnings
    assert "tokens are not counted by outcome" in warning
    assert report.verdict == "exact"


def test_a_label_that_no_call_has_is_told_with_those_there_are(usage: Usage) -> None:
    usage.call("2", tag_team="search")
    (warning,) = usage.report(Wanted(group_by="tag.tem")).accounting.warnings
    assert warning.startswith("no call has the label tag_tem; there are model,")
    assert warning.endswith("environment, tag_team")
    assert usage.report(Wanted(group_by="tag.team")).accounting.warnings == ()
    assert Usage().report(Wanted(group_by="tag.tem")).accounting.warnings == ()


def test_latencies_of_users_come_from_buckets_alone(usage: Usage) -> None:
    usage.call("1", count=4)
    usage.add(names.DURATION_SQUARED, 16, user="")
    usage.add(names.DURATION_MAX, "2.1", user="")
    report = usage.report()
    for exact in (report.latency_overall, report.provider_latency_stats["OpenAI"]):
        assert (exact.stdev, exact.stdev_estimated, exact.max) == (0, False, 2100)
    alice = report.user_stats["alice"].latency
    assert (alice.count, alice.mean, alice.p95_range) == (4, 2000, (1500, 2200))
    assert (alice.stdev_estimated, alice.min, alice.max) == (True, None, None)


@pytest.mark.parametrize("filters", [Filters(user="anonymous"), Filters(label={"user": "anonymous"})])
def test_under_a_user_filter_nothing_comes_from_metrics_without_a_user(usage: Usage, filters: Filters) -> None:
    """Those carry no user at all, so they look as if they were the anonymous one's."""
    usage.call("1", count=4, user="")
    usage.add(names.DURATION_SQUARED, 99, user="")
    for metric in (names.FIRST_TOKEN, names.OUTPUT_RATE):
        usage.add(metric, 4, "_count", user="")
    usage.add(names.DURATION_MAX, "2.1", user="")
    report = usage.report(Wanted(filters=filters))
    for found in (
        report.latency_overall,
        report.latency_stats["openai/gpt-5"],
        report.provider_latency_stats["OpenAI"],
    ):
        assert (found.count, found.stdev_estimated, found.max) == (4, True, None)
    assert (report.time_to_first_token_stats, report.output_rate_stats) == ({}, {})
    assert len(usage.report().output_rate_stats) == len(usage.report().time_to_first_token_stats) == 1


def test_output_rates_are_tokens_per_second_by_model(usage: Usage) -> None:
    usage.add(names.OUTPUT_RATE, 2, "_count", user="")
    usage.add(names.OUTPUT_RATE, "110.5", "_sum", user="")
    for bound, below in (("47.0", 0), ("68.0", 2), ("+Inf", 2)):
        usage.add(names.OUTPUT_RATE, below, "_bucket", user="", le=bound)
    found = usage.report().output_rate_stats["openai/gpt-5"]
    assert (found.count, found.mean, found.p5_range) == (2, 55.25, (47, 68))


def columns(usage: Usage, **wanted: Any) -> list[tuple[Any, ...]]:
    made = usage.report(Wanted(rows=True, **wanted))
    return [
        (row.date[5:], *row.group, row.requests, row.input_tokens, row.output_tokens, row.cost, row.avg_latency_ms)
        for row in made.rows
    ]


def test_lines_of_the_csv_are_days_models_and_users(usage: Usage) -> None:
    usage.call("1", at=NOW - DAY, model="b", user="")
    usage.call("2", at=NOW - DAY, model="a", process="p2")
    usage.call("4", at=NOW - HOUR, model="a", count=2, process="p3")
    assert columns(usage) == [
        ("11-22", "a", "alice", 1, 100, 20, 2, 2000),
        ("11-22", "b", "anonymous", 1, 100, 20, 1, 2000),
        ("11-23", "a", "alice", 2, 200, 40, 4, 2000),
    ]
    assert usage.report(Wanted(rows=True)).row_labels == ("model", "user_id")
    assert (usage.report().rows, usage.report().row_labels) == ((), ())


def test_lines_of_the_csv_follow_the_group(usage: Usage) -> None:
    usage.call("1", model="b", tag_team="search")
    usage.call("2", model="a", tag_team="search")
    usage.call("4")
    assert [(*row[1:3], row[5]) for row in columns(usage, group_by="tag.team")] == [
        ("(unknown)", 1, 4),
        ("search", 2, 3),
    ]
    assert usage.report(Wanted(rows=True, group_by="tag.team")).row_labels == ("tag.team",)
    assert usage.report(Wanted(rows=True, group_by="user")).row_labels == ("user_id",)


def test_a_line_whose_duration_nobody_kept_has_none(usage: Usage) -> None:
    usage.add(names.REQUESTS, 1, outcome="error", cost_source="none")
    usage.add(names.ERRORS, 1, error_type="http_502")
    (row,) = usage.report(Wanted(rows=True)).rows
    assert (row.requests, row.errors, row.cost, row.avg_latency_ms) == (1, 1, money("0"), None)


def test_a_filter_that_nobody_passes_is_a_report_of_zeros_that_says_why(usage: Usage) -> None:
    usage.other["values"] = {"user": {"alice", "bob"}}
    report = usage.report(Wanted(filters=Filters(user="alcie")))
    assert report.summary["all_time"].total_requests == 0
    assert report.accounting.warnings == ("no call has the user 'alcie'; there are 'alice', 'bob'",)
    assert report.filters["user"] == "alcie"
