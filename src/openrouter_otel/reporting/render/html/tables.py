"""The tables of the page: which columns, in which order, under which title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import Breakdown, Report, Summary, Usage, UserUsage
from openrouter_otel.reporting.rates import Rate
from openrouter_otel.reporting.render import cells as plain
from openrouter_otel.reporting.render.budgets import STATUS
from openrouter_otel.reporting.render.html import cells
from openrouter_otel.reporting.render.html.cells import Cell
from openrouter_otel.reporting.render.html.reconciliation import reconciliation
from openrouter_otel.reporting.render.html.table import Table

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NAMED: Final = 3  # models named in a user's row; JSON has them all
INTERVALS: Final = {
    "last_24h": "Last 24 hours",
    "last_7d": "Last 7 days",
    "last_30d": "Last 30 days",
    "period": "This period",
    "all_time": "All time",
}
BRACKETS: Final = "Below each quantile stands the bracket it is certain to lie in."
EXACT: Final = "Each quantile is a call's own duration."
LATENCY_COLUMNS: Final = ("Calls", "Mean", "SD", "Min", "p50", "p95", "p99", "Max")


def intervals(report: Report) -> Table:
    """The period beside the usual ones."""
    columns = (
        "Interval",
        "Requests",
        "Tokens in",
        "Tokens out",
        "Cost, USD",
        "USD per call",
        "Errors",
        "Error rate",
        "Mean, ms",
    )
    rows = tuple(_interval(label, report.summary[key]) for key, label in INTERVALS.items())
    return Table("intervals", "At a glance", "The last 24 hours, 7 and 30 days roll; all time is all that is known.",
                 columns, rows)  # fmt: skip


def by_day(report: Report) -> Table:
    """Every day of the period."""
    return _trend("days", "Day by day", "Day", report.daily_trend)


def day_by_model(report: Report) -> Table:
    """The numbers behind the chart of spend."""
    models = tuple(report.model_breakdown)
    return Table(
        "spend-figures",
        "Spend per day and model, USD",
        "",
        ("Day", *map(plain.safe, models)),
        tuple(
            (Cell(day), *(cells.money(costs[model]) if model in costs else cells.EMPTY for model in models))
            for day, costs in report.daily_cost_by_model.items()
        ),
    )


def hours(report: Report) -> Table:
    """The numbers behind the heat map."""
    return Table(
        "hours-figures",
        "Requests by hour of the week",
        "",
        ("Day", *(f"{hour:02d}" for hour in range(24))),
        tuple((Cell(day), *map(cells.count, row)) for day, row in zip(DAYS, report.hour_of_week, strict=False)),
    )


def sections(report: Report) -> Iterator[Table]:
    """The tables people look things up in, those without rows left out."""
    yield from (table for table in _sections(report) if table.rows)


def _sections(report: Report) -> Iterator[Table]:
    yield _budgets(report)
    yield from reconciliation(report.reconciliation)
    yield _breakdown("models", "Models", "Model", report.model_breakdown)
    yield _breakdown("providers", "Providers", "Provider", report.provider_breakdown)
    yield _users(report)
    yield _sessions(report)
    if report.group_by:
        label = plain.safe(report.group_by.label)
        yield _breakdown("showback", f"Showback by {label}", label, report.group_by.rows)
    yield _latencies(
        "latency", "Latency by model", {"all models": report.latency_overall} if report.latency_stats else {},
        report.latency_stats,
    )  # fmt: skip
    yield _latencies("provider-latency", "Latency by provider", {}, report.provider_latency_stats, "Provider")
    yield _latencies("first-token", "Time to first token by model", {}, report.time_to_first_token_stats)
    yield _rates(report)
    yield _counts("errors", "Errors by type", "Type", report.errors.by_type)
    yield _counts("errors-by-model", "Errors by model asked for", "Model", report.errors.by_model)
    yield _recent_errors(report)
    yield from _fruitless(report)
    yield _prices(report)
    yield by_day(report)
    yield _trend("weeks", "Week by week", "Week from", report.weekly_trend)
    yield _trend("months", "Month by month", "Month", report.monthly_trend)


def _budgets(report: Report) -> Table:
    return Table(
        "budgets",
        "Budgets",
        "Days, weeks from Monday and months in UTC; the forecast goes on like the last 24 hours, or seven days.",
        ("Budget", "Status", "Limit, USD", "Used, USD", "Used", "Forecast, USD", "Used up on"),
        tuple(
            (
                cells.name(budget.name),
                Cell(STATUS[budget.status]),
                cells.money(budget.limit),
                cells.money(budget.used),
                cells.ratio(budget.used_share),
                cells.money(budget.forecast),
                Cell(budget.exhausted_on) if budget.exhausted_on else cells.EMPTY,
            )
            for budget in report.budgets or ()
        ),
        frozenset({"Status", "Used up on"}),
    )


def gaps(report: Report) -> Table:
    """When a process went unseen."""
    return Table(
        "gaps",
        "Gaps",
        "When a process was running and nobody looked.",
        ("Process", "From", "To"),
        tuple(
            (cells.name(gap["process"]), Cell(plain.moment(gap["from"])), Cell(plain.moment(gap["to"])))
            for gap in report.accounting.gaps
        ),
        frozenset({"From", "To"}),
    )


def _interval(label: str, row: Summary) -> tuple[Cell, ...]:
    return (
        Cell(label),
        cells.count(row.total_requests),
        cells.count(row.input_tokens),
        cells.count(row.output_tokens),
        cells.money(row.total_cost),
        cells.money(row.avg_cost_per_request),
        cells.count(row.total_errors),
        cells.ratio(row.error_rate),
        cells.ms(row.avg_latency_ms),
    )


def _trend(key: str, title: str, step: str, rows: Mapping[str, Usage]) -> Table:
    return Table(
        key,
        title,
        "",
        (step, "Requests", "Tokens", "Cost, USD", "Errors"),
        tuple(
            (Cell(start), cells.count(u.requests), cells.count(u.tokens), cells.money(u.cost), cells.count(u.errors))
            for start, u in rows.items()
        ),
    )


def _breakdown(key: str, title: str, what: str, rows: Mapping[str, Breakdown]) -> Table:
    columns = ("Requests", "Tokens", "Cached", "Cost, USD", "Share", "USD per M", "Errors", "Error rate", "Mean, ms")
    return Table(
        key,
        title,
        "Cached is the share of input tokens read from a cache; USD per M is what a million tokens really cost.",
        (what, *columns),
        tuple((cells.name(name), *_figures(row)) for name, row in rows.items()),
    )


def _figures(row: Breakdown) -> Iterator[Cell]:
    yield cells.count(row.requests)
    yield cells.count(row.tokens)
    yield cells.ratio(row.cache_hit_share)
    yield cells.money(row.known_cost)
    yield cells.share(row.share)
    yield cells.money(row.cost_per_million_tokens)
    yield cells.count(row.errors)
    yield cells.ratio(row.error_rate)
    yield cells.ms(row.avg_latency_ms)


def _users(report: Report) -> Table:
    return Table(
        "users",
        "Users",
        "Latency in ms, of calls that went well"
        + ("; p95 is estimated from a histogram." if report.sessions is None else "."),
        ("User", "Requests", "Tokens", "Cost, USD", "Share", "Errors", "Mean", "p95", "Models", "Such as"),
        tuple((cells.name(user), *_user(row)) for user, row in report.user_stats.items()),
        frozenset({"Such as"}),
    )


def _user(row: UserUsage) -> Iterator[Cell]:
    yield cells.count(row.requests)
    yield cells.count(row.tokens)
    yield cells.money(row.known_cost)
    yield cells.share(row.share)
    yield cells.count(row.errors)
    yield cells.ms(row.latency.mean)
    yield cells.ms(row.latency.p95)
    yield cells.count(len(row.models_used))
    more = ", …" if row.models_used[NAMED:] else ""
    yield Cell(plain.safe(", ".join(row.models_used[:NAMED])) + more)


def _sessions(report: Report) -> Table:
    return Table(
        "sessions",
        "The dearest sessions",
        "A dash: no call's price is known.",
        ("Session", "Requests", "Tokens", "Cost, USD", "Errors", "First call", "Last call", "Users"),
        tuple(
            (
                cells.name(one.session_id),
                cells.count(one.requests),
                cells.count(one.tokens),
                cells.money(one.cost),
                cells.count(one.errors),
                Cell(plain.moment(one.first)),
                Cell(plain.moment(one.last)),
                cells.name(", ".join(one.users)),
            )
            for one in report.sessions or ()
        ),
        frozenset({"First call", "Last call", "Users"}),
    )


def _recent_errors(report: Report) -> Table:
    return Table(
        "recent-errors",
        "The last errors",
        "",
        ("When", "Type", "Model asked for", "Message"),
        tuple(
            (Cell(plain.second(one.time)), cells.name(one.type), cells.name(one.model), cells.name(one.message or ""))
            for one in report.errors.recent or ()
        ),
        frozenset({"Type", "Model asked for", "Message"}),
    )


def _latencies(
    key: str, title: str, first: Mapping[str, Latency], rows: Mapping[str, Latency], what: str = "Model"
) -> Table:
    return Table(
        key,
        title,
        f"Milliseconds, of calls that went well. {BRACKETS if any(map(_is_bracketed, rows.values())) else EXACT}",
        (what, *LATENCY_COLUMNS),
        tuple((cells.name(name), *_latency(row)) for name, row in {**first, **rows}.items()),
    )


def _is_bracketed(row: Latency) -> bool:
    lower, upper = row.p95_range
    return lower != upper


def _rates(report: Report) -> Table:
    return Table(
        "output-rate",
        "Output rate by model",
        "Tokens per second after the first one, of streams; the slow end (p5) is the one to watch.",
        ("Model", "Streams", "Mean", "p5", "p50", "p95"),
        tuple((cells.name(name), *_rate(row)) for name, row in report.output_rate_stats.items()),
    )


def _rate(row: Rate) -> Iterator[Cell]:
    yield cells.count(row.count)
    yield cells.rate(row.mean)
    yield cells.rate(row.p5, row.p5_range)
    yield cells.rate(row.median, row.median_range)
    yield cells.rate(row.p95, row.p95_range)


def _latency(row: Latency) -> Iterator[Cell]:
    yield cells.count(row.count)
    yield cells.ms(row.mean)
    yield cells.ms(row.stdev)
    yield cells.ms(row.min)
    yield cells.ms(row.p50, row.p50_range)
    yield cells.ms(row.p95, row.p95_range)
    yield cells.ms(row.p99, row.p99_range)
    yield cells.ms(row.max)


def _counts(key: str, title: str, what: str, counts: Mapping[str, int]) -> Table:
    rows = tuple((cells.name(name), cells.count(number)) for name, number in counts.items())
    return Table(key, title, "", (what, "Errors"), rows)


def _fruitless(report: Report) -> Iterator[Table]:
    waste = report.fruitless_spend
    outcomes = dict(waste.by_outcome)
    if waste.truncated.requests:
        outcomes["cut off at the token limit"] = waste.truncated
    yield Table(
        "fruitless",
        "Spend that bought nothing",
        "What was paid for calls that failed or that nobody waited for. A dash: the source knows the number only.",
        ("What happened", "Calls", "Of unknown price", "Cost, USD"),
        tuple(
            (cells.name(what), cells.count(row.requests), cells.count(row.unpriced_requests), cells.money(row.cost))
            for what, row in outcomes.items()
        ),
    )
    yield Table(
        "fruitless-models",
        "Spend that bought nothing, by model",
        "",
        ("Model", "Cost, USD"),
        tuple((cells.name(model), cells.money(cost)) for model, cost in waste.by_model.items()),
    )
    yield Table(
        "cache-unread",
        "Caches written, never read",
        "Prompts written to a provider's cache from which this period never read.",
        ("Model", "Tokens written", "Tokens read"),
        tuple(
            (cells.name(model), cells.count(use.written), cells.count(use.read))
            for model, use in waste.cache_never_read.items()
        ),
    )


def _prices(report: Report) -> Table:
    return Table(
        "prices",
        "Effective prices",
        "What a million tokens, in and out, really cost of each model at each provider.",
        ("Model", "Provider", "Requests", "Tokens", "Cost, USD", "USD per M"),
        tuple(
            (
                cells.name(model),
                cells.name(provider),
                cells.count(price.requests),
                cells.count(price.tokens),
                cells.money(price.cost),
                cells.money(price.cost_per_million_tokens),
            )
            for model, providers in report.effective_prices.items()
            for provider, price in providers.items()
        ),
        frozenset({"Provider"}),
    )
