"""The bill of `openrouter-otel run` fits the terminal, whatever models are called."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_otel.reporting.render.columns import width
from openrouter_otel.running.bill import Bill, Line, told

LONG = "nousresearch/hermes-4-405b-instruct-extended-preview-for-everybody-in-the-world:free"


def bill(*models: str, unpriced: int = 0) -> Bill:
    """Ten calls of each."""
    lines = {model: Line(10, 12_345, Decimal(number), unpriced) for number, model in enumerate(models)}
    return Bill(Line(10 * len(lines), 12_345, Decimal(1), unpriced), lines)


@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize("unpriced", [0, 3])
def test_the_table_fits_and_stands_straight(columns: int, unpriced: int) -> None:
    _, head, *rows = told(bill(LONG, "漢字" * 50, "🚀/e\u0301", unpriced=unpriced), columns).splitlines()

    assert max(map(width, (head, *rows))) <= columns
    figures = [row for row in rows if "12,345" in row]
    assert len(figures) == 3
    assert {width(row.partition("12,345")[0]) for row in figures} == {width(head.partition("tokens")[0])}


def test_where_there_is_no_terminal_names_are_whole() -> None:
    assert LONG in told(bill(LONG))
    assert len(told(bill(LONG)).splitlines()) == 3


def test_a_program_without_calls_may_have_calls_that_nobody_saw() -> None:
    assert told(Bill(), 80) == "0 calls, $0; if there should be some, ask openrouter-otel doctor -- command ...\n"
    assert told(Bill(lost=2)) == "0 calls, $0, 2 calls not written down\n"
