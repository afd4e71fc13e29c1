"""What the report says of known usage."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from known_usage import NOW, Usage, money
from openrouter_otel import names
from openrouter_otel.reporting.coverage import Coverage, Gap, Presence, had_counted
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import DAY, HOUR


@pytest.fixture
def usage() -> Usage:
    return Usage()


def test_payees_and_sources_are_disjoint_parts_of_the_spend(usage: Usage) -> None:
    for amount, source, payee in (
        ("1.5", names.REPORTED, names.OPENROUTER),
        ("0.25", names.ESTIMATED, names.OPENROUTER),
        ("0.125", names.ESTIMATED, names.PROVIDER),
    ):
        usage.add(names.COST, amount, cost_source=source, payee=payee)
    report = usage.report()
    books = report.accounting
    assert (books.charged_cost, books.estimated_cost, books.byok_cost) == (money("1.5"), money("0.25"), money("0.125"))
    assert report.summary["period"].total_cost == money("1.875")


def test_how_calls_ended_and_what_is_not_known_of_their_price(usage: Usage) -> None:
    for count, outcome, source in ((7, "ok", "reported"), (2, "error", "none"), (3, "abandoned", "unknown")):
        usage.add(names.REQUESTS, count, outcome=outcome, cost_source=source)
    usage.add(names.ERRORS, 2, error_type="rate_limit_exceeded")
    summary = usage.report().summary["period"]
    assert (summary.total_requests, summary.total_errors, summary.abandoned_requests) == (12, 2, 3)
    assert (summary.unpriced_requests, summary.error_rate) == (3, money("0.166666666667"))
    assert summary.avg_cost_per_request == 0
    assert summary.avg_latency_ms is None


def test_nothing_to_divide_by_is_no_average(usage: Usage) -> None:
    summary = usage.report().summary["period"]
    assert summary.avg_cost_per_request is None
    assert summary.avg_latency_ms is None
    assert summary.error_rate == 0


def test_token_details_are_parts_and_never_added(usage: Usage) -> None:
    usage.call("1", count=2)
    usage.add(names.TOKENS_DETAIL, 50, token_type="cache_read")
    usage.add(names.TOKENS_DETAIL, 15, token_type="reasoning")
    summary = usage.report().summary["period"]
    assert (summary.total_tokens, summary.input_tokens, summary.output_tokens) == (240, 200, 40)
    assert (summary.cached_input_tokens, summary.reasoning_tokens) == (50, 15)


def test_errors_go_by_the_model_that_was_asked_for(usage: Usage) -> None:
    usage.add(names.ERRORS, 2, error_type="http_502", model="served", requested_model="asked")
    usage.add(names.ERRORS, 3, error_type="http_502", model="served")
    errors = usage.report().errors
    assert errors.by_model == {"served": 3, "asked": 2}
    assert errors.by_type == {"http_502": 5}
    assert errors.recent is None


def test_tables_are_ordered_by_cost_and_equals_by_name(usage: Usage) -> None:
    for user, cost in (("carol", "1"), ("bob", "2"), ("alice", "1")):
        usage.call(cost, user=user, model=f"model-of-{user}")
    report = usage.report(Wanted(top=2))
    assert list(report.user_stats) == ["bob", "alice", "carol"]
    assert list(report.model_breakdown) == ["model-of-bob", "model-of-alice", "model-of-carol"]
    assert report.top_users == ("bob", "alice")
    assert report.user_stats["bob"].models_used == ("model-of-bob",)


def test_a_breakdown_row_has_its_own_averages(usage: Usage) -> None:
    usage.call("0.6", count=3)
    usage.add(names.DURATION, 1, "_count", outcome="error")
    usage.add(names.DURATION, 99, "_sum", outcome="error")
    row = usage.report().model_breakdown["openai/gpt-5"]
    assert (row.requests, row.tokens, row.cost, row.avg_latency_ms) == (3, 360, money("0.6"), 2000)
    assert (row.cost_per_request, row.cost_per_million_tokens) == (money("0.2"), money("1666.666666666667"))


def test_weeks_start_on_monday_and_trends_add_up(usage: Usage) -> None:
    for days in (0, 1, 8, 23):
        usage.call("1", at=NOW - days * DAY - HOUR, process=f"p{days}")
    report = usage.report()
    assert len(report.daily_trend) == 30
    assert {day: row.requests for day, row in report.daily_trend.items() if row.requests} == {
        "2026-10-31": 1,
        "2026-11-15": 1,
        "2026-11-22": 1,
        "2026-11-23": 1,
    }
    assert {week: row.cost for week, row in report.weekly_trend.items() if row.cost} == {
        "2026-10-26": 1,
        "2026-11-09": 1,
        "2026-11-16": 1,
        "2026-11-23": 1,
    }
    assert {month: row.tokens for month, row in report.monthly_trend.items()} == {"2026-10": 120, "2026-11": 360}
    assert [level for level in report.daily_levels if level] == [8, 8, 8, 8]


def test_what_happened_up_to_midnight_belongs_to_the_day_that_ends(usage: Usage) -> None:
    usage.tz = ZoneInfo("Asia/Kolkata")
    midnight = NOW + 6 * HOUR + HOUR // 2 - 2 * DAY
    usage.call("1", at=midnight)
    report = usage.report()
    assert [day for day, row in report.daily_trend.items() if row.requests] == ["2026-11-21"]
    assert report.hourly_distribution["23"] == 1


def test_what_opentelemetry_took_the_labels_of_is_said_to_be_overflow(usage: Usage) -> None:
    usage.add(names.REQUESTS, 4, model="", provider="", user="", otel_metric_overflow="true")
    report = usage.report()
    assert set(report.model_breakdown) == set(report.user_stats) == {"(overflow)"}
    assert report.accounting.overflow_requests == 4
    assert report.verdict == "incomplete"


def test_users_beyond_the_cap_make_a_lower_bound(usage: Usage) -> None:
    usage.call("1", user="(other)")
    report = usage.report()
    assert report.verdict == "lower_bound"
    assert "max_users" in report.accounting.warnings[0]


def test_the_worst_doubt_wins_and_every_doubt_is_told(usage: Usage) -> None:
    usage.call("1", process="")
    usage.other["coverage"] = Coverage(gaps=(Gap("p2", NOW - 5 * HOUR, NOW - 3 * HOUR),), late=("p3",))
    report = usage.report()
    assert (report.verdict, report.accounting.identity) == ("incomplete", "values")
    assert report.accounting.gaps == (
        {"process": "p2", "from": "2026-11-23T07:00:00+00:00", "to": "2026-11-23T09:00:00+00:00"},
    )
    assert len(report.accounting.warnings) == 3
    for word in ("unseen", "first scrape", "`process`"):
        assert word in report.statement


def test_all_is_well_in_one_plain_sentence(usage: Usage) -> None:
    usage.call("1")
    report = usage.report()
    assert report.verdict == "exact"
    assert report.statement == "Exact: every call that was scraped is counted once, at what it cost."


def test_extremes_are_those_of_all_processes(usage: Usage) -> None:
    usage.call("1", count=2)
    for gauge, seconds in ((names.DURATION_MIN, ("1.9", "1.7", "NaN")), (names.DURATION_MAX, ("2.1", "2.0"))):
        for text in seconds:
            usage.add(gauge, text, user="")
    report = usage.report()
    for found in (report.latency_overall, report.latency_stats["openai/gpt-5"]):
        assert (found.min, found.max, found.p95_range) == (1700, 2100, (1500, 2200))


def test_first_tokens_have_statistics_of_their_own(usage: Usage) -> None:
    usage.add(names.FIRST_TOKEN, 2, "_count", user="")
    usage.add(names.FIRST_TOKEN, "0.5", "_sum", user="")
    for bound, below in (("0.22", 0), ("0.33", 2), ("+Inf", 2)):
        usage.add(names.FIRST_TOKEN, below, "_bucket", user="", le=bound)
    found = usage.report().time_to_first_token_stats["openai/gpt-5"]
    assert (found.count, found.mean, found.p99_range) == (2, 250, (220, 330))
    assert found.stdev == pytest.approx(44.85, abs=0.01)
    assert (found.stdev_estimated, found.min) == (True, None)


def test_a_gap_is_whole_hours_between_two_sights_of_a_process() -> None:
    hours = [NOW + step * HOUR for step in range(8)]
    presence = Presence()
    presence.add({"a": [hours[0], hours[3], hours[6], hours[7] + 5], "dead": [hours[2]]})
    presence.add({"a": [hours[5]]})
    assert presence.gaps(hours) == (
        Gap("a", hours[0], hours[2]),
        Gap("a", hours[3], hours[4]),
        Gap("a", hours[6], hours[7]),
    )


def test_who_was_last_seen_before_an_outage_may_have_lost_its_tail() -> None:
    presence = Presence()
    presence.add({"gone": [NOW, NOW + HOUR], "back": [NOW + HOUR, NOW + 9 * HOUR], "earlier": [NOW]})
    assert presence.lost_tails([Gap("up", NOW + HOUR, NOW + 4 * HOUR)]) == ("gone",)


def test_only_what_had_counted_by_its_first_scrape_is_late() -> None:
    start = [Reading({"process": name}, [(10, "1"), (20, "1")]) for name in ("counted", "idle", "silent")]
    requests = [
        Reading({"process": "counted"}, [(10, "3")]),
        Reading({"process": "idle"}, [(10, "0"), (20, "4")]),
        Reading({"process": "silent"}, [(20, "4")]),
    ]
    assert had_counted(start, requests) == {"counted"}
