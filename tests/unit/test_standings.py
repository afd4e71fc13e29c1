"""How budgets stand: what is used of them, where their period will end, and on which day that is too much."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from known_usage import NOW, Usage, money
from openrouter_otel.budgets import Budget, Period
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.model import Report, Standing
from openrouter_otel.reporting.period import DAY, HOUR, running

MONTH = Budget("All per month", Decimal(100), "month")
NOON_TO_MONDAY = 156 * HOUR  # NOW is a Monday's noon


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(f"{moment}+00:00").timestamp() * 1000)


def report(usage: Usage, *budgets: Budget) -> Report:
    return usage.report(Wanted(budgets=budgets))


def standing(usage: Usage, budget: Budget) -> Standing:
    (found,) = report(usage, budget).budgets or ()
    return found


@pytest.fixture
def usage() -> Usage:
    return Usage(other={"data_since": NOW - 90 * DAY})


def test_a_report_that_was_asked_for_none_has_none(usage: Usage) -> None:
    assert usage.report().budgets is None
    assert report(usage).budgets == ()


def test_a_month_goes_on_like_the_last_seven_days(usage: Usage) -> None:
    usage.call("40", at=NOW - 20 * DAY)
    usage.call("7", at=NOW - 2 * DAY, process="p2")
    usage.call("1000", at=NOW - 24 * DAY, process="p3")  # in October
    found = standing(usage, MONTH)
    assert (found.used, found.used_share, found.forecast) == (money("47"), money("0.47"), money("54.5"))
    assert (found.status, found.exhausted_on) == ("ok", None)
    assert (found.since, found.until) == ("2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00")


def test_a_week_begins_on_monday_and_a_day_at_midnight_utc(usage: Usage) -> None:
    usage.call("3", at=NOW - 13 * HOUR)  # Sunday night
    usage.call("2", at=NOW - 12 * HOUR + 1, process="p2")
    periods: tuple[Period, ...] = ("week", "day")
    for period in periods:
        assert standing(usage, Budget("b", Decimal(10), period)).used == money("2")


def test_a_day_goes_on_like_the_last_24_hours_and_a_week_like_the_last_seven_days(usage: Usage) -> None:
    usage.call("24", at=NOW - 13 * HOUR)
    usage.call("46", at=NOW - 3 * DAY, process="p2")
    assert standing(usage, Budget("b", Decimal(99), "day")).forecast == money("12")
    assert standing(usage, Budget("b", Decimal(99), "week")).forecast == money("10") * NOON_TO_MONDAY / DAY


def test_at_this_pace_a_budget_is_used_up_on_the_day_that_is_told(usage: Usage) -> None:
    usage.call("70", at=NOW - 2 * DAY)  # 10 a day, and 30 are left
    found = standing(usage, MONTH)
    assert (found.status, found.exhausted_on, found.forecast) == ("at_risk", "2026-11-26", money("145"))


def test_a_budget_that_was_used_up_says_on_which_day(usage: Usage) -> None:
    usage.call("60", at=NOW - 10 * DAY)
    usage.call("40", at=NOW - 5 * DAY, process="p2")
    usage.call("1", at=NOW - HOUR, process="p3")
    found = standing(usage, MONTH)
    assert (found.status, found.exhausted_on, found.used_share) == ("exceeded", "2026-11-18", money("1.01"))


def test_in_another_zone_the_utc_day_is_not_known() -> None:
    usage = Usage(tz=ZoneInfo("Asia/Kolkata"), other={"data_since": NOW - 90 * DAY})
    usage.call("101", at=NOW - 5 * DAY)
    assert standing(usage, MONTH).exhausted_on is None


@pytest.mark.parametrize(
    ("about", "used"),
    [
        ({}, "15"),
        ({"scope": "model", "label": "model", "value": "openai/gpt-5"}, "12"),
        ({"scope": "user", "label": "user", "value": "bob"}, "2"),
        ({"scope": "tag", "label": "tag_team", "value": "search"}, "1"),
        ({"scope": "user", "label": "user", "value": "nobody"}, "0"),
    ],
)
def test_a_budget_counts_what_it_is_about(usage: Usage, about: dict[str, Any], used: str) -> None:
    usage.call("10")
    usage.call("2", process="p2", user="bob")
    usage.call("2", process="p3", model="other/model")
    usage.call("1", process="p4", model="other/model", tag_team="search")
    assert standing(usage, Budget("b", Decimal(100), "month", **about)).used == money(used)


def test_who_has_no_priced_call_is_named(usage: Usage) -> None:
    usage.call("1")
    budget = Budget("Bob", Decimal(1), "day", "user", "user", "bob")
    assert (
        "the budget 'Bob' counts user='bob', which no priced call carries" in report(usage, budget).accounting.warnings
    )


def test_what_was_spent_before_the_source_knew_anything_is_said_to_be_missing(usage: Usage) -> None:
    usage.call("1")
    usage.other["data_since"] = NOW - 12 * HOUR + 1
    found = report(usage, MONTH, Budget("Day", Decimal(1), "day"))
    assert [line for line in found.accounting.warnings if "All per month" in line]
    assert found.budgets is not None
    assert [one.forecast for one in found.budgets] == [None, None]


@pytest.mark.parametrize(
    ("kind", "now", "since", "until"),
    [
        ("day", "2026-11-23T00:00:00", "2026-11-22", "2026-11-23"),  # midnight belongs to the day that ends
        ("week", "2026-11-23T00:00:01", "2026-11-23", "2026-11-30"),
        ("month", "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_periods_are_those_of_the_utc_calendar(kind: str, now: str, since: str, until: str) -> None:
    found = running(kind, _ms(now))
    assert (found.since, found.until) == (_ms(f"{since}T00:00:00"), _ms(f"{until}T00:00:00"))
