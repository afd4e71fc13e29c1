"""Words about time mean what a person in their time zone means."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from openrouter_otel.reporting.period import (
    DAY,
    HOUR,
    Asked,
    Interval,
    PeriodError,
    days,
    midnight,
    month,
    month_end,
    zone,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 15, 30, tzinfo=timezone.utc)  # a Monday


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOW_MS = ms(NOW.isoformat())
MEANINGS = {
    (None, None): ("2026-10-25T00:00+02:00", NOW.isoformat()),
    ("24h", None): ("2026-11-22T16:30+01:00", NOW.isoformat()),
    ("2w", "90m"): ("2026-11-09T16:30+01:00", "2026-11-23T15:00+01:00"),
    ("2026-11-01", "2026-11-02"): ("2026-11-01T00:00+01:00", "2026-11-03T00:00+01:00"),
    ("2026-10-25", "2026-10-25"): ("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),  # a day of 25 hours
    ("2026-11-01T12:30", "2026-11-01T12:30:00.250Z"): ("2026-11-01T12:30+01:00", "2026-11-01T12:30:00.250+00:00"),
    ("today", "today"): ("2026-11-23T00:00+01:00", NOW.isoformat()),
    ("yesterday", "yesterday"): ("2026-11-22T00:00+01:00", "2026-11-23T00:00+01:00"),
    ("this-week", None): ("2026-11-23T00:00+01:00", NOW.isoformat()),
    ("last-week", "last-week"): ("2026-11-16T00:00+01:00", "2026-11-23T00:00+01:00"),
    ("this-month", None): ("2026-11-01T00:00+01:00", NOW.isoformat()),
    ("last-month", None): ("2026-10-01T00:00+02:00", NOW.isoformat()),  # a word in --since is where it starts
    ("last-month", "last-month"): ("2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00"),
}


@pytest.mark.parametrize("words", MEANINGS)
def test_words_become_instants_in_the_time_zone(words: tuple[str | None, str | None]) -> None:
    since, until = MEANINGS[words]
    assert Asked(*words, BERLIN).at(NOW_MS) == Interval(ms(since), ms(until))


@pytest.mark.parametrize(
    "word", ["", "d", "-1d", "99999999d", "tomorrow", "2026-02-30", "2026-11", "1999-12-31", "٣d€"]
)
def test_a_word_that_means_nothing_is_refused_before_any_source_is_asked(word: str) -> None:
    for since, until in ((word, None), (None, word)):
        with pytest.raises(PeriodError, match="--since" if until is None else "--until"):
            Asked(since, until, BERLIN)


@pytest.mark.parametrize(
    ("since", "until"), [("2026-11-24", None), ("2016-01-01", None), ("2d", "3d"), ("2026-11-10", "2026-11-09")]
)
def test_an_empty_a_future_and_an_endless_period_are_refused(since: str, until: str | None) -> None:
    with pytest.raises(PeriodError):
        Asked(since, until, BERLIN).at(NOW_MS)


def test_a_period_touches_the_days_it_has_a_moment_of() -> None:
    midnights = [midnight(datetime(2026, 11, day).date(), BERLIN) for day in (1, 2, 3)]  # noqa: DTZ001
    assert [f"{day:%d}" for day in days(Interval(midnights[0], midnights[2]), BERLIN)] == ["01", "02"]
    assert [f"{day:%d}" for day in days(Interval(midnights[1] - 1, midnights[1] + 1), BERLIN)] == ["01", "02"]


def test_midnight_exists_where_the_clock_skips_it() -> None:
    """Chile's clocks go from 24:00 straight to 01:00 on this Sunday."""
    santiago = ZoneInfo("America/Santiago")
    day = midnight(datetime(2026, 9, 6).date(), santiago)  # noqa: DTZ001
    assert datetime.fromtimestamp(day / 1000, santiago).hour == 1
    assert datetime.fromtimestamp(day / 1000 - 1, santiago).date().day == 5


