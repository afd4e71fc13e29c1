"""Reports from a real Prometheus, on histories whose totals are worked out by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from openrouter_otel.report import usage_report
from openrouter_otel.reporting.filters import Filters

HOUR = 3600
DAY = 24 * HOUR
Reported = Callable[..., dict[str, Any]]


def totals(report: dict[str, Any], interval: str = "period") -> tuple[int, int | Decimal]:
    summary = report["summary"][interval]
    return summary["total_requests"], summary["total_cost"]


def test_an_empty_prometheus_gives_a_report_of_zeros(scraped: Any, reported: Reported) -> None:
    report = reported(scraped)
    assert totals(report, "all_time") == (0, 0)
    assert len(report["daily_trend"]) == 30
    assert list(report["hourly_distribution"]) == [f"{hour:02}" for hour in range(24)]
    assert (report["verdict"], report["data_since"], report["accounting"]["identity"]) == ("exact", None, "unique")


def test_a_program_gets_the_typed_report_that_the_command_writes_down(scraped: Any, prometheus: Any) -> None:
    scraped.calls(scraped.now - 5 * HOUR, 3, "0.125", user="bob")
    scraped.calls(scraped.now - 5 * HOUR, 4, "0.5", user="alice")
    made = usage_report(prometheus(scraped), tz="Asia/Kolkata", filters=Filters(user="alice"), group_by="user")
    assert (made.summary["period"].total_cost, made.summary["period"].total_requests) == (Decimal("0.5"), 4)
    assert made.group_by is not None
    assert list(made.group_by.rows) == ["alice"]


@pytest.mark.parametrize("wrong", [{"since": "soon"}, {"tz": "Mars/Base"}, {"group_by": "le"}], ids=str)
def test_a_program_is_told_what_an_argument_takes_before_a_source_is_asked(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"takes|known|not every"):
        usage_report("http://127.0.0.1:9", **wrong)  # type: ignore[arg-type]


def test_a_series_born_with_one_call_counts_that_call(scraped: Any, reported: Reported) -> None:
    scraped.calls(scraped.now - 5 * HOUR, 1, "0.000000000001")
    report = reported(scraped)
    assert totals(report) == (1, Decimal("0.000000000001"))
    assert report["verdict"] == "exact"


def test_a_process_that_dies_and_one_that_comes_back_with_the_same_labels_add_up(
    scraped: Any, reported: Reported
) -> None:
    for minute in range(10):
        scraped.calls(scraped.now - 3 * HOUR + minute * 60, minute + 1, f"0.{minute + 1:02}", process="first")
        scraped.calls(scraped.now - 2 * HOUR + minute * 60, minute + 1, f"0.{minute + 1:02}", process="second")
    assert totals(reported(scraped)) == (20, Decimal("0.20"))


def test_five_minutes_of_failed_scrapes_lose_nothing(scraped: Any, reported: Reported) -> None:
    for minute in [*range(10), *range(15, 30)]:
        scraped.calls(scraped.now - 3 * HOUR + minute * 60, minute + 1, f"{(minute + 1) * 3}e-3")
    report = reported(scraped)
    assert totals(report) == (30, Decimal("0.090"))
    assert (report["verdict"], report["accounting"]["gaps"]) == ("exact", [])


def test_two_processes_with_the_same_labels_are_two(scraped: Any, reported: Reported) -> None:
    for minute in range(90):
        at = scraped.now - 2 * HOUR + minute * 60
        scraped.calls(at, minute + 1, f"{minute + 1}e-6", process="p1")
        scraped.calls(at + 7, 2 * minute + 1, f"{2 * minute + 1}e-6", process="p2")
    assert totals(reported(scraped)) == (90 + 179, Decimal("0.000269"))


def test_one_process_scraped_by_two_jobs_is_one(scraped: Any, reported: Reported) -> None:
    for minute in range(150):
        at = scraped.now - 3 * HOUR + minute * 60
        scraped.calls(at, minute + 1, f"{minute + 1}e-4", job="app", instance="a:9464")
        if minute < 140:
            scraped.calls(at + 31, minute + 1, f"{minute + 1}e-4", job="replica", instance="b:9464")
    report = reported(scraped)
    assert totals(report) == (150, Decimal("0.0150"))
    assert report["verdict"] == "exact"


def test_series_without_a_process_are_a_lower_bound(scraped: Any, reported: Reported) -> None:
    """3 calls, then a restart: 2 more are all that the values can show."""
    for hours, count in ((5, 1), (4, 3), (2, 1), (1, 2)):
        scraped.calls(scraped.now - hours * HOUR, count, f"{count}", process="")
    report = reported(scraped)
    assert totals(report) == (5, 5)
    assert (report["verdict"], report["accounting"]["identity"]) == ("lower_bound", "values")
    assert "lower bound" in report["statement"]


def test_two_instances_without_a_process_are_two(scraped: Any, reported: Reported) -> None:
    scraped.calls(scraped.now - 2 * HOUR, 4, "0.4", process="", instance="a:9464")
    scraped.calls(scraped.now - 2 * HOUR, 3, "0.3", process="", instance="b:9464")
    scraped.calls(scraped.now - 2 * HOUR, 2, "0.2", process="p1")
    report = reported(scraped)
    assert totals(report) == (9, Decimal("0.9"))
    assert (report["verdict"], report["accounting"]["identity"]) == ("lower_bound", "mixed")


def test_a_counter_that_falls_though_it_has_a_process_is_said_to_be_broken(scraped: Any, reported: Reported) -> None:
    scraped.calls(scraped.now - 3 * HOUR, 5, "0.5")
    scraped.calls(scraped.now - 1 * HOUR, 2, "0.2")
    report = reported(scraped)
    assert totals(report) == (7, Decimal("0.7"))
    assert report["verdict"] == "incomplete"  # it also went unseen for an hour
    assert any("fell" in warning and "p1" in warning for warning in report["accounting"]["warnings"])


def test_a_series_silent_for_two_months_counts_from_where_it_was(scraped: Any, reported: Reported) -> None:
    scraped.calls(scraped.now - 60 * DAY, 5, "5.5")
    scraped.calls(scraped.now - 1 * HOUR, 7, "7.25")
    report = reported(scraped)
    assert totals(report) == totals(report, "last_24h") == (2, Decimal("1.75"))
    assert totals(report, "all_time") == (7, Decimal("7.25"))
    assert report["verdict"] == "incomplete"
    assert report["accounting"]["gaps"][0]["process"] == "p1"


def test_a_gap_of_hours_loses_nothing_and_is_named(scraped: Any, reported: Reported) -> None:
    base = scraped.now - scraped.now % HOUR - 10 * HOUR
    for minute in [*range(0, 90, 10), *range(270, 400, 10)]:
        scraped.calls(base + minute * 60, minute + 1, f"{minute + 1}")
    report = reported(scraped)
    assert totals(report) == (391, 391)
    assert report["verdict"] == "incomplete"
    (gap,) = report["accounting"]["gaps"]
    at = [datetime.fromisoformat(gap[end]).timestamp() - base for end in ("from", "to")]
    assert at == [2 * HOUR, 4 * HOUR]


def test_a_late_first_scrape_of_a_process_that_had_counted_is_named(scraped: Any, reported: Reported) -> None:
    start = scraped.now - 4 * HOUR
    for process, first, calls in (("late", 600, 3), ("idle", 600, 0), ("punctual", 240, 3)):
        for minute in range(10):
            at = start + first + 60 * minute
            scraped.started(at, start, process)
            if calls + minute:
                scraped.calls(at, calls + minute, f"{calls + minute}", process=process)
    report = reported(scraped)
    assert totals(report) == (12 + 9 + 12, 33)
    (warning,) = report["accounting"]["warnings"]
    assert "1 process (first: late)" in warning
    assert report["verdict"] == "incomplete"


def test_a_start_before_the_first_sample_is_incomplete_only_when_it_was_asked_for(
    scraped: Any, reported: Reported
) -> None:
    scraped.calls(scraped.now - 5 * HOUR, 1, "1")
    by_default = reported(scraped)
    assert (by_default["verdict"], "nothing is known before" in by_default["statement"]) == ("exact", True)
    asked_for = reported(scraped, "--since", "2d")
    assert asked_for["verdict"] == "incomplete"
    assert "nothing before" in asked_for["statement"]
    covered = reported(scraped, "--since", "4h")
    assert (covered["verdict"], totals(covered), totals(covered, "all_time")) == ("exact", (0, 0), (1, 1))


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Australia/Adelaide", "America/New_York"])
def test_days_and_hours_are_those_of_the_time_zone(scraped: Any, reported: Reported, name: str) -> None:
    tz = ZoneInfo(name)
    step = 15 * 60
    scrapes = range(scraped.now - scraped.now % step - 3 * DAY, scraped.now - 60, step)
    for count, at in enumerate(scrapes, start=1):
        scraped.calls(at, count, f"{count}e-3")
    report = reported(scraped, "--tz", name)
    booked = [datetime.fromtimestamp(at, tz) - timedelta(milliseconds=1) for at in scrapes]
    by_day, by_hour = Counter(f"{at:%Y-%m-%d}" for at in booked), Counter(f"{at:%H}" for at in booked)
    assert {row["date"]: row["requests"] for row in report["daily_trend"] if row["requests"]} == by_day
    assert {row["date"]: row["cost"] for row in report["daily_trend"] if row["cost"]} == {
        day: Decimal(count) / 1000 for day, count in by_day.items()
    }
    assert report["hourly_distribution"] == {f"{hour:02}": by_hour[f"{hour:02}"] for hour in range(24)}
    assert report["daily_trend"][-1]["date"] == f"{datetime.now(tz):%Y-%m-%d}"


def test_rolling_intervals_and_asked_periods_take_exactly_their_share(scraped: Any, reported: Reported) -> None:
    ages = [minutes * 60 + 1 for minutes in range(5, 40 * 24 * 60, 97)]
    for count, age in enumerate(reversed(ages), start=1):
        scraped.calls(scraped.now - age, count, f"{count * 7}e-12")
    since = datetime.fromtimestamp(scraped.now - 12 * DAY, ZoneInfo("UTC")).date().isoformat()
    until = datetime.fromtimestamp(scraped.now - 9 * DAY, ZoneInfo("UTC")).date().isoformat()
    report = reported(scraped, "--since", since, "--until", until)
    now = datetime.now(ZoneInfo("UTC")).timestamp()
    for interval, days in (("last_24h", 1), ("last_7d", 7), ("last_30d", 30), ("all_time", 99)):
        count = sum(scraped.now - age > now - days * DAY - 30 for age in ages)
        assert totals(report, interval) == (count, Decimal(7 * count).scaleb(-12))
    first = datetime.fromisoformat(f"{since}T00:00+00:00").timestamp()
    inside = sum(first < scraped.now - age <= first + 4 * DAY for age in ages)
    assert totals(report) == (inside, Decimal(7 * inside).scaleb(-12))
    assert [row["date"] for row in report["daily_trend"]][:: len(report["daily_trend"]) - 1] == [since, until]
    assert sum(row["cost"] for row in report["daily_trend"]) == totals(report)[1]


def test_latency_is_exact_where_it_can_be_and_bracketed_where_it_cannot(scraped: Any, reported: Reported) -> None:
    seconds = [0.125, 0.25, 0.5, 1.25, 1.25, 1.4, 2.0, 6.0, 20.0, 700.0]
    start = scraped.now - 3 * HOUR
    bounds = [0.15, 0.33, 0.68, 1.0, 1.5, 2.2, 6.8, 22.0, 600.0]
    name = "openrouter_request_duration_seconds"
    for count in range(1, len(seconds) + 1):
        at, seen = start + 60 * count, seconds[:count]
        labels = {"process": "p1", "model": "openai/gpt-5"}
        for outcome in ("ok", "error"):
            for bound in [*map(str, bounds), "+Inf"]:
                below = sum(value <= float(bound) for value in seen)
                scraped.sample(f"{name}_bucket", at, below, **labels, outcome=outcome, le=bound)
            scraped.sample(f"{name}_sum", at, sum(seen), **labels, outcome=outcome)
            scraped.sample(f"{name}_count", at, count, **labels, outcome=outcome)
        squares = sum(value * value for value in seen)
        scraped.sample("openrouter_duration_squared_total", at, squares, **labels)
        recent = seen[-2:]
        scraped.sample("openrouter_duration_min_seconds", at, min(recent), **labels)
        scraped.sample("openrouter_duration_max_seconds", at, max(recent), **labels)
        scraped.calls(at, count, "1")
    report = reported(scraped)
    overall = report["latency_overall"]
    assert report["latency_stats"] == {"openai/gpt-5": overall}
    mean = sum(seconds) / len(seconds)
    deviation = (sum((value - mean) ** 2 for value in seconds) / (len(seconds) - 1)) ** 0.5
    assert overall["count"] == 10
    assert float(overall["mean"]) == pytest.approx(mean * 1000)
    assert float(overall["stdev"]) == pytest.approx(deviation * 1000)
    assert (overall["min"], overall["max"]) == (125, 700_000)
    assert overall["p50_range"] == [1000, 1500]
    assert 1250 <= overall["p50"] <= 1500
    assert overall["p99_range"] == overall["p95_range"] == [600_000, 700_000]
    assert overall["median"] == overall["p50"]
    assert report["summary"]["all_time"]["avg_latency_ms"] == overall["mean"]


def test_all_tables_agree(scraped: Any, reported: Reported) -> None:
    for index, (model, user, provider) in enumerate(
        [("a", "u1", "X"), ("a", "u2", "Y"), ("b", "u1", ""), ("b", "", "X"), ("", "u3", "Y")]
    ):
        for hour in range(30):
            at = scraped.now - (hour + 1) * 20 * HOUR + 61 * index
            worth = Decimal((30 - hour) * (index + 1)).scaleb(-9)
            process = f"{index:016x}"
            scraped.calls(at, 30 - hour, f"{worth:f}", model=model, user=user, provider=provider, process=process)
    report = reported(scraped)
    requests, cost = totals(report)
    for table in ("model_breakdown", "provider_breakdown", "user_stats"):
        rows = report[table].values()
        assert (sum(row["requests"] for row in rows), sum(row["cost"] for row in rows)) == (requests, cost)
        assert all(before["cost"] >= after["cost"] for before, after in pairwise(rows))
    for table in ("daily_trend", "weekly_trend", "monthly_trend"):
        assert sum(row["cost"] for row in report[table]) == cost
    assert set(report["model_breakdown"]) == {"a", "b", "(unknown)"}
    assert set(report["provider_breakdown"]) == {"X", "Y", "(unknown)"}
    assert set(report["user_stats"]) == {"u1", "u2", "u3", "anonymous"}
    assert report["top_users"][0] == {"user_id": "u3", **report["user_stats"]["u3"]}


def test_filters_and_groups_see_labels_that_tell_no_counters_apart(scraped: Any, reported: Reported) -> None:
    """`service_name` is a process' own, yet not part of its counters' identity; a user's name is hostile input."""
    mallory = 'mal"ory{}\\'
    for process, service, user, worth in (
        ("p1", "shop", mallory, "3"),
        ("p2", "cron", mallory, "1"),
        ("p3", "", "", "4"),
    ):
        labels = {"process": process, "user": user, "service_name": service, "tag_team": service and "search"}
        scraped.calls(scraped.now - 5 * HOUR, 1, worth, **labels)
        scraped.calls(scraped.now - 4 * HOUR, 2, f"{worth}.5", **labels)
    everything = reported(scraped, "--group-by", "service")
    assert {name: (row["requests"], row["cost"]) for name, row in everything["group_by"]["rows"].items()} == {
        "(unknown)": (2, Decimal("4.5")),
        "shop": (2, Decimal("3.5")),
        "cron": (2, Decimal("1.5")),
    }
    for options, expected in (
        (("--service", "shop"), (2, Decimal("3.5"))),
        (("--user", mallory), (4, Decimal("5.0"))),
        (("--user", mallory, "--label", "service.name=cron"), (2, Decimal("1.5"))),
        (("--label", "tag.team=(unknown)"), (2, Decimal("4.5"))),
    ):
        assert totals(reported(scraped, *options)) == expected


