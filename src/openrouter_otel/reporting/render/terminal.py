"""The report for people at a terminal, drawn by rich.

Names are foreign text: they are never parsed as markup, and what a terminal might obey is spelled out instead.
Colours come only where the paper is a terminal, and NO_COLOR (which rich obeys) takes them away. They say how good or
bad a thing is, on words so few and so heavy that they can be read on a light ground too; nothing else has any.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells, page, sections
from openrouter_otel.reporting.render.columns import folded
from openrouter_otel.reporting.render.page import Kind
from openrouter_otel.reporting.render.paper import Paper

WIDEST: Final = 140
NARROW: Final = 100
ROWS: Final = 20  # of a table; other formats have them all
GOOD, DOUBTFUL, BAD = "bold green", "bold yellow", "bold red"
STYLES: Final = {"exact": GOOD, "lower_bound": DOUBTFUL, "incomplete": BAD}
GAP: Final = 2
NAME: Final = 64  # columns that a name is given at most: in two lines the longest label fits, wide characters aside
LEAST: Final = {Kind.NAME: 12, Kind.LIST: 20}


def render(report: Report, paper: Paper) -> str:
    """Tables no wider than the paper."""
    return _drawn(_parts(sections.page(report), min(paper.width, WIDEST)), paper)


def alone(content: Iterable[page.Section], paper: Paper) -> str:
    """Sections by themselves, as the report has them."""
    width = min(paper.width, WIDEST)
    return _drawn((part for one in content for part in _section(one, width)), paper).lstrip("\n")


def _drawn(parts: Iterable[RenderableType], paper: Paper) -> str:
    drawn = io.StringIO()
    width, terminal = min(paper.width, WIDEST), paper.terminal or None
    console = Console(file=drawn, width=width, force_terminal=terminal, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"


def _parts(whole: page.Page, width: int) -> Iterator[RenderableType]:
    yield Text.assemble(("OpenRouter usage  ", "bold"), (cells.verdict(whole.verdict), STYLES[whole.verdict]))
    yield Text(cells.safe(whole.statement))
    for line in whole.about:
        yield Text(_line(line))
    for section in whole.sections:
        yield from _section(section, width)
    for number, warning in enumerate(whole.warnings):
        yield Text.assemble("" if number else "\n", ("! ", DOUBTFUL), cells.safe(warning))


def _section(section: page.Section, width: int) -> Iterator[RenderableType]:
    yield Text(f"\n{_line(section.title)}", "bold")
    if section.table and section.table.rows:
        yield _table(section.table, width)
        if section.table.rows[ROWS:]:
            count = cells.count(len(section.table.rows))
            yield Text(f"The first {ROWS} of {count}; --format json has the rest.", "dim")
    if section.bars:
        yield Text(section.bars, overflow="fold")
    for line in section.lines:
        yield Text(_line(line))


def _table(content: page.Table, width: int) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False, header_style="dim")
    kept = [not (width < NARROW and column.spare) for column in content.columns]
    columns = list(compress(content.columns, kept))
    rows = [[_cell(cell) for cell in compress(row, kept)] for row in content.rows[:ROWS]]
    widths = _widths(columns, rows, width)
    for column, room in zip(columns, widths, strict=True):
        _column(drawn, column, room)
    above: list[Text] = []
    for number, row in enumerate(rows):
        shown = [
            Text() if column.grouped and above and cell.plain == above[place].plain else _fitted(cell, column, room)
            for place, (cell, column, room) in enumerate(zip(row, columns, widths, strict=True))
        ]
        drawn.add_row(*shown, style="bold" if number == content.strong else None)
        above = row
    return drawn


def _widths(columns: list[page.Column], rows: list[list[Text]], width: int) -> list[int]:
    """What each column wants, and less for the widest names where that is more than there is; a list has the rest."""
    wanted = [
        max(cell_len(column.heading), *(cell_len(row[place].plain) for row in rows))
        for place, column in enumerate(columns)
    ]
    lists = [place for place, column in enumerate(columns) if column.kind is Kind.LIST]
    names = [place for place, column in enumerate(columns) if column.kind is Kind.NAME]
    given = list(wanted)
    for place in lists:
        given[place] = min(wanted[place], LEAST[Kind.LIST])
    for place in names:
        given[place] = min(wanted[place], NAME)
    room = width - GAP * (len(columns) - 1)
    while names and sum(given) > room:
        widest = max(names, key=given.__getitem__)
        if given[widest] <= LEAST[Kind.NAME]:
            break
        given[widest] -= 1
    for place in lists:
        given[place] = min(wanted[place], given[place] + max(room - sum(given), 0))
    return given


def _column(drawn: Table, column: page.Column, room: int) -> None:
    if column.kind is Kind.NAME:
        drawn.add_column(column.heading, width=room, overflow="fold")
    elif column.kind is Kind.FIGURE:
        drawn.add_column(column.heading, justify="right", overflow="fold")  # a digit is never cut off
    else:
        drawn.add_column(column.heading, width=room, no_wrap=True, overflow="ellipsis")


def _fitted(cell: Text, column: page.Column, room: int) -> Text:
    return Text(folded(cell.plain, room), cell.style) if column.kind is Kind.NAME else cell


def _cell(cell: page.Cell) -> Text:
    if isinstance(cell, tuple):
        return Text(", ".join(cells.safe(name.text) for name in cell))
    if isinstance(cell, page.Alarm):
        return Text(cell.text, BAD if cell.urgent else DOUBTFUL)
    return Text(_word(cell))


def _line(line: page.Line) -> str:
    return "".join(map(_word, line))


def _word(word: str | page.Name) -> str:
    return word if isinstance(word, str) else cells.safe(word.text)
