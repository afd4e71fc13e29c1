"""Report -> page: which sections people read, in which order and in which words.

First whether to believe it, then what was spent, by whom and on what, then how quickly and what failed. A section
without anything to say is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from openrouter_otel.reporting.model import Breakdown, Report, Spend
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.measures import measures
from openrouter_otel.reporting.render.page import Cell, Column, Kind, Line, Name, Page, Section, Table

INTERVALS: Final = {
    "last_24h": "last 24 hours",
    "last_7d": "last 7 days",
    "last_30d": "last 30 days",
    "period": "this period",
    "all_time": "all time",
}
COMPARED: Final = {
    "total_cost": "cost",
    "total_requests": "requests",
    "total_tokens": "tokens",
    "total_errors": "errors",
}
FEW: Final = 10  # weeks; a longer period is shown by month
SPARE: Final = ("tokens", "per call", "reasoning")
NAMED: Final = 3  # models in a sentence


def page(report: Report) -> Page:
    """Everything that is worth a person's while."""
    return Page(
        verdict=report.verdict,
        statement=report.statement,
        about=tuple(_about(report)),
        sections=tuple(_sections(report)),
        warnings=report.accounting.warnings,
    )


def _about(report: Report) -> Iterator[Line]:
    yield (f"{_ends(report.period)} {report.timezone}",)
    yield (Name(str(report.source["url"])),)
    asked = {what: value for what, value in report.filters.items() if value is not None and what != "label"}
    asked |= report.filters.get("label") or {}
    if asked:
        yield ("Only calls with ", *_listed((f"{what} ", value) for what, value in asked.items()))


def _sections(report: Report) -> Iterator[Section]:
    yield _summary(report)
    if report.user_stats:
        yield _days(report)
        yield from _steps(report)
        yield _spend("Models", "model", report.model_breakdown)
        yield _tokens(report)
        yield from _prices(report)
        yield _spend("Providers", "provider", report.provider_breakdown)
    if report.group_by:
        yield _spend(("By ", Name(report.group_by.label)), "value", report.group_by.rows)
    if report.user_stats:
        yield _users(report)
    yield from _fruitless(report)
    yield from measures(report)
    if report.errors.by_type:
        yield _counts("Errors by type", "type", report.errors.by_type)
        yield _counts("Errors by model asked for", "model", report.errors.by_model)


def _summary(report: Report) -> Section:
    rows = [
        (
            label,
            cells.count(row.total_requests),
            cells.count(row.input_tokens),
            cells.count(row.output_tokens),
            cells.money(row.total_cost),
            cells.failed(row.total_errors, row.error_rate),
            cells.ms(row.avg_latency_ms),
        )
        for label, row in ((label, report.summary[name]) for name, label in INTERVALS.items())
    ]
    heads = ("", "requests", "tokens in", "out", "cost USD", "errors", "mean ms")
    table = Table(_columns(*heads), tuple(rows), strong=list(INTERVALS).index("period"))
    told = (*_comparison(report), *_projection(report), _books(report))
    return Section(("Summary",), table, lines=told if report.data_since else ())


def _comparison(report: Report) -> Iterator[Line]:
    if before := report.comparison:
        changes = (
            f"{word} {cells.change(before.change[key])}" for key, word in COMPARED.items() if key in before.change
        )
        yield (f"Against {_ends(before.period)}: {', '.join(changes)}.",)


def _projection(report: Report) -> Iterator[Line]:
    month = report.projection
    known = f"about {cells.cents(month.projected)} USD" if month.projected is not None else "unknown"
    yield (f"{month.month} so far {cells.money(month.spent)} USD, by its end {known}. {month.method}".strip(),)


def _books(report: Report) -> Line:
    books = report.accounting
    charged = f"Charged by OpenRouter {cells.money(books.charged_cost)}"
    others = f"billed by providers {cells.money(books.byok_cost)} + estimated {cells.money(books.estimated_cost)} USD"
    return (f"{charged} + {others}; {cells.count(books.unpriced_requests)} calls of unknown price.",)


def _days(report: Report) -> Section:
    days = list(report.daily_trend)
    day, most = max(report.daily_trend.items(), key=lambda one: one[1].cost)
    dearest = f", the dearest {day} with {cells.money(most.cost)} USD" if most.cost else ""
    return Section(
        ("Cost per day",), bars=cells.bars(report.daily_levels), lines=((f"{days[0]} to {days[-1]}{dearest}.",),)
    )


