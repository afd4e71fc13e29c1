"""Recipes that run to their end: what the journal has, and what `usage` told, is what was charged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from charges import charged
from endpoint.programs import scrape
from fake_openrouter import FakeOpenRouter
from journal.reading import assert_sums_are_those_of_the_rows, records, spent
from recipes.running import Recipe, free_port
from recipes_page import Command, command

Start = Callable[..., Recipe]


@pytest.mark.parametrize(("heading", "calls"), [("Plain script", 1), ("LangChain", 2), ("OpenAI Agents SDK", 2)])
def test_a_script_tells_what_it_cost_and_its_journal_says_the_same(
    heading: str, calls: int, start: Start, openrouter: FakeOpenRouter, journal: Path
) -> None:
    printed = start(command(heading)).output()

    rows = records(journal)
    last = printed.splitlines()[-1]
    found = re.fullmatch(rf"{calls} calls?, (?:(\d+) tokens out, )?\$(\S+)", last)
    assert found, printed
    assert Decimal(found[2]) == spent(journal) == charged(openrouter) > 0
    assert found[1] in (None, str(openrouter.book.totals().told.output))
    assert [row["stream"] for row in rows] == [0, 1][:calls]  # a stream's usage is told unasked
    assert {row["user_id"] for row in rows} == {"alice"}
    assert {row["requested_model"] or row["model"] for row in rows} == {"openai/gpt-5-mini"}
    assert_sums_are_those_of_the_rows(journal)


def test_a_notebook_in_a_kernel_tells_what_its_cells_cost(
    start: Start, openrouter: FakeOpenRouter, journal: Path, folder: Path
) -> None:
    start(Command({}, ["jupyter", "execute", "notebook.ipynb", "--inplace"])).output()

    cells = json.loads((folder / "notebook.ipynb").read_text("utf-8"))["cells"]
    [shown] = cells[-1]["outputs"]
    cost = "".join(shown["data"]["text/plain"])
    assert cost == f"Decimal('{spent(journal)}')"
    assert spent(journal) == charged(openrouter) > 0
    assert [row["session_id"] for row in records(journal)] == ["exploring"]


def test_a_meter_provider_of_ones_own_shows_both_sides_metrics(start: Start, openrouter: FakeOpenRouter) -> None:
    port = free_port()
    recipe = start(command("Your own MeterProvider"), METRICS_PORT=str(port))
    assert recipe.line().startswith("/metrics has both")

    shown = scrape(f"http://127.0.0.1:{port}/metrics")
    assert shown.total("openrouter_cost_usd_total", service_name="shop") == charged(openrouter) > 0
    assert [sample.value for sample in shown.families["shop_orders"].samples] == [1]
    recipe.output("\n")
    assert recipe.log == ""  # nobody was warned of anything
