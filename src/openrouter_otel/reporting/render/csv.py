"""The report's days as CSV: one line per day and who spent, for spreadsheets and scripts.

The lines are the contract's and nothing else, so that any reader takes them: the verdict, which heads every other
format, goes to standard error (`report.py`). Lines end in a newline only, numbers have all their digits, unknown is
empty. A spreadsheet takes a text that starts like a formula for one: it gets an apostrophe in front.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.paper import Paper

FIGURES: Final = ("requests", "input_tokens", "output_tokens", "cost", "avg_latency_ms", "errors")
ENDING: Final = "\r\n"  # with only one of the two, some Pythons leave the other unquoted in a name
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report, paper: Paper) -> str:
    """A heading and the lines; on a terminal, what it might obey is spelled out."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator=ENDING)
    writer.writerow(("date", *map(_text, report.row_labels), *FIGURES))
    writer.writerows(_rows(report))
    return "".join(f"{cells.safe(line) if paper.terminal else line}\n" for line in lines)


class _Lines(list[str]):
    """What `csv` writes to: it gives one whole line at a time."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix(ENDING))


def _rows(report: Report) -> Iterator[Iterable[object]]:
    for row in report.rows:
        yield (
            row.date,
            *map(_text, row.group),
            row.requests,
            row.input_tokens,
            row.output_tokens,
            cells.exact(row.cost),
            row.avg_latency_ms,
            row.errors,
        )


def _text(name: str) -> str:
    return f"'{name}" if name.startswith(FORMULA) else name
