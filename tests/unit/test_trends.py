"""Days of 23, 24.5 and 25 hours and zones off by half an hour: each call is on the day that its clock showed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from known_usage import NOW, Usage, money
from openrouter_otel.reporting.edges import slices
from openrouter_otel.reporting.period import HOUR, Asked, Interval

MINUTE = HOUR // 60
DAYS = [
    ("America/New_York", "2026-11-01", 25 * 60),
    ("America/New_York", "2026-03-08", 23 * 60),
    ("Australia/Lord_Howe", "2026-10-04", 23 * 60 + 30),
    ("Australia/Lord_Howe", "2026-04-05", 24 * 60 + 30),
    ("Asia/Kolkata", "2026-11-01", 24 * 60),
]


@pytest.mark.parametrize(("zone", "day", "minutes"), DAYS)
def test_a_day_has_all_the_calls_that_its_clock_showed(zone: str, day: str, minutes: int) -> None:
    """One call every half hour, booked where the edges of the ledger would book it."""
    tz = ZoneInfo(zone)
    asked = Asked(day, day, tz).at(NOW)
    assert asked.until - asked.since == minutes * MINUTE
    around = Interval(asked.since - 26 * HOUR, asked.until + 26 * HOUR)
    pieces = slices([around], [asked.since, asked.until], tz, around.since)
    edges = sorted(
        {*(hour for piece in pieces for hour in piece.hours), *(e for piece in pieces for e, _ in piece.odd)}
    )
    usage = Usage(tz=tz, other={"period": around})
    halves = range(around.since + 30 * MINUTE, max(edges) + 1, 30 * MINUTE)
    for index, half in enumerate(halves):
        booked = next(edge for edge in edges if edge >= half)
        usage.call("1", at=booked, process=f"p{index}")
    made = usage.report()
    assert made.daily_trend[day].requests == minutes // 30
    assert made.daily_cost_by_model[day] == {"openai/gpt-5": money(str(minutes // 30))}
    assert sum(row.requests for row in made.daily_trend.values()) == len(halves)


def test_requests_by_hour_of_the_week_are_those_of_the_local_clock() -> None:
    usage = Usage(tz=ZoneInfo("Asia/Kolkata"))
    usage.call("1", count=3, at=NOW)  # Monday noon in London, 17:30 in Delhi
    made = usage.report()
    assert len(made.hour_of_week) == 7
    assert {len(day) for day in made.hour_of_week} == {24}
    assert made.hour_of_week[0][17] == made.hourly_distribution["17"] == 3
    assert sum(map(sum, made.hour_of_week)) == 3
    assert datetime.fromtimestamp(NOW / 1000, usage.tz).weekday() == 0


def test_each_days_cost_by_model_has_every_day_and_only_what_cost_something() -> None:
    usage = Usage()
    usage.call("1", model="a")
    usage.call("2", model="b")
    usage.call("0", model="free")
    days = usage.report().daily_cost_by_model
    assert len(days) == 30
    assert list(days["2026-11-23"].items()) == [("b", money("2")), ("a", money("1"))]
    assert days["2026-11-22"] == {}
