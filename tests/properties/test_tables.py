"""Every table is the same increments added up in another way: they agree to the last digit, under filters too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from known_usage import NOW, Usage
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import DAY, Asked, zone

USERS, MODELS, PROVIDERS = ("alice", "bob", ""), ("gpt", "claude"), ("X", "Y", "")
OUTCOMES = ("ok", "error", "abandoned", "cancelled")
SERVICES = ("shop", "cron", "")
ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")
GROUPS = ("user", "provider", "tag.team", "service", "outcome")


@dataclass(frozen=True)
class Calls:
    """What one process had counted when it was scraped for the only time."""

    at: int
    count: int
    picodollars: int
    labels: dict[str, str]
    outcome: str


moments = st.integers(NOW - 45 * DAY, NOW)
worlds = st.lists(
    st.builds(
        Calls,
        moments,
        st.integers(1, 10**6),
        st.integers(0, 10**15),
        st.fixed_dictionaries(
            {
                "user": st.sampled_from(USERS),
                "model": st.sampled_from(MODELS),
                "provider": st.sampled_from(PROVIDERS),
                "tag_team": st.sampled_from(("search", "")),
                "service_name": st.sampled_from(SERVICES),
            }
        ),
        st.sampled_from(OUTCOMES),
    ),
    max_size=8,
)


def report(world: list[Calls], filters: Filters, group_by: str, tz: tzinfo) -> Report:
    """What a source that knows this world would have us report."""
    asked = Asked(None, None, tz)
    period = asked.at(NOW)
    usage = Usage(tz=tz, other={"period": period, "previous": asked.before(period), "data_since": NOW - 90 * DAY})
    for index, calls in enumerate(world):
        if filters.keep({name: value for name, value in calls.labels.items() if value}):
            usage.ended(
                calls.count,
                f"{Decimal(calls.picodollars).scaleb(-12):f}",
                calls.outcome,
                at=calls.at,
                process=f"p{index}",
                **calls.labels,
            )
    return usage.report(Wanted(filters=filters, group_by=group_by, rows=True))


def added(rows: Iterable[object], *fields: str) -> tuple[Decimal, ...]:
    """Each field summed over the rows."""
    kept = list(rows)
    return tuple(sum((Decimal(getattr(row, field)) for row in kept), Decimal(0)) for field in fields)


BASICS = ("requests", "tokens", "cost", "errors")


def basics(made: Report) -> tuple[Decimal, ...]:
    """The period's requests, tokens, cost and errors."""
    return added([made.summary["period"]], *(f"total_{field}" for field in BASICS))


@settings(max_examples=60, deadline=None)
@given(worlds, st.sampled_from(GROUPS), st.sampled_from(ZONES))
def test_every_table_of_a_report_adds_up_to_its_summary(world: list[Calls], group_by: str, name: str) -> None:
    made = report(world, Filters(), group_by, zone(name))
    whole = basics(made)
    requests, _, cost, errors = whole
    assert made.group_by is not None
    for table in (
        made.model_breakdown,
        made.provider_breakdown,
        made.user_stats,
        made.group_by.rows,
        made.daily_trend,
        made.weekly_trend,
        made.monthly_trend,
    ):
        assert added(table.values(), *BASICS) == whole
    assert added(made.rows, "requests", "cost", "errors") == (requests, cost, errors)
    summary = made.summary["period"]
    assert added(made.rows, "input_tokens", "output_tokens") == added([summary], "input_tokens", "output_tokens")
    prices = [price for providers in made.effective_prices.values() for price in providers.values()]
    assert added(prices, "requests", "tokens", "cost") == whole[:3]
    assert sum(sum(costs.values(), Decimal(0)) for costs in made.daily_cost_by_model.values()) == cost
    assert sum(map(sum, made.hour_of_week)) == sum(made.hourly_distribution.values()) == requests
    bought = sum(Decimal(calls.picodollars).scaleb(-12) for calls in inside(world, made) if calls.outcome == "ok")
    assert bought + made.fruitless_spend.cost == cost
    lost = made.fruitless_spend
    assert sum(lost.by_model.values(), Decimal(0)) == lost.cost == sum((s.cost or 0) for s in lost.by_outcome.values())


def inside(world: list[Calls], made: Report) -> list[Calls]:
    """Those calls of the world that the period has."""
    tz = zone(made.timezone)
    period = Asked(None, None, tz).at(NOW)
    return [calls for calls in world if calls.at in period]


APART = {
    "user": [Filters(user=user or "anonymous") for user in USERS],
    "model": [Filters(model=model) for model in MODELS],
    "provider": [Filters(provider=provider or "(unknown)") for provider in PROVIDERS],
    "service": [Filters(service=service or "(unknown)") for service in SERVICES],
    "tag": [Filters(label={"tag.team": team}) for team in ("search", "(unknown)")],
}


@pytest.mark.parametrize("field", APART)
@settings(max_examples=25, deadline=None)
@given(world=worlds)
def test_reports_of_every_value_of_a_filter_add_up_to_the_report_of_all(field: str, world: list[Calls]) -> None:
    tz = zone("America/New_York")
    apart = [report(world, filters, "tag.team", tz) for filters in APART[field]]
    whole = report(world, Filters(), "tag.team", tz)
    for interval in whole.summary:
        parts = [made.summary[interval] for made in apart]
        for total in ("total_requests", "total_tokens", "total_cost", "total_errors", "abandoned_requests"):
            assert added(parts, total) == added([whole.summary[interval]], total)
    for day, usage in whole.daily_trend.items():
        assert added((made.daily_trend[day] for made in apart), *BASICS) == added([usage], *BASICS)
    assert added((made.fruitless_spend for made in apart), "cost") == (whole.fruitless_spend.cost,)
    assert added((made.latency_overall for made in apart), "count") == added([whole.latency_overall], "count")
    assert added((made.projection for made in apart), "spent") == (whole.projection.spent,)
    comparisons = [made.comparison.summary for made in (*apart, whole) if made.comparison is not None]
    assert added(comparisons[:-1], "total_cost") == added(comparisons[-1:], "total_cost")
    assert len(comparisons) == len(apart) + 1
