"""Sections as plain text, for a terminal where rich is not installed. Foreign text in them is made harmless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.columns import padded, width
from openrouter_otel.reporting.render.page import Alarm, Cell, Kind, Line, Name, Section, Table


def alone(sections: Iterable[Section]) -> str:
    """Headings, aligned columns and sentences, an empty line between sections."""
    return "\n\n".join("\n".join(_section(section)) for section in sections) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield _line(section.title)
    if section.table and section.table.rows:
        yield from _table(section.table)
    if section.bars:
        yield section.bars
    yield from map(_line, section.lines)


def _table(table: Table) -> Iterator[str]:
    rows = [[column.heading for column in table.columns], *(list(map(_cell, row)) for row in table.rows)]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        placed = (
            cell.rjust(room) if column.kind is Kind.FIGURE else padded(cell, room)
            for cell, room, column in zip(row, widths, table.columns, strict=True)
        )
        yield "  ".join(placed).rstrip()


def _cell(cell: Cell) -> str:
    if isinstance(cell, tuple):
        return ", ".join(map(_word, cell))
    return _word(cell.text if isinstance(cell, Alarm) else cell)


def _line(line: Line) -> str:
    return "".join(map(_word, line))


def _word(word: str | Name) -> str:
    return word if isinstance(word, str) else cells.safe(word.text)