def _spend(title: str | Line, what: str, rows: Mapping[str, Breakdown]) -> Section:
    heads = ("requests", "cost USD", "share", "per call", "errors", "mean ms")
    table = _table(
        (what, *heads),
        (
            (
                Name(name),
                cells.count(row.requests),
                cells.money(row.cost),
                cells.share(row.share),
                cells.each(row.cost_per_request),
                cells.failed(row.errors, row.error_rate),
                cells.ms(row.avg_latency_ms),
            )
            for name, row in rows.items()
        ),
    )
    return Section((title,) if isinstance(title, str) else title, table)


def _tokens(report: Report) -> Section:
    table = _table(
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
        figures = _columns("model", "requests", "cost USD", "USD per M")
        columns = (figures[0], Column("provider", Kind.NAME), *figures[1:])
        yield Section(("Prices where a model has several providers",), Table(columns, tuple(rows)))


def _users(report: Report) -> Section:
    users = {user: report.user_stats[user] for user in report.top_users}
    columns = (*_columns("user", "requests", "tokens", "cost USD", "share", "errors"), Column("models", Kind.LIST))
    rows = tuple(
        (
            Name(user),
            cells.count(row.requests),
            cells.count(row.tokens),
            cells.money(row.cost),
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


def _fruitless(report: Report) -> Iterator[Section]:
    lost = report.fruitless_spend
    outcomes: list[tuple[Cell, Spend]] = [(Name(outcome), spend) for outcome, spend in lost.by_outcome.items()]
    outcomes.append(("cut off at the token limit", lost.truncated))
    rows = [
        (
            outcome,
            cells.count(spend.requests),
            cells.money_if_known(spend.cost),
            cells.count(spend.unpriced_requests),
        )
        for outcome, spend in outcomes
        if spend.requests
    ]
    lines = list(_lost(report))
    if rows or lines:
        yield Section(
            ("Spend that bought nothing",),
            _table(("outcome", "calls", "cost USD", "of unknown price"), rows),
            lines=tuple(lines),
        )


def _lost(report: Report) -> Iterator[Line]:
    lost = report.fruitless_spend
    if lost.cost:
        models = list(lost.by_model.items())
        named = _listed((f"{cells.money(cost)} USD on ", model) for model, cost in models[:NAMED])
        of_all = "" if lost.share is None else f" ({cells.share(lost.share)} of the period's cost)"
        end = " and more on others." if models[NAMED:] else "."
        yield (f"{cells.money(lost.cost)} USD{of_all} went to calls that failed or were given up: ", *named, end)
    for model, use in lost.cache_never_read.items():
        yield (Name(model), f": {cells.count(use.written)} tokens were written to its cache and none was ever read.")


def _counts(title: str, what: str, counts: Mapping[str, int]) -> Section:
    return Section(
        (title,), _table((what, "errors"), ((Name(name), cells.count(count)) for name, count in counts.items()))
    )


def _steps(report: Report) -> Iterator[Section]:
    by_week = len(report.weekly_trend) <= FEW
    steps = report.weekly_trend if by_week else report.monthly_trend
    if len(steps) > 1:
        rows = (
            (step, cells.count(use.requests), cells.count(use.tokens), cells.money(use.cost), cells.count(use.errors))
            for step, use in steps.items()
        )
        heads = ("week of" if by_week else "month", "requests", "tokens", "cost USD", "errors")
        yield Section(("By week" if by_week else "By month",), _table(heads, rows))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> Table:
    return Table(_columns(*heads), tuple(rows))


def _columns(what: str, *figures: str) -> tuple[Column, ...]:
    return (Column(what, Kind.NAME), *(Column(figure, spare=figure in SPARE) for figure in figures))


def _listed(pairs: Iterable[tuple[str, str]]) -> Line:
    """Words and names in turn, commas between."""
    line: list[str | Name] = []
    for words, name in pairs:
        line += [f", {words}" if line else words, Name(name)]
    return tuple(line)


def _ends(period: Mapping[str, str]) -> str:
    return f"{cells.moment(period['since'])} to {cells.moment(period['until'])}"
