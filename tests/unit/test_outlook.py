"""The period beside the one before it, and the month as it will end."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from known_usage import NOW, Usage, money
from openrouter_otel.reporting.model import rounded
from openrouter_otel.reporting.period import DAY, HOUR


@pytest.fixture
def usage() -> Usage:
    return Usage(other={"data_since": NOW - 90 * DAY})


def test_a_change_is_relative_to_the_period_before(usage: Usage) -> None:
    usage.call("4", at=NOW - 40 * DAY, count=4)
    usage.call("5", at=NOW - DAY, count=2, process="p2")
    made = usage.report().comparison
    assert made is not None
    assert made.period == {"since": "2026-09-25T12:00:00+00:00", "until": "2026-10-25T00:00:00+00:00"}
    assert (made.summary.total_cost, made.summary.total_requests) == (money("4"), 4)
    assert (made.change["total_cost"], made.change["total_requests"]) == (money("0.25"), money("-0.5"))
    assert (made.change["avg_latency_ms"], made.change["total_errors"]) == (money("0"), None)


def test_a_past_that_is_not_all_known_is_not_compared_with(usage: Usage) -> None:
    for since in (None, NOW - 40 * DAY):
        usage.other["data_since"] = since
        assert usage.report().comparison is None


def test_the_month_goes_on_like_the_last_seven_days(usage: Usage) -> None:
    usage.call("100", at=NOW - 20 * DAY)
    usage.call("14", at=NOW - 2 * DAY, process="p2")
    made = usage.report().projection
    assert (made.month, made.spent, made.projected) == ("2026-11", money("114"), money("129"))
    assert made.method == "Spent so far, plus the 7.5 days left of the month at the daily mean of the last 7 days."


def test_what_is_known_for_less_than_a_week_is_projected_from_that(usage: Usage) -> None:
    usage.call("14", at=NOW - HOUR)
    usage.other["data_since"] = NOW - 2 * DAY - DAY // 2
    made = usage.report().projection
    assert made.projected == money("14") + money("5.6") * 15 / 2
    assert made.method.endswith("the daily mean of the last 2.5 days.")


@pytest.mark.parametrize("since", [None, NOW - 23 * HOUR])
def test_less_than_a_day_is_no_ground_to_project_from(usage: Usage, since: int | None) -> None:
    usage.call("14", at=NOW - HOUR)
    usage.other["data_since"] = since
    made = usage.report().projection
    assert (made.spent, made.projected) == (money("14"), None)
    assert "too little" in made.method


def test_the_month_is_the_local_one() -> None:
    usage = Usage(tz=ZoneInfo("Pacific/Auckland"), other={"data_since": NOW - 90 * DAY})
    usage.call("7", at=NOW - DAY)
    left = 7 * DAY - HOUR  # from Tuesday 01:00 there to the first of December
    assert usage.report().projection.projected == rounded(7 + Decimal(7 * left) / (7 * DAY))