BEFORE = {
    # --- the default: 30 days beside the 30 before, up to the same time of day ---
    (None, None): ("2026-09-25T00:00+02:00", "2026-10-24T17:30+02:00"),
    # --- a calendar word beside the span before, for as long as it has run ---
    ("today", None): ("2026-11-22T00:00+01:00", "2026-11-22T16:30+01:00"),
    ("this-week", None): ("2026-11-16T00:00+01:00", "2026-11-16T16:30+01:00"),
    ("this-month", None): ("2026-10-01T00:00+02:00", "2026-10-23T16:30+02:00"),
    # --- past spans as a whole ---
    ("yesterday", "yesterday"): ("2026-11-21T00:00+01:00", "2026-11-22T00:00+01:00"),
    ("last-week", "last-week"): ("2026-11-09T00:00+01:00", "2026-11-16T00:00+01:00"),
    ("last-month", "last-month"): ("2026-09-01T00:00+02:00", "2026-10-01T00:00+02:00"),
    ("2026-10-01", "2026-10-31"): ("2026-09-01T00:00+02:00", "2026-10-01T00:00+02:00"),
    ("2026-01-01", "2026-03-31"): ("2025-10-01T00:00+02:00", "2026-01-01T00:00+01:00"),
    # --- whole days, one of which has 25 hours ---
    ("2026-10-24", "2026-10-26"): ("2026-10-21T00:00+02:00", "2026-10-24T00:00+02:00"),
    ("2026-10-26", "2026-10-27"): ("2026-10-24T00:00+02:00", "2026-10-26T00:00+01:00"),
    # --- two spans in one are as many days ---
    ("last-week", None): ("2026-11-08T00:00+01:00", "2026-11-15T16:30+01:00"),
    # --- no calendar in sight ---
    ("24h", None): ("2026-11-21T16:30+01:00", "2026-11-22T16:30+01:00"),
    ("2026-11-10T12:00", "2026-11-10T18:00"): ("2026-11-10T06:00+01:00", "2026-11-10T12:00+01:00"),
}


@pytest.mark.parametrize("words", BEFORE)
def test_a_period_is_compared_with_what_a_person_would_compare_it_with(words: tuple[str | None, str | None]) -> None:
    asked = Asked(*words, BERLIN)
    since, until = BEFORE[words]
    assert asked.before(asked.at(NOW_MS)) == Interval(ms(since), ms(until))


def test_a_month_longer_than_the_one_before_is_not_compared_with_itself() -> None:
    """On 31 March, thirty days and a half have gone by: more than February had."""
    asked = Asked("this-month", None, BERLIN)
    before = asked.before(asked.at(ms("2026-03-31T12:00+02:00")))
    assert before == Interval(ms("2026-02-01T00:00+01:00"), ms("2026-03-01T00:00+01:00"))


def test_a_month_that_has_run_for_whole_days_is_still_cut_short() -> None:
    asked = Asked("this-month", None, BERLIN)
    before = asked.before(asked.at(ms("2026-11-11T00:00+01:00")))
    assert before == Interval(ms("2026-10-01T00:00+02:00"), ms("2026-10-11T00:00+02:00"))


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-23T12:00+01:00", "2026-12-01T00:00+01:00"),
        ("2026-12-31T23:59+01:00", "2027-01-01T00:00+01:00"),
        ("2026-10-05T12:00+02:00", "2026-11-01T00:00+01:00"),
        ("2026-02-28T12:00+01:00", "2026-03-01T00:00+01:00"),
    ],
)
def test_a_month_ends_where_the_next_begins(now: str, end: str) -> None:
    assert month_end(ms(now), BERLIN) == ms(end)
    assert month(ms(now), BERLIN) == Interval(ms(f"{now[:7]}-01T00:00{now[-6:]}"), ms(now))


def test_an_interval_holds_its_end_and_not_its_start() -> None:
    assert [instant in Interval(10, 12) for instant in (10, 11, 12, 13)] == [False, True, True, False]
    assert 24 * HOUR == DAY


@pytest.mark.parametrize("name", ["Mars/Olympus", "../UTC", "", "/etc/localtime", "Europe"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(PeriodError, match="time zone"):
        zone(name)


def test_utc_needs_no_time_zone_database() -> None:
    assert zone("utc") is timezone.utc