def test_a_filter_that_nothing_passes_is_a_report_of_zeros_that_says_what_there_is(
    scraped: Any, reported: Reported
) -> None:
    scraped.calls(scraped.now - 5 * HOUR, 1, "3")
    report = reported(scraped, "--model", "openai/gpt5", "--provider", "OpenAI")
    assert totals(report, "all_time") == (0, 0)
    assert report["filters"]["model"] == "openai/gpt5"
    assert report["accounting"]["warnings"] == [
        "no call has the model 'openai/gpt5'; there are 'openai/gpt-5'",
        "no call has the provider 'OpenAI'; no call has any",
    ]
    assert report["verdict"] == "exact"


def test_the_period_before_and_the_running_month_are_read_too(scraped: Any, reported: Reported) -> None:
    scrapes = [scraped.now - days * DAY + HOUR for days in range(70, 0, -1)]
    for count, at in enumerate(scrapes, start=1):
        scraped.calls(at, count, f"{count}")
    report = reported(scraped)
    since, until = (
        datetime.fromisoformat(report["comparison"]["period"][end]).timestamp() for end in ("since", "until")
    )
    before = sum(since < at <= until for at in scrapes)
    assert report["comparison"]["summary"]["total_requests"] == before
    assert report["comparison"]["change"]["total_cost"] == round(Decimal(totals(report)[1]) / before - 1, 12)
    now = datetime.fromisoformat(report["period"]["until"])
    month_start = datetime.fromisoformat(f"{now:%Y-%m}-01T00:00+00:00").timestamp()
    spent = sum(at > month_start for at in scrapes)
    assert report["projection"]["spent"] == spent
    month_end = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    left = (month_end - now) / timedelta(days=1)
    assert float(report["projection"]["projected"]) == pytest.approx(spent + left, abs=1e-6)
