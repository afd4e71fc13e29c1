"""Time is cut on the local hour, at local midnight, and wherever the report looks."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from openrouter_otel.reporting.edges import CHUNK, slices
from openrouter_otel.reporting.period import DAY, HOUR, Interval

NOON = 1_795_435_200_000
UTC = timezone.utc


def test_hours_are_read_a_week_at_a_time_and_odd_edges_where_they_fall() -> None:
    cut = slices([Interval(NOON, NOON + 10 * DAY)], [NOON + 5, NOON + 10 * DAY + 7], UTC, data_since=0)
    assert [len(piece.hours) for piece in cut] == [CHUNK, 240 - CHUNK]
    assert cut[0].odd == [(NOON + 5, 0)]
    assert cut[1].odd == [(NOON + 10 * DAY + 7, NOON + 10 * DAY)]


def test_nothing_is_asked_about_what_nobody_can_know() -> None:
    cut = slices([Interval(NOON, NOON + DAY)], [NOON - DAY, NOON + DAY + 1], UTC, data_since=NOON + DAY - 90 * 60_000)
    assert [piece.hours for piece in cut] == [[NOON + DAY - HOUR, NOON + DAY]]
    assert cut[0].odd == [(NOON + DAY + 1, NOON + DAY)]


def test_an_odd_edge_that_is_an_hour_is_only_an_hour() -> None:
    (piece,) = slices([Interval(NOON, NOON + 2 * HOUR)], [NOON + HOUR], UTC, data_since=0)
    assert (piece.hours, piece.odd) == ([NOON + HOUR, NOON + 2 * HOUR], [])


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Asia/Kolkata", "2026-03-29", 24),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_a_local_day_has_the_hours_its_clock_shows(zone: str, day: str, hours: int) -> None:
    tz = ZoneInfo(zone)
    start = round(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=tz).timestamp() * 1000)
    pieces = slices([Interval(start, start + hours * HOUR)], [], tz, data_since=0)
    edges = [datetime.fromtimestamp(hour / 1000, tz) for piece in pieces for hour in piece.hours]
    assert len(edges) == hours
    assert {edge.minute for edge in edges} == {0}
    assert edges[-1].hour == 0


def test_the_edges_of_slices_follow_each_other_also_over_a_change_of_half_an_hour() -> None:
    tz = ZoneInfo("Australia/Lord_Howe")
    span = Interval(NOON - 300 * DAY, NOON)
    cut = slices([span], range(NOON - 300 * DAY, NOON, 7 * DAY), tz, data_since=0)
    ends = [sorted([*piece.hours, *(edge for edge, _ in piece.odd)]) for piece in cut]
    flat = [edge for piece in ends for edge in piece]
    assert flat == sorted(set(flat))
    for piece in cut:
        assert piece.hours == list(range(piece.hours[0], piece.hours[-1] + 1, HOUR)) if piece.hours else piece.odd
