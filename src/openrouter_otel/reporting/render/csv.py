"""The report's days as CSV: one line per day and who spent, for spreadsheets and scripts.

The lines are the contract's and nothing else, so that any reader takes them: the verdict, which heads every other
format, goes to standard error (`report.py`). Numbers have all their digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells, csv_lines
from openrouter_otel.reporting.render.paper import Paper

FIGURES: Final = ("requests", "input_tokens", "output_tokens", "cost", "avg_latency_ms", "errors")


def render(report: Report, paper: Paper) -> str:
    """A heading and the lines."""
    return "".join(csv_lines.lines(_rows(report), paper))


def _rows(report: Report) -> Iterator[Iterable[object]]:
    yield ("date", *map(csv_lines.text, report.row_labels), *FIGURES)
    for row in report.rows:
        yield (
            row.date,
            *map(csv_lines.text, row.group),
            row.requests,
            row.input_tokens,
            row.output_tokens,
            cells.exact(row.cost),
            row.avg_latency_ms,
            row.errors,
        )
