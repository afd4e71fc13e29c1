"""What a report for people consists of, before anybody decides how it looks.

`sections.py` fills it, each format writes it. Foreign text is a `Name` wherever it stands, so that no writer can take
it for its own words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

SPARE: Final = ("tokens", "per call", "reasoning", "mean ms")  # figures that a narrow paper goes without


@dataclass(frozen=True)
class Name:
    """Text that somebody else chose; a writer makes it harmless in its own way."""

    text: str


@dataclass(frozen=True)
class Alarm:
    """A word of ours that a reader shall not overlook.

    Attributes:
        urgent: it is too late already.
    """

    text: str
    urgent: bool


Line = tuple["str | Name", ...]  # of one sentence or heading
Cell = str | Name | Alarm | tuple[Name, ...]


class Kind(Enum):
    """How a column is set."""

    NAME = "name"
    FIGURE = "figure"  # never cut off
    LIST = "list"  # as much as there is room for


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        spare: what a narrow paper goes without.
        grouped: what is the same as in the row above need not be said again.
    """

    heading: str
    kind: Kind = Kind.FIGURE
    spare: bool = False
    grouped: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells below their columns, the weightiest row first.

    Attributes:
        strong: the row that matters most, where there is one.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    strong: int | None = None

    @classmethod
    def of(cls, heads: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> Table:
        """A table of names and their figures."""
        return cls(headed(*heads), tuple(rows))


@dataclass(frozen=True)
class Section:
    """A heading and what is below it.

    Attributes:
        bars: a line of bars.
        lines: sentences below table and bars.
    """

    title: Line
    table: Table | None = None
    bars: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Page:
    """The whole report.

    Attributes:
        verdict: ``exact``, ``lower_bound`` or ``incomplete``.
        statement: what it means, in one sentence.
        about: period, source and filters.
        warnings: one sentence each.
    """

    verdict: str
    statement: str
    about: tuple[Line, ...]
    sections: tuple[Section, ...]
    warnings: tuple[str, ...]


def headed(what: str, *figures: str) -> tuple[Column, ...]:
    """Columns of a name and its figures."""
    return (Column(what, Kind.NAME), *(Column(figure, spare=figure in SPARE) for figure in figures))


def listed(pairs: Iterable[tuple[str, str]]) -> Line:
    """Words and names in turn, commas between."""
    line: list[str | Name] = []
    for words, name in pairs:
        line += [f", {words}" if line else words, Name(name)]
    return tuple(line)
