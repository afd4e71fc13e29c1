"""Reports made by hand: a company's busy month, one small team's, one without any usage. Deterministic.

The busy one is what the HTML page must hold within its limit: 50 models, 500 users, 30 days.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.account import AccountCredits, AccountStatus, KeySpend, KeyStatus
from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import (
    Accounting,
    Breakdown,
    CacheUse,
    Comparison,
    Errors,
    FruitlessSpend,
    Price,
    Projection,
    Report,
    Showback,
    Spend,
    Summary,
    Usage,
    UserUsage,
    rounded,
)
from openrouter_otel.reporting.rates import Rate

LAST_DAY: Final = date(2026, 11, 25)
LABS: Final = (
    "openai",
    "anthropic",
    "google",
    "meta-llama",
    "mistralai",
    "deepseek",
    "qwen",
    "x-ai",
    "cohere",
    "amazon",
)
SIZES: Final = ("mini", "pro", "large", "flash", "reasoner")
PROVIDERS: Final = ("OpenAI", "Anthropic", "Google", "Azure", "Together", "Fireworks", "DeepInfra", "Groq", "Bedrock")
TEAMS: Final = ("search", "support", "growth", "platform", "data", "legal")
ERRORS: Final = (
    "http_429",
    "APITimeoutError",
    "http_502",
    "provider_unavailable",
    "content_policy_violation",
    "http_400",
)
NAMES: Final = ("ada", "bo", "chen", "dina", "emil", "fatou", "goran", "hana", "ivo", "jun", "kai", "lena", "mara")
HOSTILE: Final = (
    "</script><script>window.owned = 1</script>",
    '"><img src=x onerror="window.owned = 1">',
    "<!-- <script> \u2028\u2029 \u202e gnp.exe \x00\x1b[31m",
    "{{7*7}} ${window.owned = 1} `x` 'a' \\u003c | =cmd()",
    "\ud800 half a character, and " + "long " * 40,
)


def busy(models: int = 50, users: int = 500, days: int = 30) -> Report:
    """A company's month."""
    chance = random.Random(11)
    names = [f"{LABS[n % len(LABS)]}/{SIZES[n // len(LABS) % len(SIZES)]}-{5 - n // 20}" for n in range(models)]
    people = [f"{NAMES[n % len(NAMES)]}.{TEAMS[n % len(TEAMS)]}{n:03d}@example.com" for n in range(users)]
    weights = [1 / (rank + 1) ** 1.1 for rank in range(models)]
    calls = {
        day: {name: _calls(chance, day, weight) for name, weight in zip(names, weights, strict=True)}
        for day in (LAST_DAY - timedelta(days=days - 1 - n) for n in range(days))
    }
    price = {name: Decimal(chance.randint(40, 9000)) / 1_000_000 for name in names}
    return _report(chance, calls, price, people)


def small() -> Report:
    """Two people's first two days with one model, nothing to compare with."""
    chance = random.Random(3)
    calls = {LAST_DAY - timedelta(days=1): {"openai/gpt-5-mini": 7}, LAST_DAY: {"openai/gpt-5-mini": 5}}
    report = _report(chance, calls, {"openai/gpt-5-mini": Decimal("0.00042")}, ["ada", "bo"])
    return replace(
        report,
        account=None,
        group_by=None,
        comparison=None,
        hour_of_week=tuple(tuple(_few(day, hour) for hour in range(24)) for day in range(7)),
        verdict="exact",
        statement="Exact: every call that was scraped is counted once, at what it cost.",
        errors=Errors(Decimal(0), {}, {}),
        fruitless_spend=FruitlessSpend(Decimal(0), Decimal(0), {}, {}, Spend(0, None), {}),
        accounting=replace(report.accounting, gaps=(), warnings=()),
    )


def empty() -> Report:
    """A source that has never seen a call."""
    nothing = _summary(0, 0, Decimal(0), 0, None)
    return replace(
        small(),
        data_since=None,
        statement="No usage: this source has never seen a call of openrouter-otel.",
        summary=dict.fromkeys(("last_24h", "last_7d", "last_30d", "all_time", "period"), nothing),
        model_breakdown={},
        provider_breakdown={},
        daily_trend={day: Usage(0, 0, Decimal(0), 0) for day in small().daily_trend},
        weekly_trend={},
        monthly_trend={},
        latency_overall=Latency(0),
        latency_stats={},
        provider_latency_stats={},
        time_to_first_token_stats={},
        output_rate_stats={},
        top_users=(),
        user_stats={},
        projection=Projection("2026-11", Decimal(0), None, "there is no usage to project from"),
        effective_prices={},
        daily_cost_by_model={day: {} for day in small().daily_trend},
        hour_of_week=tuple((0,) * 24 for _ in range(7)),
        accounting=Accounting("unique", 0, Decimal(0), Decimal(0), Decimal(0), 0, (), ()),
    )


