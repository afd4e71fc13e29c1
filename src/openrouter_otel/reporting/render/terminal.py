"""The report for people at a terminal, drawn by rich.

Names are foreign text: they are never parsed as markup, and what a terminal might obey is spelled out instead.
Colours come only where the paper is a terminal, and NO_COLOR (which rich obeys) takes them away.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells, page, sections
from openrouter_otel.reporting.render.page import Kind
from openrouter_otel.reporting.render.paper import Paper

WIDEST: Final = 140
NARROW: Final = 100
ROWS: Final = 20  # of a table; other formats have them all
STYLES: Final = {"exact": "bold green", "lower_bound": "bold yellow", "incomplete": "bold red"}


def render(report: Report, paper: Paper) -> str:
    """Tables no wider than the paper."""
    return _drawn(_parts(sections.page(report), paper.width < NARROW), paper)


def alone(content: Iterable[page.Section], paper: Paper) -> str:
    """Sections by themselves, as the report has them."""
    return _drawn((part for one in content for part in _section(one, paper.width < NARROW)), paper).lstrip("\n")


def _drawn(parts: Iterable[RenderableType], paper: Paper) -> str:
    drawn = io.StringIO()
    width, terminal = min(paper.width, WIDEST), paper.terminal or None
    console = Console(file=drawn, width=width, force_terminal=terminal, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"


def _parts(whole: page.Page, narrow: bool) -> Iterator[RenderableType]:
    yield Text.assemble(("OpenRouter usage  ", "bold"), (cells.verdict(whole.verdict), STYLES[whole.verdict]))
    yield Text(cells.safe(whole.statement))
    for line in whole.about:
        yield Text(_line(line))
    for section in whole.sections:
        yield from _section(section, narrow)
    for number, warning in enumerate(whole.warnings):
        yield Text(f"{'' if number else chr(10)}! {cells.safe(warning)}", "yellow")


def _section(section: page.Section, narrow: bool) -> Iterator[RenderableType]:
    yield Text(f"\n{_line(section.title)}", "bold cyan")
    if section.table and section.table.rows:
        yield _table(section.table, narrow)
        if section.table.rows[ROWS:]:
            yield Text(f"the first {ROWS} of {len(section.table.rows)}; --format json has the rest", "dim italic")
    if section.bars:
        yield Text(section.bars, "cyan", overflow="fold")
    for line in section.lines:
        yield Text(_line(line))


def _table(content: page.Table, narrow: bool) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False, header_style="dim")
    kept = [not (narrow and column.spare) for column in content.columns]
    for column in compress(content.columns, kept):
        _column(drawn, column)
    for number, row in enumerate(content.rows[:ROWS]):
        drawn.add_row(*map(_cell, compress(row, kept)), style="bold" if number == content.strong else None)
    return drawn


def _column(drawn: Table, column: page.Column) -> None:
    if column.kind is Kind.NAME:
        drawn.add_column(column.heading, overflow="fold", min_width=12)
    elif column.kind is Kind.FIGURE:
        drawn.add_column(column.heading, justify="right", overflow="fold")  # a digit is never cut off
    else:
        for other in drawn.columns[1:]:
            other.no_wrap = True
        drawn.add_column(column.heading, no_wrap=True, overflow="ellipsis", ratio=1)  # what is left of the line
        drawn.expand = True


def _cell(cell: page.Cell) -> Text:
    if isinstance(cell, tuple):
        return Text(", ".join(cells.safe(name.text) for name in cell))
    return Text(_word(cell))


def _line(line: page.Line) -> str:
    return "".join(map(_word, line))


def _word(word: str | page.Name) -> str:
    return word if isinstance(word, str) else cells.safe(word.text)
