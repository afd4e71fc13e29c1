"""Programs that are killed, a disk that is full, an exporter that comes and goes, a journal that is pruned: the journal
has every call that was written, at its price, what is missing is known, and Prometheus' report is the journal's."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chaos.troupe import Life, Troupe
from chaos.worker import DAY
from exporter.conftest import Stage, host, journal, stage
from fake_openrouter import FakeOpenRouter
from journal.reading import ask, records
from waiting import until

__all__ = ["host", "journal", "stage"]

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
UNWRITTEN = 1.0  # seconds of calls that a SIGKILL may cost
KILLS = 8  # before and after the disk is full
TOTALS = (
    "total_requests",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "total_cost",
    "total_errors",
    "abandoned_requests",
    "unpriced_requests",
)
MISSING = re.compile(r"([\d,]+) calls? of this process missing from the journal")


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server that forks the programs imports them once, for all: without our path it says nothing and does not."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@pytest.fixture
def openrouter() -> Any:
    """One of our own: its book has this test's calls only."""
    with FakeOpenRouter() as server:
        yield server


def test_nothing_is_lost_that_was_written_and_what_is_lost_is_known(
    openrouter: FakeOpenRouter, stage: Stage, journal: Path
) -> None:
    print(f"CHAOS_SEED={SEED}")
    dice = random.Random(SEED)
    with ExitStack() as exporters, Troupe(openrouter.base_url, str(journal), dice) as troupe:
        old = troupe.start(back=3 * DAY)
        until(lambda: len(old.ended) >= 50)
        assert old.end() == 0
        exporter = exporters.enter_context(stage.exporter())

        kill_some(troupe, dice)
        exporter.process.kill()
        exporter.process.wait()
        exporter = exporters.enter_context(stage.exporter())

        troupe.fill()
        unlucky = fill_the_disk(troupe)
        await_written(troupe, journal)

        kill_some(troupe, dice)
        assert exporter.end() == 0
        exporter = exporters.enter_context(stage.exporter())
        troupe.fill()
        endings = ("end", "raise", "end", "raise", "end", "raise")
        assert [life.end(how) for life, how in zip(troupe.on_stage, endings, strict=False)] == [0, 1, 0, 1, 0, 1]
        interrupted = troupe.on_stage
        assert [life.terminate() for life in interrupted] == [0, 0]

        openrouter.book.settle()
        until(lambda: not ask(journal, f"SELECT 1 FROM calls WHERE ended_at < {(time.time() - DAY) * 1000:.0f}"))
        assert_every_row_is_a_charge(openrouter, interrupted, journal)
        assert_losses_are_known(troupe, unlucky, old, journal)
        assert_prometheus_reports_the_same(stage, journal)


def kill_some(troupe: Troupe, dice: random.Random) -> None:
    """Send a SIGKILL to one after the other, at any moment, and replace it."""
    for _ in range(KILLS):
        troupe.fill()
        time.sleep(dice.uniform(0, 0.5))  # what chance is made of here, nothing is waited for
        dice.choice(troupe.on_stage).kill()


def fill_the_disk(troupe: Troupe) -> Life:
    """Until each program has noticed; one ends meanwhile and cannot write what it has."""
    unlucky = troupe.on_stage[0]
    with troupe.without_room():
        before = {id(life): len(life.ended) for life in troupe.on_stage}
        until(lambda: all(any("which fails" in line for line in life.said) for life in troupe.on_stage))
        until(lambda: all(len(life.ended) > before[id(life)] + 20 for life in troupe.on_stage))
        assert unlucky.end() == 0
    return unlucky


def await_written(troupe: Troupe, journal: Path) -> None:
    """Until those that lived on have written all that had waited."""
    waiting = {life.ended[-1].name for life in troupe.on_stage}
    until(lambda: waiting <= {row["session_id"] for row in ask(journal, "SELECT session_id FROM calls")})


def assert_every_row_is_a_charge(openrouter: FakeOpenRouter, interrupted: list[Life], journal: Path) -> None:
    """Once, and to the digit; of a stream that a SIGTERM has cut off before its price came, that is unknown."""
    book = {entry.id: entry.told for entry in openrouter.book.entries}
    rows = records(journal)
    assert len(rows) > 1000
    assert len({row["session_id"] for row in rows}) == len(rows)
    charged = [row for row in rows if row["generation_id"] in book]
    assert len({row["generation_id"] for row in charged}) == len(charged)
    cut_off = [row for row in rows if row["outcome"] == "cancelled"]
    calling = [life.name for life in interrupted]
    for row in cut_off:
        calling.remove(row["session_id"].partition("/")[0])  # each was in one call at most
    for row in charged:
        told = book[row["generation_id"]]
        assert Decimal(row["cost"] or 0) == told.charge + told.bill or (row["cost"] is None and row in cut_off), row
    assert all(row["cost"] is None for row in rows if row["generation_id"] not in book)


def assert_losses_are_known(troupe: Troupe, unlucky: Life, old: Life, journal: Path) -> None:
    """Whoever ended in order has lost nothing or said how much, and a SIGKILL cost its last second at most."""
    written = {row["session_id"] for row in ask(journal, "SELECT session_id FROM calls")}
    for life in troupe.lives:
        if life is old:
            continue
        missing = [call for call in life.ended if call.name not in written]
        if life.killed_at is not None:
            assert all(call.at > life.killed_at - UNWRITTEN for call in missing), (life.killed_at, missing)
        else:
            said = [found for line in life.said if (found := MISSING.search(line))]
            assert len(missing) == sum(int(found[1].replace(",", "")) for found in said)
            assert bool(missing) is (life is unlucky)
    [sums] = ask(journal, "SELECT sum(requests) AS requests FROM totals")
    assert sums["requests"] == len(written) + len(old.ended)  # the pruned are in the sums


def assert_prometheus_reports_the_same(stage: Stage, journal: Path) -> None:
    """Every total, by model and by user, to the digit; one set of series, which never fell."""
    [sums] = ask(journal, "SELECT sum(requests) AS requests FROM totals")
    stage.await_scrape(sums["requests"])
    ours, theirs = (report(*source) for source in (("--journal", str(journal)), ("--prometheus", stage.url)))
    for part in TOTALS:
        assert theirs["summary"]["all_time"][part] == ours["summary"]["all_time"][part], part
    for table in ("model_breakdown", "provider_breakdown", "user_stats"):
        for part in ("requests", "tokens", "cost", "errors", "unpriced_requests"):
            assert by(theirs[table], part) == by(ours[table], part), (table, part)
    assert theirs["errors"]["by_type"] == ours["errors"]["by_type"]
    assert ours["summary"]["all_time"]["total_cost"] > 0
    assert (theirs["accounting"]["identity"], ours["accounting"]["identity"]) == ("unique", "journal")
    assert stage.query("count(count by (process) (last_over_time(openrouter_requests_total[1h])))") == 1
    assert stage.query("sum(resets(openrouter_requests_total[1h]) + resets(openrouter_cost_usd_total[1h]))") == 0


def by(table: dict[str, dict[str, Any]], part: str) -> dict[str, Any]:
    """One column."""
    return {name: row[part] for name, row in table.items()}


def report(*source: str) -> dict[str, Any]:
    """As a user gets it."""
    command = [sys.executable, "-m", "openrouter_otel.report", *(["--no-cache"] if "--prometheus" in source else [])]
    made = subprocess.run([*command, *source], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(made.stdout, parse_float=Decimal)
    return found