def hostile() -> Report:
    """The small one, where every name comes from an attacker."""
    report = small()
    only = next(iter(report.model_breakdown.values()))
    wait = report.latency_overall
    names = dict.fromkeys(HOSTILE)
    return replace(
        report,
        verdict="incomplete",
        statement=f"Incomplete: {HOSTILE[0]}",
        source={"kind": "prometheus", "url": f"http://localhost/{HOSTILE[1]}"},
        filters={"user": HOSTILE[0]},
        model_breakdown=dict.fromkeys(names, only),
        provider_breakdown=dict.fromkeys(names, only),
        latency_stats=dict.fromkeys(names, wait),
        provider_latency_stats=dict.fromkeys(names, wait),
        time_to_first_token_stats=dict.fromkeys(names, wait),
        output_rate_stats=dict.fromkeys(names, _rate(random.Random(1), 3)),
        top_users=tuple(names),
        user_stats={name: UserUsage(1, 2, Decimal(1), HOSTILE, Decimal("0.2"), 0, wait) for name in names},
        account=AccountStatus(
            KeyStatus(
                label=HOSTILE[0],
                limit=Decimal(1),
                limit_remaining=None,
                limit_reset=HOSTILE[1],
                limit_resets_at=None,
                usage=KeySpend(None, None, None, None),
                byok_usage=KeySpend(None, None, None, None),
                free_requests_remaining=None,
                free_tier=None,
                management=True,
            ),
            None,
        ),
        errors=Errors(Decimal("0.5"), dict.fromkeys(names, 3), dict.fromkeys(names, 3)),
        group_by=Showback(HOSTILE[0], dict.fromkeys(names, only)),
        effective_prices={name: {name: Price(1, 2, Decimal(1), Decimal(3))} for name in names},
        daily_cost_by_model={day: {name: Decimal(1) for name in names} for day in report.daily_trend},
        fruitless_spend=replace(
            report.fruitless_spend,
            cost=Decimal(1),
            by_outcome={HOSTILE[1]: Spend(1, Decimal(1))},
            by_model={name: Decimal(1) for name in names},
            cache_never_read={name: CacheUse(1, 0) for name in names},
        ),
        projection=replace(report.projection, method=HOSTILE[1]),
        accounting=replace(
            report.accounting,
            gaps=tuple({"process": name, "from": "2026-11-24T00:00:00", "to": "2026-11-24T02:00:00"} for name in names),
            warnings=HOSTILE,
        ),
    )


def _calls(chance: random.Random, day: date, weight: float) -> int:
    rhythm = 0.25 if day.weekday() > 4 else 1.0
    return round(42_000 * weight * rhythm * chance.uniform(0.6, 1.2))


