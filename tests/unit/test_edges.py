"""Time is cut on the local hour, at local midnight, and wherever the report looks."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from openrouter_otel.reporting.edges import Frame, cut, days, heads, hours, runs
from openrouter_otel.reporting.period import DAY, HOUR, Interval

NOON = 1_795_435_200_000
MIDNIGHT = NOON - 12 * HOUR
UTC = timezone.utc
MINUTE = HOUR // 60


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Asia/Kolkata", "2026-03-29", 24),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_a_local_day_has_the_hours_its_clock_shows(zone: str, day: str, count: int) -> None:
    tz = ZoneInfo(zone)
    start = round(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=tz).timestamp() * 1000)
    found = hours(Interval(start, start + count * HOUR), tz)
    edges = [datetime.fromtimestamp(hour.until / 1000, tz) for hour in found]
    assert len(edges) == count
    assert {edge.minute for edge in edges} == {0}
    assert edges[-1].hour == 0


@pytest.mark.parametrize(("day", "minutes"), [("2026-10-04", 23 * 60 + 30), ("2026-04-05", 24 * 60 + 30)])
def test_where_the_clock_moves_by_half_an_hour_no_window_is_in_two_hours(day: str, minutes: int) -> None:
    tz = ZoneInfo("Australia/Lord_Howe")
    start = round(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=tz).timestamp() * 1000)
    found = hours(Interval(start, start + minutes * MINUTE), tz)
    ends = [(datetime.fromtimestamp(at / 1000, tz).hour for at in (hour.since, hour.until - 1)) for hour in found]
    assert all(first == last for first, last in ends)
    assert sum(hour.until - hour.since for hour in found) == minutes * MINUTE


@pytest.mark.parametrize("grid", [days, hours])
@pytest.mark.parametrize("zone", ["UTC", "Australia/Lord_Howe", "America/New_York"])
def test_windows_follow_each_other_and_fill_the_span(zone: str, grid: object) -> None:
    span = Interval(NOON - 300 * DAY + 7, NOON + 5)
    windows = grid(span, ZoneInfo(zone))  # type: ignore[operator]
    assert (windows[0].since, windows[-1].until) == (span.since, span.until)
    assert all(one.until == after.since for one, after in pairwise(windows))
    assert all(window.since < window.until for window in windows)


def test_windows_are_cut_at_edges_inside_and_only_the_last_part_needs_no_reading_of_its_own() -> None:
    windows = [Interval(0, 10), Interval(10, 20)]
    assert cut(windows, [13, 10, 16]) == [Interval(0, 10), Interval(10, 13), Interval(13, 16), Interval(16, 20)]
    assert heads(windows, [13, 10, 16]) == [Interval(10, 13), Interval(13, 16)]


def test_one_range_query_reads_windows_of_one_length() -> None:
    windows = [Interval(5, 10), Interval(10, 15), Interval(15, 17), Interval(18, 20)]
    assert [len(run) for run in runs(windows)] == [2, 1, 1]


def test_an_hour_closes_ten_minutes_after_its_end() -> None:
    def closed(now: int) -> int:
        return Frame(UTC, NOON - DAY, NOON - DAY, now, ()).closed

    assert closed(NOON + 10 * MINUTE) == NOON
    assert closed(NOON + 10 * MINUTE - 1) == NOON - HOUR
    assert Frame(UTC, NOON - MINUTE, NOON - MINUTE, NOON, ()).closed == NOON - MINUTE


def test_what_is_read_anew_begins_where_the_cache_ends_and_keeps_the_open_hour_apart() -> None:
    frame = Frame(UTC, MIDNIGHT - 20 * DAY + 5, MIDNIGHT - 20 * DAY + 5, NOON + 5 * MINUTE, ())
    pieces = frame.pieces()
    assert (pieces[0].since, pieces[-1]) == (frame.since, Interval(NOON - HOUR, frame.now))
    assert all(one.until == after.since for one, after in pairwise(pieces))
    warm = Frame(UTC, frame.since, NOON - 2 * HOUR, frame.now, ())
    assert warm.pieces() == [Interval(NOON - 2 * HOUR, NOON - HOUR), Interval(NOON - HOUR, warm.now)]


def test_odd_edges_are_read_from_the_start_of_their_day_or_hour() -> None:
    edge = MIDNIGHT - DAY + 5 * HOUR + 7
    frame = Frame(UTC, MIDNIGHT - 9 * DAY, MIDNIGHT, NOON, (MIDNIGHT - 20 * DAY, edge, MIDNIGHT, NOON))
    assert frame.odd_days() == [Interval(MIDNIGHT - DAY, edge)]
    assert frame.odd_hours() == [Interval(edge - 7, edge)]
    assert frame.cell(edge - 1) == edge
    assert frame.cell(edge + 1) == MIDNIGHT
    assert frame.cell(MIDNIGHT - 10 * DAY) == MIDNIGHT - 10 * DAY
