"""Evidence -> `Report`: which entries each figure is the sum of.

Pure. Everything here is "filter, group, add up, divide at the very end".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import books, trends, trust
from openrouter_otel.reporting.books import Key, Totals
from openrouter_otel.reporting.durations import mean_ms, means_ms, of_calls, of_first_tokens
from openrouter_otel.reporting.evidence import ROLLING, Evidence
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.ledger import EXACT, ZERO
from openrouter_otel.reporting.model import (
    Accounting,
    Breakdown,
    Errors,
    FruitlessSpend,
    Projection,
    Report,
    Spend,
    Summary,
    UserUsage,
    rounded,
)
from openrouter_otel.reporting.period import Interval, local, monday

SCHEMA_VERSION: Final = 1
PLACES: Final = Decimal("1e-12")
MILLION: Final = 1_000_000
INTERVALS: Final = (*ROLLING, "all_time", "period")
LEVELS: Final = 8  # heights of a sparkline's bar


@dataclass(frozen=True)
class Wanted:
    """How the figures are to be presented.

    Attributes:
        timezone: the zone's name as asked for.
        top: how many users `top_users` lists.
        filters: what the evidence was filtered by.
        group_by: a label to break the period down by, as an attribute (``tag.team``), or None.
        rows: whether the CSV's lines are wanted.
    """

    timezone: str = "UTC"
    top: int = 10
    filters: Filters = Filters()  # noqa: RUF009  # immutable
    group_by: str | None = None
    rows: bool = False


def report(evidence: Evidence, wanted: Wanted, generated_at: datetime) -> Report:
    """Compute everything.

    Args:
        evidence: what the source told.
        wanted: how it is to be presented.
        generated_at: the local clock, for the record only.
    """
    with localcontext(EXACT):
        return _report(evidence, wanted, generated_at)


def _report(evidence: Evidence, wanted: Wanted, generated_at: datetime) -> Report:
    judged = trust.judge(evidence)
    trend = trends.by_day(evidence)
    users = _users(evidence)
    latency_overall, latency_stats = of_calls(evidence)
    return Report(
        schema_version=SCHEMA_VERSION,
        generated_at=generated_at.astimezone(evidence.tz).isoformat(timespec="seconds"),
        timezone=wanted.timezone,
        source={"kind": "prometheus", "url": evidence.source},
        filters=wanted.filters.shown(),
        data_since=None if evidence.data_since is None else _iso(evidence.data_since // 1000 * 1000, evidence),
        period={"since": _iso(evidence.period.since, evidence), "until": _iso(evidence.period.until, evidence)},
        verdict=judged.verdict,
        statement=judged.statement,
        summary={name: _summary(evidence, evidence.interval(name)) for name in INTERVALS},
        model_breakdown=_breakdown(evidence, books.model),
        provider_breakdown=_breakdown(evidence, books.provider),
        daily_trend={day.isoformat(): usage for day, usage in trend.items()},
        weekly_trend=trends.coarser(trend, lambda day: monday(day).isoformat()),
        monthly_trend=trends.coarser(trend, lambda day: f"{day:%Y-%m}"),
        hourly_distribution=trends.by_hour(evidence),
        latency_overall=latency_overall,
        latency_stats=latency_stats,
        time_to_first_token_stats=of_first_tokens(evidence),
        top_users=tuple(users)[: wanted.top],
        user_stats=users,
        errors=_errors(evidence),
        account=None,
        accounting=_accounting(evidence, judged),
        group_by=None,
        comparison=None,
        projection=Projection(f"{local(evidence.month.since, evidence.tz):%Y-%m}", ZERO, None, ""),
        fruitless_spend=FruitlessSpend(ZERO, None, {}, {}, Spend(0, None), {}),
        effective_prices={},
        daily_cost_by_model={},
        hour_of_week=(),
        daily_levels=trends.levels(trend),
    )


def _iso(instant: int, evidence: Evidence) -> str:
    return local(instant, evidence.tz).isoformat(timespec="milliseconds" if instant % 1000 else "seconds")


def _within(evidence: Evidence, metric: names.Metric, interval: Interval) -> Totals:
    return evidence.books[metric.prometheus].within(interval)


def _summary(evidence: Evidence, interval: Interval) -> Summary:
    requests, tokens, details, cost, errors = (
        _within(evidence, metric, interval)
        for metric in (names.REQUESTS, names.TOKENS, names.TOKENS_DETAIL, names.COST, names.ERRORS)
    )
    return Summary(
        total_requests=int(requests.sum()),
        total_tokens=int(tokens.sum()),
        input_tokens=int(tokens.of(token_type=names.INPUT).sum()),
        output_tokens=int(tokens.of(token_type=names.OUTPUT).sum()),
        cached_input_tokens=int(details.of(token_type="cache_read").sum()),
        reasoning_tokens=int(details.of(token_type="reasoning").sum()),
        total_cost=rounded(cost.sum()),
        avg_latency_ms=mean_ms(evidence, interval),
        avg_cost_per_request=_ratio(cost.sum(), requests.sum()),
        total_errors=int(errors.sum()),
        error_rate=_ratio(errors.sum(), requests.sum()) or ZERO,
        abandoned_requests=int(requests.of(outcome=names.ABANDONED).sum()),
        unpriced_requests=int(requests.of(cost_source=names.UNPRICED).sum()),
    )


def _breakdown(evidence: Evidence, key: Key) -> dict[str, Breakdown]:
    period = evidence.period
    requests, tokens, cost, errors = (
        _within(evidence, metric, period).by(key) for metric in (names.REQUESTS, names.TOKENS, names.COST, names.ERRORS)
    )
    latencies = means_ms(evidence, key)
    rows = {}
    for name in _ranked(cost, requests, tokens, errors):
        calls, spent = requests.get(name, ZERO), cost.get(name, ZERO)
        rows[name] = Breakdown(
            requests=int(calls),
            tokens=int(tokens.get(name, ZERO)),
            cost=rounded(spent),
            avg_latency_ms=latencies.get(name),
            cost_per_request=_ratio(spent, calls),
            errors=int(errors.get(name, ZERO)),
            error_rate=_ratio(errors.get(name, ZERO), calls) or ZERO,
            cost_per_million_tokens=_ratio(spent * MILLION, tokens.get(name, ZERO)),
        )
    return rows


def _users(evidence: Evidence) -> dict[str, UserUsage]:
    requests, tokens, cost = (
        _within(evidence, metric, evidence.period) for metric in (names.REQUESTS, names.TOKENS, names.COST)
    )
    calls, used, spent = requests.by(books.user), tokens.by(books.user), cost.by(books.user)
    models = requests.grouped(books.user)
    return {
        name: UserUsage(
            requests=int(calls.get(name, ZERO)),
            tokens=int(used.get(name, ZERO)),
            cost=rounded(spent.get(name, ZERO)),
            models_used=tuple(sorted(models[name].by(books.model))) if name in models else (),
        )
        for name in _ranked(spent, calls, used)
    }


def _errors(evidence: Evidence) -> Errors:
    errors = _within(evidence, names.ERRORS, evidence.period)
    requests = _within(evidence, names.REQUESTS, evidence.period).sum()
    by_type, by_model = errors.by(books.error_type), errors.by(books.requested_model)
    return Errors(
        error_rate=_ratio(errors.sum(), requests) or ZERO,
        by_type={name: int(by_type[name]) for name in _ranked(by_type)},
        by_model={name: int(by_model[name]) for name in _ranked(by_model)},
    )


def _accounting(evidence: Evidence, judged: trust.Trust) -> Accounting:
    cost = _within(evidence, names.COST, evidence.period)
    requests = _within(evidence, names.REQUESTS, evidence.period)
    charged = cost.of(payee=names.OPENROUTER)
    return Accounting(
        identity=judged.identity,
        unpriced_requests=int(requests.of(cost_source=names.UNPRICED).sum()),
        charged_cost=rounded(charged.of(cost_source=names.REPORTED).sum()),
        byok_cost=rounded(cost.of(payee=names.PROVIDER).sum()),
        estimated_cost=rounded(charged.of(cost_source=names.ESTIMATED).sum()),
        overflow_requests=int(requests.by(books.model).get(names.OVERFLOW, ZERO)),
        gaps=tuple(
            {"process": gap.process, "from": _iso(gap.since, evidence), "to": _iso(gap.until, evidence)}
            for gap in evidence.coverage.gaps
        ),
        warnings=judged.warnings,
    )


def _ranked(first: Mapping[str, Decimal], *others: Mapping[str, Decimal]) -> list[str]:
    """Every name of any table, the largest amount of the first table at the top, equals by name."""
    return sorted({*first}.union(*others), key=lambda name: (-first.get(name, ZERO), name))


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return rounded(part / whole) if whole else None
