"""A report in which every section has something to say, written down by hand; its names are the caller's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from known_usage import Usage, money
from openrouter_otel import names
from openrouter_otel.reporting import model, reconciled
from openrouter_otel.reporting.account import AccountCredits, AccountStatus, KeySpend, KeyStatus
from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.rates import Rate


def full_report(name: str = "openai/gpt-5", user: str = "alice") -> Report:
    """One dear model and a cheap one at two providers; `name` is the dear one's, its provider's and its team's."""
    usage = Usage()
    usage.call("1234.567891", count=98_765, model=name, provider=name, user=user)
    usage.call("0.000001", model="meta-llama/llama-3.3-70b-instruct:free", provider="DeepInfra", user="bob@example.org")
    usage.add(names.ERRORS, 12, error_type="rate_limit_exceeded", model=name, user=user)
    report = usage.report()
    other = "meta-llama/llama-3.3-70b-instruct:free"
    shares = {name: Decimal("0.9"), other: Decimal("0.1")}
    breakdown = {
        key: replace(
            row,
            share=shares.get(key),
            input_tokens=1_000_000,
            output_tokens=20_000,
            cached_input_tokens=250_000,
            reasoning_tokens=7_000,
            cache_hit_share=Decimal("0.25"),
        )
        for key, row in report.model_breakdown.items()
    }
    half = replace(report.latency_overall, stdev_estimated=True, min=None, max=None)
    return replace(
        report,
        filters={**report.filters, "user": user, "label": {"tag_team": name}},
        model_breakdown=breakdown,
        time_to_first_token_stats={name: Latency(3, 210.0, 200.0, None, None, None, 200.0, 400.0, 410.0)},
        provider_latency_stats={name: report.latency_overall},
        output_rate_stats={name: Rate(3, 61.25, 60.0, 12.5, 80.0, (47.0, 68.0), (10.0, 15.0), (68.0, 100.0))},
        user_stats={key: replace(row, share=Decimal(1), latency=half) for key, row in report.user_stats.items()},
        group_by=model.Showback("tag.team", {name: breakdown[name], "(unknown)": breakdown[other]}),
        comparison=model.Comparison(
            period={"since": "2026-09-25T00:00:00+00:00", "until": "2026-10-25T00:00:00+00:00"},
            summary=report.summary["period"],
            change={"total_cost": Decimal("0.12"), "total_requests": Decimal("-0.5"), "total_errors": None},
        ),
        projection=model.Projection(
            "2026-11", money("1234.567892"), money("1646.09"), "The last seven days, day by day, for the days to come."
        ),
        fruitless_spend=model.FruitlessSpend(
            cost=money("0.123456"),
            share=Decimal("0.0001"),
            by_outcome={
                "error": model.Spend(2, money("0.1")),
                "abandoned": model.Spend(3, money("0.023456"), unpriced_requests=1),
                "cancelled": model.Spend(0, money("0")),
            },
            by_model={name: money("0.123456")},
            truncated=model.Spend(41, None),
            cache_never_read={name: model.CacheUse(12_000, 0)},
        ),
        effective_prices={
            name: {
                name: model.Price(98_000, 11_000_000, money("1200"), money("109.09")),
                "Azure": model.Price(765, 90_000, money("34.567891"), money("384.08")),
            },
            other: {"DeepInfra": model.Price(1, 120, money("0.000001"), money("0.008333"))},
        },
        errors=replace(
            report.errors,
            recent=(
                model.RecentError("2026-11-23T11:05:00+00:00", name, "rate_limit_exceeded", f"{name} is busy"),
                model.RecentError("2026-11-23T11:04:00+00:00", other, "refusal", None),
            ),
        ),
        account=AccountStatus(
            KeyStatus(
                label=name,
                limit=money("100"),
                limit_remaining=money("-0.15"),
                limit_reset="monthly",
                limit_resets_at="2026-12-01T00:00:00+00:00",
                usage=KeySpend(money("1.25"), money("8.5"), money("100.15"), money("1325.5")),
                byok_usage=KeySpend(None, None, money("3.25"), money("17.5")),
                free_requests_remaining=988,
                free_tier=False,
                management=False,
            ),
            AccountCredits(money("1500"), money("1325.5"), money("174.5")),
        ),
        budgets=(
            model.Standing(
                name,
                "user",
                user,
                "week",
                "2026-11-23T00:00:00+00:00",
                "2026-11-30T00:00:00+00:00",
                money("25"),
                money("20.5"),
                Decimal("0.82"),
                money("31.25"),
                "2026-11-26",
                "at_risk",
            ),
            model.Standing(
                "All per day",
                "all",
                None,
                "day",
                "2026-11-23T00:00:00+00:00",
                "2026-11-24T00:00:00+00:00",
                money("1000"),
                money("1234.567892"),
                Decimal("1.234567892"),
                None,
                None,
                "exceeded",
            ),
        ),
        sessions=(
            model.SessionUsage(
                name, (user,), 40, 41_000, money("1.5"), 2, report.period["since"], "2026-11-23T11:05:00+00:00"
            ),
            model.SessionUsage(
                "s-2", (user, "bob@example.org"), 1, 0, None, 0, *2 * ("2026-11-23T11:04:00.250+00:00",)
            ),
        ),
        reconciliation=reconciled.Reconciliation(
            first_day="2026-11-01",
            last_day="2026-11-22",
            api_key_hash=None,
            tolerance=Decimal("0.02"),
            within_tolerance=False,
            statement="OpenRouter booked more than was counted here: beyond the tolerance of 2 %.",
            total=reconciled.Compared(98_766, 98_800, money("1234.567892"), money("1300"), money("65.432108")),
            difference_share=Decimal("0.050332"),
            explanations=(
                reconciled.Explanation("outside", money("66"), 34, "charged for calls that nobody saw"),
                reconciled.Explanation("byok", money("-0.567892"), None, "providers' own bills"),
            ),
            by_model={name: reconciled.Compared(98_766, 98_800, money("1234"), money("1300"), money("66"))},
            by_day=(
                reconciled.ComparedDay(3, 37, money("1"), money("67"), money("66"), "2026-11-22", name),
                reconciled.ComparedDay(1, 1, money("1"), money("1"), money("0"), "2026-11-21", other),
            ),
            notes=("The source knows nothing before noon.",),
        ),
        daily_cost_by_model={day: {name: use.cost} for day, use in report.daily_trend.items() if use.cost},
        hour_of_week=tuple(tuple(range(24)) for _ in range(7)),
        row_labels=("model", "user_id"),
        rows=(
            model.Row("2026-11-23", (name, user), 98_765, 9_876_500, 1_975_300, money("1234.567891"), 2000.0, 12),
            model.Row("2026-11-23", (other, "bob@example.org"), 1, 100, 20, money("0.000001"), None, 0),
        ),
        accounting=replace(report.accounting, warnings=("a warning about `x|y` of <b>@someone</b>",)),
    )
