"""Whatever happens to processes and scrapes, every table adds up to exactly what was scraped."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from openrouter_otel import names
from openrouter_otel.reporting import figures, scan
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.evidence import ROLLING
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.ledger import Ledger, Reading, entries
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import DAY, HOUR, Asked, Interval
from simulated_prometheus import Sample, SimulatedPrometheus

NOW = 1_795_400_123_456
BORN = NOW - 40 * DAY
ZONES = [timezone.utc, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]
MODELS, USERS = ("gpt", "claude"), ("alice", "bob")


@dataclass(frozen=True)
class Life:
    """One process: its calls as (ms, picodollars), and when each of its scrapers came by."""

    process: str
    model: str
    user: str
    calls: list[tuple[int, int]]
    scrapers: list[list[int]]

    def reached(self, at: int, unit: bool) -> int:
        """What its counter stood at: calls, or what they cost."""
        return sum(1 if unit else cost for moment, cost in self.calls if moment <= at)

    def seen(self, at: int) -> int:
        """The last scrape, by whomever, that could have known of anything by `at`."""
        return max((scrape for scraper in self.scrapers for scrape in scraper if scrape <= at), default=-1)


# Edges are where mistakes live, so many moments are on one: on the hour, at midnight, 24 hours ago.
moments = st.one_of(
    st.integers(BORN, NOW),
    st.integers(0, 40 * 24 - 1).map(lambda hours: BORN - BORN % HOUR + HOUR * (hours + 1)),
    st.integers(0, 40 * 48 - 2).map(lambda halves: BORN - BORN % HOUR + HOUR // 2 * (halves + 2)),
    st.sampled_from([NOW - length for length in ROLLING.values()]),
)
lives = st.builds(
    Life,
    process=st.uuids().map(lambda name: name.hex[:16]),
    model=st.sampled_from(MODELS),
    user=st.sampled_from(USERS),
    calls=st.lists(st.tuples(moments, st.integers(0, 10**13)), max_size=6),
    scrapers=st.lists(st.lists(moments, max_size=8), min_size=1, max_size=3),
)


def samples(world: list[Life]) -> Iterator[Sample]:
    """What was scraped of them."""
    for life in world:
        for job, scrapes in enumerate(life.scrapers):
            for at in scrapes:
                calls, cost = life.reached(at, unit=True), Decimal(life.reached(at, unit=False)).scaleb(-12)
                if calls:
                    who = {"process": life.process, "model": life.model, "user": life.user, "job": str(job)}
                    how = {**who, "outcome": "ok", "cost_source": "reported"}
                    yield Sample(names.REQUESTS.prometheus, how, at, str(calls))
                    yield Sample(names.COST.prometheus, {**how, "payee": "openrouter"}, at, f"{cost:f}")


def report(world: list[Life], tz: tzinfo, period: Interval, closed: bool) -> Report:
    source = SimulatedPrometheus(samples(world), NOW, closed)
    since, until = (
        datetime.fromtimestamp(edge / 1000, timezone.utc).isoformat() for edge in dataclasses.astuple(period)
    )
    evidence = scan.read(source, Asked(since, until, tz), Filters(), None)
    assert evidence.period == period
    return figures.report(evidence, figures.Wanted(timezone="", top=9), datetime.now(timezone.utc))


def truth(world: list[Life], interval: Interval) -> list[tuple[Life, int, Decimal]]:
    """(who, when it was first seen, cost) of every call that a scrape has shown within the interval."""
    seen = []
    for life in world:
        for moment, cost in life.calls:
            after = [scrape for scraper in life.scrapers for scrape in scraper if scrape >= moment]
            if after and min(after) in interval:
                seen.append((life, min(after), Decimal(cost).scaleb(-12)))
    return seen


def sums() -> defaultdict[str, Decimal]:
    return defaultdict(Decimal)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(lives, max_size=4, unique_by=lambda life: life.process),
    st.sampled_from(ZONES),
    st.tuples(moments, moments).filter(lambda ends: ends[0] != ends[1]),
    st.booleans(),
)
def test_every_table_adds_up_to_exactly_what_was_scraped(
    world: list[Life], tz: tzinfo, ends: tuple[int, int], closed: bool
) -> None:
    period = Interval(min(ends), max(ends))
    made = report(world, tz, period, closed)
    for name, interval in {name: Interval(NOW - length, NOW) for name, length in ROLLING.items()}.items():
        assert made.summary[name].total_requests == len(truth(world, interval))
        assert made.summary[name].total_cost == sum(cost for _, _, cost in truth(world, interval))
    assert made.summary["all_time"].total_cost == sum(cost for _, _, cost in truth(world, Interval(0, NOW)))

    seen = truth(world, period)
    total = sum((cost for _, _, cost in seen), Decimal(0))
    assert made.summary["period"].total_requests == len(seen)
    assert made.summary["period"].total_cost == made.accounting.charged_cost == total
    by_model, by_user, by_day = sums(), sums(), sums()
    for life, at, cost in seen:
        by_model[life.model] += cost
        by_user[life.user] += cost
        by_day[datetime.fromtimestamp((at - 1) / 1000, tz).date().isoformat()] += cost
    assert {name: row.cost for name, row in made.model_breakdown.items()} == dict(by_model)
    assert {name: row.cost for name, row in made.user_stats.items()} == dict(by_user)
    assert {day: row.cost for day, row in made.daily_trend.items() if row.cost} == {
        day: cost for day, cost in by_day.items() if cost
    }
    for trend in (made.weekly_trend, made.monthly_trend):
        assert sum((row.cost for row in trend.values()), Decimal(0)) == total
    assert sum(made.hourly_distribution.values()) == len(seen)


@settings(max_examples=60, deadline=None)
@given(st.lists(lives, max_size=3, unique_by=lambda life: life.process), st.sampled_from(ZONES[:3]), st.booleans())
def test_every_call_is_in_the_hour_of_day_of_the_scrape_that_showed_it(
    world: list[Life], tz: tzinfo, closed: bool
) -> None:
    period = Interval(NOW - 20 * DAY, NOW)
    hours = Counter(f"{datetime.fromtimestamp((at - 1) / 1000, tz):%H}" for _, at, _ in truth(world, period))
    made = report(world, tz, period, closed)
    assert {hour: count for hour, count in made.hourly_distribution.items() if count} == hours


@given(
    st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=5).map(sorted), min_size=1, max_size=6),
    st.data(),
)
def test_values_without_a_process_never_count_more_than_was_spent(runs: list[list[int]], data: st.DataObject) -> None:
    """A counter that starts over each run, read now and then: every reading belongs to some run, none is invented."""
    values = [value for run in runs for value in run]
    kept = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    points = [(at, str(value)) for at, (value, keep) in enumerate(zip(values, kept, strict=True)) if keep]
    counted = sum(entry.amount for entry in entries([[Reading({"model": "gpt"}, points)]]))
    assert counted <= sum(run[-1] for run in runs)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2)), min_size=1), st.integers(1, 10))
def test_how_readings_are_cut_into_batches_changes_nothing(sights: list[tuple[int, int]], size: int) -> None:
    rising, points = 0, []
    for at, (step, job) in enumerate(sights):
        rising += step
        points.append(Reading({"process": "p", "job": str(job)}, [(at, str(rising))]))
    whole = list(entries([points]))
    cut = list(entries([points[start : start + size] for start in range(0, len(points), size)]))
    assert whole == cut
    assert sum(entry.amount for entry in whole) == rising


@given(
    st.lists(
        st.tuples(st.sampled_from(["p", "q", ""]), st.integers(0, 2), st.lists(st.integers(0, 30), min_size=1)),
        max_size=12,
    ),
    st.lists(st.integers(0, 60), max_size=3).map(sorted),
)
def test_accounts_are_what_entries_add_up_to(told: list[tuple[str, int, list[int]]], restarts: list[int]) -> None:
    batches = [
        [
            Reading(
                {"process": process, "job": str(job)}, [(10 * place + at, str(v)) for at, v in enumerate(values[:10])]
            )
        ]
        for place, (process, job, values) in enumerate(told)
    ]
    booked = Book(Ledger(lambda labels: restarts).book([reading for batch in batches for reading in batch]))
    settled = Book()
    settled.settle(Ledger(lambda labels: restarts).settle(batches))
    assert set(booked) == set(settled)
    for interval in (Interval(-1, 200), Interval(15, 33), Interval(33, 200)):
        assert dict(booked.within(interval).items()) == dict(settled.within(interval).items())
    assert booked.resets == settled.resets
