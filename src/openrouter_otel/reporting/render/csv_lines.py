"""Rows as lines of CSV that any reader takes, and that no spreadsheet takes for formulas.

Lines end in a newline only, unknown is empty. A text that starts like a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.paper import Paper

ENDING: Final = "\r\n"  # with only one of the two, some Pythons leave the other unquoted in a name
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def lines(rows: Iterable[Iterable[object]], paper: Paper) -> Iterator[str]:
    """A line for each row, as soon as it is there; on a terminal, what it might obey is spelled out."""
    written: list[str] = []
    writer = csv.writer(_Lines(written), lineterminator=ENDING)
    for row in rows:
        writer.writerow(row)
        line = written.pop()
        yield f"{cells.safe(line) if paper.terminal else line}\n"


def text(name: str) -> str:
    """Foreign text as a cell."""
    return f"'{name}" if name.startswith(FORMULA) else name


class _Lines:
    """What `csv` writes to: it gives one whole line at a time."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def write(self, line: str) -> None:
        self._written.append(line.removesuffix(ENDING))
