"""What a table of the page is."""

from __future__ import annotations

from dataclasses import dataclass

from openrouter_otel.reporting.render.html.cells import Cell


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        key: its fragment in the address.
        title: what it is.
        note: one sentence on how to read it.
        columns: the head; the first is the row's name.
        rows: as many cells each as there are columns.
        words: columns, besides the first, that hold words: they stand on the left and sort as text.
    """

    key: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: frozenset[str] = frozenset()
