"""How quickly calls were answered: the sections of a page that show a spread instead of a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from openrouter_otel.reporting.latency import Latency, Range
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Cell, Column, Kind, Name, Section, Table

HEADS: Final = ("mean", "p50", "p95", "p95 within", "max")
Written = Callable[["float | None"], str]


def measures(report: Report) -> Iterator[Section]:
    """What was measured at all."""
    if report.latency_overall.count:
        rows = [_row("all models", report.latency_overall, cells.ms), *_rows(report.latency_stats, cells.ms)]
        yield _section("Latency in ms, calls that went well", "model", rows)
    if any(row.count for row in report.time_to_first_token_stats.values()):
        rows = list(_rows(report.time_to_first_token_stats, cells.ms))
        yield _section("Time to first token in ms, streams", "model", rows)


def _section(title: str, what: str, rows: list[tuple[Cell, ...]]) -> Section:
    columns = (Column(what, Kind.NAME), *(Column(head) for head in ("calls", *HEADS)))
    return Section((title,), Table(columns, tuple(rows)))


def _rows(measured: Mapping[str, Latency], written: Written) -> Iterator[tuple[Cell, ...]]:
    return (_row(Name(name), row, written) for name, row in measured.items() if row.count)


def _row(name: Cell, row: Latency, written: Written) -> tuple[Cell, ...]:
    figures = map(written, (row.mean, row.p50, row.p95))
    return (name, cells.count(row.count), *figures, _within(row.p95_range, written), written(row.max))


def _within(bracket: Range, written: Written) -> str:
    return f"{written(bracket[0])} to {written(bracket[1])}"
