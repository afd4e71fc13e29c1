"""The report as JSON, in the contract's shape.

Decimals are written with the digits they have: the standard encoder would push them through a float first, and a
large total would lose its last ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, Final

from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.paper import Paper

TRENDS: Final = {"daily_trend": "date", "weekly_trend": "week_start", "monthly_trend": "month"}
OTHER_FORMATS: Final = ("daily_levels", "rows", "row_labels")  # what only they write
INDENT: Final = "  "


def render(report: Report, _paper: Paper) -> str:
    """One JSON object, ASCII only, with a newline at its end."""
    return _text(_shape(report))


def alone(section: Any) -> str:
    """A section of the report by itself, as the report has it."""
    return _text(_plain(section))


def _shape(report: Report) -> dict[str, Any]:
    shape: dict[str, Any] = _plain(report)
    for theirs in OTHER_FORMATS:
        del shape[theirs]
    for trend, step in TRENDS.items():
        shape[trend] = [{step: start, **usage} for start, usage in shape[trend].items()]
    shape["top_users"] = [{"user_id": user, **shape["user_stats"][user]} for user in report.top_users]
    return shape


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value


def _text(value: Any) -> str:
    return "".join(_written(value, "\n")) + "\n"


def _written(value: Any, newline: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _nested("{}", ((f"{json.dumps(key)}: ", one) for key, one in value.items()), newline)
    elif isinstance(value, list):
        yield from _nested("[]", (("", one) for one in value), newline)
    else:
        yield cells.exact(value) if isinstance(value, Decimal) else json.dumps(value)


def _nested(brackets: str, items: Iterator[tuple[str, Any]], newline: str) -> Iterator[str]:
    yield brackets[0]
    separator = ""
    for lead, one in items:
        yield f"{separator}{newline}{INDENT}{lead}"
        yield from _written(one, newline + INDENT)
        separator = ","
    yield f"{newline if separator else ''}{brackets[1]}"
