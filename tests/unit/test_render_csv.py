"""The CSV is the contract's columns, which any reader takes back to the last digit and letter."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from full_report import full_report
from known_usage import Usage
from openrouter_otel.reporting.model import Row
from openrouter_otel.reporting.render import RENDERERS
from openrouter_otel.reporting.render.paper import Paper

HEADING = "date,model,user_id,requests,input_tokens,output_tokens,cost,avg_latency_ms,errors"
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def written(*rows: Row, labels: tuple[str, ...] = ("model", "user_id"), terminal: bool = False) -> str:
    report = replace(full_report(), rows=rows, row_labels=labels)
    return RENDERERS["csv"](report, Paper(terminal=terminal))


def row(*group: str, cost: str = "0.5", latency: float | None = 2000.0) -> Row:
    return Row("2026-11-23", group, 3, 400, 50, Decimal(cost), latency, 1)


def test_the_columns_are_the_contracts_and_nothing_stands_above_them() -> None:
    assert written(row("openai/gpt-5", "alice")).splitlines() == [
        HEADING,
        "2026-11-23,openai/gpt-5,alice,3,400,50,0.5,2000.0,1",
    ]


def test_without_usage_there_is_only_the_heading() -> None:
    empty = replace(Usage().report(), row_labels=("model", "user_id"))
    assert RENDERERS["csv"](empty, Paper()) == f"{HEADING}\n"


def test_lines_end_in_a_newline_only() -> None:
    text = written(row("a", "b"), row("c", "d"))
    assert text.count("\n") == 3
    assert text.endswith("\n")
    assert "\r" not in text


def test_money_has_every_digit_and_unknown_is_empty() -> None:
    text = written(row("m", "u", cost="123456789.012345678901", latency=None))
    assert text.splitlines()[1] == "2026-11-23,m,u,3,400,50,123456789.012345678901,,1"
    assert ",0.000000000001,2000.0," in written(row("m", "u", cost="0.000000000001"))


def test_a_group_takes_the_place_of_model_and_user() -> None:
    text = written(row("search"), labels=("tag.team",))
    assert text.splitlines()[0] == HEADING.replace("model,user_id", "tag.team")
    assert text.splitlines()[1] == "2026-11-23,search,3,400,50,0.5,2000.0,1"


def test_a_spreadsheet_never_takes_a_name_for_a_formula() -> None:
    for first in FORMULAS:
        heading, line = csv.reader(io.StringIO(written(row(f"{first}1+1"), labels=(f"{first}1",)), newline=""))
        assert (heading[1], line[1]) == (f"'{first}1", f"'{first}1+1")
    assert ",a=b," in written(row("a=b"))


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.tuples(st.text(), st.text(), st.decimals(0, 10**9, places=12)), max_size=4))
@example([('a,"b"\r\n', "\r", Decimal(0)), ("\n", "\x00'", Decimal("1e-12"))])
def test_any_name_and_amount_reads_back(lines: list[tuple[str, str, Decimal]]) -> None:
    text = written(*(row(model, user, cost=f"{cost:f}") for model, user, cost in lines))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == HEADING.split(",")
    for cells, (model, user, cost) in zip(read[1:], lines, strict=True):
        assert len(cells) == 9
        assert cells[1:3] == [f"'{name}" if name.startswith(FORMULAS) else name for name in (model, user)]
        assert Decimal(cells[6]) == cost


def test_a_terminal_is_given_no_orders() -> None:
    hostile = row("\x1b]0;owned\x07", "\u202e\n")
    assert "\x1b" in written(hostile)
    assert written(hostile, terminal=True).splitlines()[1].startswith(r"2026-11-23,\x1b]0;owned\x07,")
    assert written(hostile, terminal=True).isascii()