def _report(
    chance: random.Random,
    calls: Mapping[date, Mapping[str, int]],
    price: Mapping[str, Decimal],
    people: Sequence[str],
) -> Report:
    cost = {day: {name: n * price[name] for name, n in row.items()} for day, row in calls.items()}
    by_model = {name: sum(row[name] for row in calls.values()) for name in price}
    models = _breakdowns(by_model, {name: n * price[name] for name, n in by_model.items()}, chance)
    total, spent = sum(by_model.values()), sum((row.cost for row in models.values()), Decimal(0))
    providers = _parts(PROVIDERS[: len(price)], total, spent, chance)
    shares = _parts(people, total, spent, chance)
    wait = {name: _latency(chance, row.requests) for name, row in models.items()}
    trend = {
        day.isoformat(): Usage(
            sum(row.values()), sum(row.values()) * 1730, rounded(sum(cost[day].values(), Decimal(0))), _errors(row)
        )
        for day, row in calls.items()
    }
    period = _summary(
        total, sum(day.tokens for day in trend.values()), spent, sum(d.errors for d in trend.values()), 2140.5
    )
    return Report(
        schema_version=1,
        generated_at="2026-11-25T14:03:20+01:00",
        timezone="Europe/Berlin",
        source={"kind": "prometheus", "url": "http://prometheus.example.com:9090"},
        filters={},
        data_since="2026-06-02T08:14:07+02:00",
        period={"since": f"{min(calls)}T00:00:00+01:00", "until": "2026-11-25T14:03:20+01:00"},
        verdict="incomplete",
        statement=(
            "Incomplete: something was not seen, or not in time, because 1 process went unseen for an hour or more."
        ),
        summary={
            "last_24h": _scaled(period, 30),
            "last_7d": _scaled(period, 4),
            "last_30d": period,
            "all_time": period,
            "period": period,
        },
        model_breakdown=models,
        provider_breakdown=providers,
        daily_trend=trend,
        weekly_trend=_grouped(trend, lambda day: str(day - timedelta(days=day.weekday()))),
        monthly_trend=_grouped(trend, lambda day: f"{day:%Y-%m}"),
        hourly_distribution={f"{hour:02d}": round(total * _activity(hour) / 9) for hour in range(24)},
        latency_overall=_latency(chance, total),
        latency_stats=wait,
        provider_latency_stats={name: _latency(chance, row.requests) for name, row in providers.items()},
        time_to_first_token_stats={name: _latency(chance, row.count, 420) for name, row in wait.items()},
        output_rate_stats={name: _rate(chance, row.count) for name, row in wait.items()},
        top_users=tuple(shares)[:10],
        user_stats={
            user: UserUsage(
                row.requests,
                row.tokens,
                row.cost,
                tuple(sorted(chance.sample(list(price), k=min(len(price), chance.randint(1, 9))))),
                row.share,
                row.errors,
                replace(_latency(chance, row.requests), min=None, max=None, stdev_estimated=True),
            )
            for user, row in shares.items()
        },
        errors=Errors(
            period.error_rate,
            {kind: max(1, period.total_errors // 2 ** (n + 1)) for n, kind in enumerate(ERRORS)},
            {name: row.errors for name, row in models.items() if row.errors},
        ),
        account=AccountStatus(
            KeyStatus(
                label="sk-or-v1-au7...890",
                limit=Decimal(2000),
                limit_remaining=Decimal("1411.75"),
                limit_reset="monthly",
                limit_resets_at="2026-12-01T00:00:00+00:00",
                usage=KeySpend(Decimal("31.5"), Decimal("96.125"), Decimal("588.25"), Decimal("9120.5")),
                byok_usage=KeySpend(Decimal(0), Decimal("3.5"), Decimal("41.75"), Decimal("310.25")),
                free_requests_remaining=988,
                free_tier=False,
                management=False,
            ),
            AccountCredits(Decimal(12000), Decimal("9120.5"), Decimal("2879.5")),
        ),
        accounting=Accounting(
            identity="unique",
            unpriced_requests=12,
            charged_cost=rounded(spent * Decimal("0.9")),
            byok_cost=rounded(spent * Decimal("0.08")),
            estimated_cost=rounded(spent - spent * Decimal("0.9") - spent * Decimal("0.08")),
            overflow_requests=0,
            gaps=(
                {"process": "9f86d081884c7d65", "from": "2026-11-14T02:10:00+01:00", "to": "2026-11-14T05:40:00+01:00"},
            ),
            warnings=(
                "1 process went unseen for an hour or more: totals include what was counted meanwhile, at a later hour",
            ),
        ),
        group_by=Showback("tag.team", _parts(TEAMS, total, spent, chance)),
        comparison=Comparison(
            {"since": "2026-09-27T00:00:00+02:00", "until": "2026-10-27T00:00:00+01:00"},
            _scaled(period, 1),
            {
                "total_cost": Decimal("0.184"),
                "total_requests": Decimal("0.092"),
                "total_tokens": Decimal("0.121"),
                "error_rate": Decimal("-0.31"),
                "avg_latency_ms": Decimal("0.02"),
                "avg_cost_per_request": Decimal("0.084"),
            },
        ),
        projection=Projection(
            "2026-11",
            rounded(spent * Decimal("0.84")),
            rounded(spent * Decimal("1.03")),
            "the average of the last seven full days for every day that is left",
        ),
        fruitless_spend=FruitlessSpend(
            cost=rounded(spent * Decimal("0.021")),
            share=Decimal("0.021"),
            by_outcome={
                "error": Spend(1204, rounded(spent * Decimal("0.011"))),
                "abandoned": Spend(830, rounded(spent * Decimal("0.008"))),
                "cancelled": Spend(311, rounded(spent * Decimal("0.002"))),
            },
            by_model={name: rounded(row.cost / 50) for name, row in list(models.items())[:12]},
            truncated=Spend(2290, None),
            cache_never_read={name: CacheUse(184_000, 0) for name in list(models)[:3]},
        ),
        effective_prices={
            name: {
                provider: Price(row.requests, row.tokens, row.cost, row.cost_per_million_tokens)
                for provider in chance.sample(PROVIDERS, k=2)
            }
            for name, row in models.items()
        },
        daily_cost_by_model={
            day.isoformat(): {m: rounded(c) for m, c in row.items() if c} for day, row in cost.items()
        },
        hour_of_week=tuple(
            tuple(math.ceil(total / 700 * _activity(hour) * (0.3 if day > 4 else 1)) for hour in range(24))
            for day in range(7)
        ),
        daily_levels=tuple(0 for _ in trend),
    )


def _breakdowns(calls: Mapping[str, int], cost: Mapping[str, Decimal], chance: random.Random) -> dict[str, Breakdown]:
    spent = sum(cost.values(), Decimal(0))
    return {
        name: _breakdown(calls[name], cost[name], spent, chance) for name in sorted(cost, key=lambda n: (-cost[n], n))
    }


def _breakdown(calls: int, cost: Decimal, spent: Decimal, chance: random.Random) -> Breakdown:
    tokens, errors = calls * 1730, calls // chance.randint(40, 400)
    return Breakdown(
        requests=calls,
        tokens=tokens,
        cost=rounded(cost),
        avg_latency_ms=chance.uniform(400, 9000) if calls else None,
        cost_per_request=rounded(cost / calls) if calls else None,
        errors=errors,
        error_rate=rounded(Decimal(errors) / calls) if calls else Decimal(0),
        cost_per_million_tokens=rounded(cost * 1_000_000 / tokens) if tokens else None,
        share=rounded(cost / spent) if spent else None,
        input_tokens=calls * 1410,
        output_tokens=calls * 320,
        cached_input_tokens=calls * 530,
        reasoning_tokens=calls * 90,
        cache_hit_share=rounded(Decimal(530) / 1410),
    )


def _parts(names: Iterable[str], calls: int, cost: Decimal, chance: random.Random) -> dict[str, Breakdown]:
    """Calls and cost dealt out to names, the last one taking what is left."""
    everyone = list(names)
    raw = sorted((chance.paretovariate(1.2) for _ in everyone), reverse=True)
    whole = sum(raw)
    counts = {name: int(calls * one / whole) for name, one in zip(everyone, raw, strict=True)}
    counts[everyone[0]] += calls - sum(counts.values())
    return _breakdowns(counts, {name: cost * n / calls for name, n in counts.items()}, chance)


def _summary(calls: int, tokens: int, cost: Decimal, errors: int, mean: float | None) -> Summary:
    return Summary(
        total_requests=calls,
        total_tokens=tokens,
        input_tokens=tokens - tokens // 5,
        output_tokens=tokens // 5,
        cached_input_tokens=tokens // 3,
        reasoning_tokens=tokens // 19,
        total_cost=rounded(cost),
        avg_latency_ms=mean,
        avg_cost_per_request=rounded(cost / calls) if calls else None,
        total_errors=errors,
        error_rate=rounded(Decimal(errors) / calls) if calls else Decimal(0),
        abandoned_requests=calls // 500,
        unpriced_requests=0,
    )


def _scaled(summary: Summary, by: int) -> Summary:
    return _summary(
        summary.total_requests // by,
        summary.total_tokens // by,
        summary.total_cost / by,
        summary.total_errors // by,
        summary.avg_latency_ms,
    )


def _latency(chance: random.Random, calls: int, typical: float = 1900) -> Latency:
    if not calls:
        return Latency(0)
    middle = typical * chance.lognormvariate(0, 0.7)
    p95, p99 = middle * chance.uniform(2.2, 4), middle * chance.uniform(5, 8)
    return Latency(
        count=calls,
        mean=middle * 1.2,
        median=middle,
        stdev=middle * 0.8,
        min=middle / 9,
        max=p99 * 1.7,
        p50=middle,
        p95=p95,
        p99=p99,
        p50_range=(middle * 0.85, middle * 1.2),
        p95_range=(p95 * 0.85, p95 * 1.2),
        p99_range=(p99 * 0.85, p99 * 1.2),
    )


def _rate(chance: random.Random, streams: int) -> Rate:
    middle = chance.uniform(20, 180)
    ranges = {q: (middle * by * 0.9, middle * by * 1.2) for q, by in (("p5", 0.4), ("median", 1), ("p95", 1.8))}
    return Rate(
        streams, middle * 1.1, middle, middle * 0.4, middle * 1.8, ranges["median"], ranges["p5"], ranges["p95"]
    )


def _grouped(trend: Mapping[str, Usage], key: Callable[[date], str]) -> dict[str, Usage]:
    found: dict[str, Usage] = {}
    for day, usage in trend.items():
        step = key(date.fromisoformat(day))
        before = found.get(step, Usage(0, 0, Decimal(0), 0))
        found[step] = Usage(
            before.requests + usage.requests,
            before.tokens + usage.tokens,
            before.cost + usage.cost,
            before.errors + usage.errors,
        )
    return found


def _errors(calls: Mapping[str, int]) -> int:
    return sum(n // 90 for n in calls.values())


def _few(day: int, hour: int) -> int:
    """Twelve calls: seven on the Tuesday morning, five on the Wednesday noon."""
    return {(1, 9): 4, (1, 10): 3, (2, 12): 5}.get((day, hour), 0)


def _activity(hour: int) -> float:
    """How busy an hour of the day is, 0 to 1."""
    return math.exp(-(((hour - 10.5) / 3) ** 2)) + 0.8 * math.exp(-(((hour - 15.5) / 2.5) ** 2)) + 0.04
