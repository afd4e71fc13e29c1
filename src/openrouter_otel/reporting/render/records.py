"""A journal's rows as text, line by line while they are read: CSV, or one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from openrouter_otel.reporting.render import cells, csv_lines
from openrouter_otel.reporting.render.paper import Paper

Rows = Iterable[Mapping[str, Any]]


def _csv(columns: Iterable[str], rows: Rows, paper: Paper) -> Iterator[str]:
    """A heading and the lines."""
    return csv_lines.lines(chain([columns], (map(_cell, row.values()) for row in rows)), paper)


def _json_lines(_columns: Iterable[str], rows: Rows, _paper: Paper) -> Iterator[str]:
    for row in rows:
        yield f"{{{', '.join(f'{json.dumps(name)}: {_value(value)}' for name, value in row.items())}}}\n"


def _cell(value: Any) -> object:
    if isinstance(value, str):
        return csv_lines.text(value)
    return value if value is None or type(value) in (int, float) else _value(value)


def _value(value: Any) -> str:
    """As JSON, money with every digit."""
    return cells.exact(value) if isinstance(value, Decimal) else json.dumps(value)


ROWS: Final[dict[str, Callable[[Iterable[str], Rows, Paper], Iterator[str]]]] = {"csv": _csv, "json": _json_lines}
