"""The commands that read a journal, as the page quotes them in its sentences."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from charges import charged
from endpoint.programs import scrape
from fake_openrouter import FakeOpenRouter
from recipes.running import PATIENCE, Recipe
from recipes_page import PAGE, Command, command

Start = Callable[..., Recipe]


def quoted(subcommand: str) -> Command:
    """The one command of that name that can be run as it stands."""
    [line] = set(re.findall(rf"`(openrouter-otel {subcommand} --journal \S+)`", PAGE.read_text("utf-8")))
    return Command.parse(line)


def test_the_journal_of_a_script_is_reported_and_exported_to_the_digit(
    start: Start, openrouter: FakeOpenRouter, host: str, journal: Path
) -> None:
    start(command("Plain script")).output()
    cost = charged(openrouter)
    assert journal.exists()
    assert cost > 0

    report = json.loads(start(quoted("report")).output(), parse_float=Decimal)
    assert (report["verdict"], report["summary"]["period"]["total_cost"]) == ("exact", cost)

    exporter = start(quoted("exporter"), OTEL_EXPORTER_PROMETHEUS_HOST=host)
    samples = re.findall(r"^openrouter_cost_usd_total\{.*\} (\S+)$", scrape(where(exporter)).text, re.MULTILINE)
    assert sum(map(Decimal, samples)) == cost
    assert exporter.stop() == 0


def where(exporter: Recipe) -> str:
    """The address that it says it serves at."""
    deadline = time.monotonic() + PATIENCE
    while not (found := re.search(r"metrics are at (http://\S+/metrics)", exporter.log)):
        assert time.monotonic() < deadline, exporter.log
        time.sleep(0.1)
    return found[1]
