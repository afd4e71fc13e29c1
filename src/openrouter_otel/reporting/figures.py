"""Evidence -> `Report`: which entries each figure is the sum of.

Pure. Everything here is "filter, group, add up, divide at the very end".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import localcontext
from typing import Final

from openrouter_otel import names
from openrouter_otel.budgets import Budget
from openrouter_otel.reporting import books, durations, grouping, single_calls, standings, trends, trust
from openrouter_otel.reporting.account import AccountStatus
from openrouter_otel.reporting.breakdowns import breakdown, effective_prices, ranked, showback
from openrouter_otel.reporting.evidence import ROLLING, Evidence
from openrouter_otel.reporting.filters import Filters, unmatched
from openrouter_otel.reporting.fruitless import fruitless
from openrouter_otel.reporting.ledger import EXACT, ZERO
from openrouter_otel.reporting.model import Accounting, Errors, Report, ratio, rounded
from openrouter_otel.reporting.period import iso, monday
from openrouter_otel.reporting.projection import projection
from openrouter_otel.reporting.reconciliation import TheirBooks, reconciliation
from openrouter_otel.reporting.rows import columns, rows
from openrouter_otel.reporting.summaries import comparison, summary
from openrouter_otel.reporting.tally import Tally
from openrouter_otel.reporting.users import users

SCHEMA_VERSION: Final = 1
INTERVALS: Final = (*ROLLING, "all_time", "period")


@dataclass(frozen=True)
class Wanted:
    """How the figures are to be presented.

    Attributes:
        timezone: the zone's name as asked for.
        top: how many users `top_users` lists.
        filters: what the evidence was filtered by.
        group_by: a label to break the period down by, as an attribute (``tag.team``), or None.
        rows: whether the CSV's lines are wanted.
        budgets: what to hold the spend against; None for nothing.
    """

    timezone: str = "UTC"
    top: int = 10
    filters: Filters = Filters()  # noqa: RUF009  # immutable
    group_by: str | None = None
    rows: bool = False
    budgets: tuple[Budget, ...] | None = None


def report(
    evidence: Evidence,
    wanted: Wanted,
    generated_at: datetime,
    account: AccountStatus | None = None,
    their_books: TheirBooks | None = None,
) -> Report:
    """Compute everything.

    Args:
        evidence: what the source told.
        wanted: how it is to be presented.
        generated_at: the local clock, for the record only.
        account: what OpenRouter said of key and account, None for nothing.
        their_books: what OpenRouter has booked, to compare with; None for no comparison.
    """
    with localcontext(EXACT):
        tally = Tally(evidence)
        compared = None if their_books is None else reconciliation(tally, their_books)
        return replace(_report(tally, wanted, generated_at), account=account, reconciliation=compared)


def _report(tally: Tally, wanted: Wanted, generated_at: datetime) -> Report:
    """What the source alone can tell."""
    evidence = tally.evidence
    judged = trust.judge(evidence, _doubts(tally, wanted))
    trend = trends.by_day(tally)
    hour_of_week = trends.by_hour_of_week(tally)
    by_user = users(tally, durations.latencies(tally, books.user))
    told_apart = columns(wanted.group_by) if wanted.rows else {}
    return Report(
        schema_version=SCHEMA_VERSION,
        generated_at=generated_at.astimezone(evidence.tz).isoformat(timespec="seconds"),
        timezone=wanted.timezone,
        source=evidence.source,
        filters=wanted.filters.shown(),
        data_since=None if evidence.data_since is None else iso(evidence.data_since // 1000 * 1000, evidence.tz),
        period={"since": iso(evidence.period.since, evidence.tz), "until": iso(evidence.period.until, evidence.tz)},
        verdict=judged.verdict,
        statement=judged.statement,
        summary={name: summary(tally, evidence.interval(name)) for name in INTERVALS},
        model_breakdown=breakdown(tally, grouping.always(books.model)),
        provider_breakdown=breakdown(tally, grouping.always(books.provider)),
        daily_trend={day.isoformat(): usage for day, usage in trend.items()},
        weekly_trend=trends.coarser(trend, lambda day: monday(day).isoformat()),
        monthly_trend=trends.coarser(trend, lambda day: f"{day:%Y-%m}"),
        hourly_distribution=trends.by_hour(hour_of_week),
        latency_overall=durations.overall(tally),
        latency_stats=durations.latencies(tally, books.model),
        provider_latency_stats=durations.latencies(tally, books.provider),
        time_to_first_token_stats=durations.latencies(tally, books.model, names.FIRST_TOKEN),
        output_rate_stats=durations.output_rates(tally, books.model),
        top_users=tuple(by_user)[: wanted.top],
        user_stats=by_user,
        errors=_errors(tally),
        account=None,
        accounting=_accounting(tally, judged),
        group_by=None if wanted.group_by is None else showback(tally, wanted.group_by),
        comparison=comparison(tally),
        projection=projection(tally),
        fruitless_spend=fruitless(tally),
        effective_prices=effective_prices(tally),
        daily_cost_by_model=trends.cost_by_model(tally),
        hour_of_week=hour_of_week,
        daily_levels=trends.levels(trend),
        budgets=None if wanted.budgets is None else standings.standings(tally, wanted.budgets),
        sessions=single_calls.sessions(evidence),
        row_labels=tuple(told_apart),
        rows=rows(tally, told_apart) if wanted.rows else (),
    )


def _doubts(tally: Tally, wanted: Wanted) -> Iterator[str]:
    """What a reader would misread without a word."""
    if not any(True for _ in tally.book(names.REQUESTS)):
        yield from unmatched(wanted.filters, tally.evidence.values)
    if wanted.group_by is not None and (doubt := grouping.doubt(tally, wanted.group_by)):
        yield doubt
    yield from standings.doubts(tally, wanted.budgets or ())


def _errors(tally: Tally) -> Errors:
    errors, requests = tally.period(names.ERRORS), tally.period(names.REQUESTS).sum()
    by_type, by_model = errors.by(books.error_type), errors.by(books.requested_model)
    return Errors(
        error_rate=ratio(errors.sum(), requests) or ZERO,
        by_type={name: int(by_type[name]) for name in ranked(by_type)},
        by_model={name: int(by_model[name]) for name in ranked(by_model)},
        recent=single_calls.recent_errors(tally.evidence),
    )


def _accounting(tally: Tally, judged: trust.Trust) -> Accounting:
    requests, cost, tz = tally.period(names.REQUESTS), tally.period(names.COST), tally.evidence.tz
    charged = cost.of(payee=names.OPENROUTER)
    return Accounting(
        identity=judged.identity,
        unpriced_requests=tally.unpriced(tally.evidence.period),
        charged_cost=rounded(charged.of(cost_source=names.REPORTED).sum()),
        byok_cost=rounded(cost.of(payee=names.PROVIDER).sum()),
        estimated_cost=rounded(charged.of(cost_source=names.ESTIMATED).sum()),
        overflow_requests=int(requests.by(books.model).get(names.OVERFLOW, ZERO)),
        gaps=tuple(
            {"process": gap.process, "from": iso(gap.since, tz), "to": iso(gap.until, tz)}
            for gap in tally.evidence.coverage.gaps
        ),
        warnings=judged.warnings,
    )
