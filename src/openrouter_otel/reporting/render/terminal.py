"""The report for people at a terminal: first whether to believe it, then what it cost.

Names are foreign text: they are never parsed as markup, and what a terminal might obey is spelled out instead.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from openrouter_otel.reporting.model import Breakdown, Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.paper import Paper

WIDEST: Final = 140
ROWS: Final = 20  # of a table of names; JSON has them all
BARS: Final = "·▁▂▃▄▅▆▇█"
VERDICTS: Final = {
    "exact": ("EXACT", "bold green"),
    "lower_bound": ("LOWER BOUND", "bold yellow"),
    "incomplete": ("INCOMPLETE", "bold red"),
}
INTERVALS: Final = {
    "last_24h": "last 24 hours",
    "last_7d": "last 7 days",
    "last_30d": "last 30 days",
    "period": "this period",
    "all_time": "all time",
}


def render(report: Report, paper: Paper) -> str:
    """Tables no wider than the paper."""
    page = io.StringIO()
    width, terminal = min(paper.width, WIDEST), paper.terminal or None
    console = Console(file=page, width=width, force_terminal=terminal, highlight=False, markup=False, emoji=False)
    for part in _parts(report):
        console.print(part)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"


def _parts(report: Report) -> Iterator[RenderableType]:
    yield from _head(report)
    yield _summary(report)
    if report.user_stats:
        yield _breakdown("Models", report.model_breakdown)
        yield _breakdown("Providers", report.provider_breakdown)
        yield _users(report)
        yield _latencies(report)
    if report.errors.by_type:
        yield _counts("Errors by type", report.errors.by_type)
        yield _counts("Errors by model asked for", report.errors.by_model)
    yield from _days(report)
    yield from _foot(report)


def _head(report: Report) -> Iterator[RenderableType]:
    word, style = VERDICTS[report.verdict]
    yield Text.assemble(("OpenRouter usage  ", "bold"), (word, style))
    yield Text(cells.safe(report.statement))
    since, until = (cells.moment(report.period[end]) for end in ("since", "until"))
    yield Text(f"{since} to {until} {report.timezone}", "dim")
    yield Text(cells.safe(str(report.source["url"])), "dim")


def _summary(report: Report) -> Table:
    table = _table("Summary", "", "requests", "tokens in", "out", "cost USD", "errors", "mean ms")
    for name, label in INTERVALS.items():
        row = report.summary[name]
        table.add_row(
            label,
            cells.count(row.total_requests),
            cells.count(row.input_tokens),
            cells.count(row.output_tokens),
            cells.money(row.total_cost),
            cells.failed(row.total_errors, row.error_rate),
            cells.ms(row.avg_latency_ms),
            style="bold" if name == "period" else None,
        )
    return table


def _breakdown(title: str, rows: Mapping[str, Breakdown]) -> Table:
    table = _table(title, "", "requests", "tokens", "cost USD", "per M", "errors", "mean ms")
    for name, row in _first(rows, table):
        table.add_row(
            name,
            cells.count(row.requests),
            cells.count(row.tokens),
            cells.money(row.cost),
            cells.price(row.cost_per_million_tokens),
            cells.failed(row.errors, row.error_rate),
            cells.ms(row.avg_latency_ms),
        )
    return table


def _users(report: Report) -> Table:
    table = _table("Users", "", "requests", "tokens", "cost USD")
    for column in table.columns[1:]:
        column.no_wrap = True
    table.add_column("models", no_wrap=True, overflow="ellipsis", ratio=1)  # what is left of the line
    table.expand = True
    for user, row in _first({user: report.user_stats[user] for user in report.top_users}, table):
        models = cells.safe(", ".join(row.models_used))
        table.add_row(user, cells.count(row.requests), cells.count(row.tokens), cells.money(row.cost), models)
    return table


def _latencies(report: Report) -> Table:
    table = _table("Latency in ms, calls that went well", "", "calls", "mean", "p50", "p95", "p95 within", "max")
    for name, row in _first({"all models": report.latency_overall, **report.latency_stats}, table):
        lower, upper = row.p95_range
        within = f"{cells.ms(lower)} to {cells.ms(upper)}" if row.count else cells.NOTHING
        table.add_row(
            name,
            cells.count(row.count),
            cells.ms(row.mean),
            cells.ms(row.p50),
            cells.ms(row.p95),
            within,
            cells.ms(row.max),
        )
    return table


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = _table(title, "", "errors")
    for name, count in _first(counts, table):
        table.add_row(name, cells.count(count))
    return table


def _days(report: Report) -> Iterator[RenderableType]:
    days = list(report.daily_trend)
    yield Text("\nCost per day", "bold")
    yield Text("".join(BARS[level] for level in report.daily_levels), "cyan", overflow="fold")
    yield Text(f"{days[0]} to {days[-1]}", "dim")


def _foot(report: Report) -> Iterator[RenderableType]:
    books = report.accounting
    yield Text(
        f"\ncharged by OpenRouter {cells.money(books.charged_cost)}"
        f" + billed by providers {cells.money(books.byok_cost)}"
        f" + estimated {cells.money(books.estimated_cost)} USD"
        f"; {cells.count(books.unpriced_requests)} calls of unknown price",
        "dim",
    )
    for warning in books.warnings:
        yield Text(f"! {cells.safe(warning)}", "yellow")


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        show_edge=False,
    )
    table.add_column(columns[0], overflow="fold", min_width=12)
    for column in columns[1:]:
        table.add_column(column, justify="right", overflow="fold")  # a digit is never cut off
    return table


T = TypeVar("T")


def _first(rows: Mapping[str, T], table: Table) -> Iterator[tuple[Text, T]]:
    """The rows that fit, each with its name as harmless text."""
    for name in list(rows)[:ROWS]:
        yield Text(cells.safe(name)), rows[name]
    if list(rows)[ROWS:]:
        table.caption = "the rest is in --format json"
