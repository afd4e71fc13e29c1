"""On what it was spent, and by whom: one table for each way to look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openrouter_otel.reporting.model import Breakdown, Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Column, Kind, Line, Name, Section, Table, headed


def breakdowns(report: Report) -> Iterator[Section]:
    """By model, provider, the label that was asked for, and user."""
    yield _spend(("Models",), "model", report.model_breakdown)
    yield _tokens(report)
    yield from _prices(report)
    yield _spend(("Providers",), "provider", report.provider_breakdown)
    if report.group_by:
        yield _spend(("By ", Name(report.group_by.label)), "value", report.group_by.rows)
    yield _users(report)


def _spend(title: Line, what: str, rows: Mapping[str, Breakdown]) -> Section:
    heads = ("requests", "cost USD", "share", "per call", "errors", "mean ms")
    table = Table.of(
        (what, *heads),
        (
            (
                Name(name),
                cells.count(row.requests),
                cells.money_if_known(row.known_cost),
                cells.share(row.share),
                cells.each(row.known_cost_per_request),
                cells.failed(row.errors, row.error_rate),
                cells.ms(row.avg_latency_ms),
            )
            for name, row in rows.items()
        ),
    )
    return Section(title, table)


def _tokens(report: Report) -> Section:
    table = Table.of(
        ("model", "tokens in", "from cache", "out", "reasoning", "USD per M"),
        (
            (
                Name(name),
                cells.count(row.input_tokens),
                cells.share(row.cache_hit_share),
                cells.count(row.output_tokens),
                cells.count(row.reasoning_tokens),
                cells.price(row.cost_per_million_tokens),
            )
            for name, row in report.model_breakdown.items()
        ),
    )
    return Section(("Tokens by model",), table)


def _prices(report: Report) -> Iterator[Section]:
    """Only where there is a choice: a model of a single provider has its price among the tokens."""
    rows = [
        (
            Name(model),
            Name(provider),
            cells.count(price.requests),
            cells.money(price.cost),
            cells.price(price.cost_per_million_tokens),
        )
        for model, providers in report.effective_prices.items()
        if len(providers) > 1
        for provider, price in providers.items()
    ]
    if rows:
        figures = headed("model", "requests", "cost USD", "USD per M")[1:]
        columns = (Column("model", Kind.NAME, grouped=True), Column("provider", Kind.NAME), *figures)
        yield Section(("Prices where a model has several providers",), Table(columns, tuple(rows)))


def _users(report: Report) -> Section:
    users = {user: report.user_stats[user] for user in report.top_users}
    columns = (
        *headed("user", "requests", "tokens", "cost USD", "share", "errors"),
        Column("models", Kind.LIST, spare=True),
    )
    rows = tuple(
        (
            Name(user),
            cells.count(row.requests),
            cells.count(row.tokens),
            cells.money_if_known(row.known_cost),
            cells.share(row.share),
            cells.count(row.errors),
            tuple(map(Name, row.models_used)),
        )
        for user, row in users.items()
    )
    total = len(report.user_stats)
    more = (
        ((f"The first {len(users)} of {cells.count(total)} users; --top shows more.",),) if total > len(users) else ()
    )
    return Section(("Users",), Table(columns, rows), lines=more)
