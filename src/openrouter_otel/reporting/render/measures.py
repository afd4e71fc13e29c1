"""How quickly calls were answered: the sections of a page that show a spread instead of a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import compress
from typing import Final, TypeVar

from openrouter_otel.reporting.latency import NOWHERE, Latency, Range
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.rates import Rate
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Cell, Column, Kind, Name, Section, Table

DURATIONS: Final = ("calls", "mean", "p50", "p95", "p95 within", "max")
RATES: Final = ("streams", "mean", "p5", "median", "p95", "p5 within")  # the slow ones are the bad ones
EXACTLY: Final = "exactly"
Written = Callable[["float | None"], str]
Measure = TypeVar("Measure")


def measures(report: Report) -> Iterator[Section]:
    """What was measured at all."""
    models, providers = list(report.model_breakdown), list(report.provider_breakdown)
    durations, first_tokens = report.latency_stats, report.time_to_first_token_stats
    if report.latency_overall.count:
        overall = _duration("all models", report.latency_overall)
        rows = [overall, *_durations(_as_in(models, durations))]
        yield _section("Latency in ms, calls that went well", "model", DURATIONS, rows)
    by_provider = _as_in(providers, report.provider_latency_stats)
    yield from _measured("The same by provider", "provider", DURATIONS, _durations(by_provider))
    yield from _measured("Time to first token in ms", "model", DURATIONS, _durations(_as_in(models, first_tokens)))
    rates = _as_in(models, report.output_rate_stats)
    yield from _measured("Output tokens per second, streams", "model", RATES, _rates(rates))


def _as_in(order: list[str], measured: Mapping[str, Measure]) -> dict[str, Measure]:
    """The dearest first, as in the table of costs: a table that is not shown whole begins with what matters most."""
    known = {name: measured[name] for name in order if name in measured}
    return known | dict(measured)


def _measured(title: str, what: str, heads: tuple[str, ...], rows: Iterator[tuple[Cell, ...]]) -> Iterator[Section]:
    if found := list(rows):
        yield _section(title, what, heads, found)


def _section(title: str, what: str, heads: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> Section:
    """A table; brackets are left out where every quantile is known exactly."""
    columns = (Column(what, Kind.NAME), *(Column(head, spare=head == "calls") for head in heads))
    kept = [not all(row[place] == EXACTLY for row in rows) for place in range(len(columns))]
    return Section((title,), Table(tuple(compress(columns, kept)), tuple(tuple(compress(row, kept)) for row in rows)))


def _durations(measured: Mapping[str, Latency]) -> Iterator[tuple[Cell, ...]]:
    return (_duration(Name(name), row) for name, row in measured.items() if row.count)


def _duration(name: Cell, row: Latency) -> tuple[Cell, ...]:
    figures = map(cells.ms, (row.mean, row.p50, row.p95))
    return (name, cells.count(row.count), *figures, _within(row.p95_range, cells.ms), cells.ms(row.max))


def _rates(measured: Mapping[str, Rate]) -> Iterator[tuple[Cell, ...]]:
    for name, row in measured.items():
        if row.count:
            figures = map(cells.speed, (row.mean, row.p5, row.median, row.p95))
            yield (Name(name), cells.count(row.count), *figures, _within(row.p5_range, cells.speed))


def _within(bracket: Range, written: Written) -> str:
    lower, upper = bracket
    if bracket == NOWHERE:
        return cells.NOTHING
    return EXACTLY if lower == upper else f"{written(lower)} to {written(upper)}"
