"""Budgets as rules, in ``promtool test rules``: days, weeks and months begin anew, and names are only names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from openrouter_otel.budget_rules import as_yaml, budget_rules
from openrouter_otel.budgets import parse_budgets
from rule_worlds import World

HOUR, DAY = 60, 1440  # minutes
COST = 'openrouter_cost_usd_total{process="p1",model="m",user="alice",tag_team="search"}'
OTHER = 'openrouter_cost_usd_total{process="p2",model="m2",user="bob",tag_team="support"}'


def file_of(folder: Path, *entries: dict[str, object]) -> Path:
    file = folder / "budgets.rules.yml"
    file.write_text(as_yaml(budget_rules(parse_budgets({"budgets": list(entries)}))), encoding="utf-8")
    return file


def spending(folder: Path, period: str, minutes: int, **more: object) -> World:
    """A cent a minute by alice, two by bob, and a rule every quarter of an hour that sees only its last minute."""
    file = file_of(folder, {"usd": 10, "period": period, "name": "B", **more})
    return World({COST: f"0+0.01x{minutes}", OTHER: f"0+0.02x{minutes}"}, file, every="15m")


def budget(period: str, scope: str = "all") -> str:
    return f'{{budget="B",period="{period}",scope="{scope}"}}'


@pytest.mark.parametrize(
    ("period", "turn", "length"),
    [
        ("day", 2 * DAY, DAY),
        ("week", 11 * DAY, 7 * DAY),  # the epoch was a Thursday: weeks begin on days 4 and 11
        ("month", 31 * DAY, 31 * DAY),
    ],
)
def test_a_period_fills_and_begins_anew(tmp_path: Path, period: str, turn: int, length: int) -> None:
    known = spending(tmp_path, period, turn + 200)
    seen = length // 15 * 0.03  # all of it but what no rule has seen
    spent = "round(openrouter:budget_spent_usd, 0.001)"
    known.says(tmp_path, spent, f"{turn}m", {budget(period): round(seen, 3)})
    known.says(tmp_path, spent, f"{turn + 15}m", {budget(period): 0.03})


@pytest.mark.parametrize(
    ("scope", "narrowed", "cents"),
    [
        ("all", {}, 3),
        ("user", {"user": "alice"}, 1),
        ("model", {"model": "m2"}, 2),
        ("tag", {"tag": {"team": "search"}}, 1),
        ("user", {"user": 'al"ice'}, 0),
    ],
)
def test_a_budget_counts_what_it_is_about(tmp_path: Path, scope: str, narrowed: dict[str, object], cents: int) -> None:
    known = spending(tmp_path, "day", 2 * HOUR, **narrowed)
    known.says(
        tmp_path,
        "round(sum without (number) (openrouter:budget_spent_usd:increase1m), 0.001)",
        "60m",
        {budget("day", scope): cents / 100},
    )
    limit = {f"openrouter:budget_usd{budget('day', scope)}": 10}
    known.says(tmp_path, "openrouter:budget_usd", "60m", limit)


@pytest.mark.parametrize(("period", "left"), [("day", 0.5 * DAY), ("week", 3.5 * DAY), ("month", 30.5 * DAY)])
def test_a_forecast_goes_on_at_the_present_pace(tmp_path: Path, period: str, left: float) -> None:
    """At noon of the epoch, a Thursday the first."""
    file = file_of(tmp_path, {"usd": 10, "period": period, "name": "B"})
    known = World({COST: "0+0.01x725"}, file)
    pace = "round(60 * openrouter:budget_pace_usd_per_second, 0.0001)"
    known.says(tmp_path, pace, "720m", {budget(period): 0.01})
    wrong = f"abs(openrouter:budget_forecast_usd - {0.01 * (720 + left)}) < bool 0.05 * {0.01 * (720 + left)}"
    known.says(tmp_path, wrong, "720m", {budget(period): 1})


def test_nothing_spent_is_zero_and_not_unknown(tmp_path: Path) -> None:
    known = World({}, file_of(tmp_path, {"usd": 10, "period": "week", "name": "B"}))
    for name in ("spent_usd", "forecast_usd"):
        known.says(tmp_path, f"openrouter:budget_{name}", "10m", {f"openrouter:budget_{name}{budget('week')}": 0})


def test_names_are_text_whatever_is_in_them(tmp_path: Path) -> None:
    """Quotes, backslashes, braces, templates and colons reach Prometheus as they are."""
    name = """a"b\\c{d}'e: {{ $value }} #f ümlaut 🙂"""
    file = file_of(tmp_path, {"usd": 10, "period": "day", "user": name, "name": name})
    (group,) = yaml.safe_load(file.read_text("utf-8"))["groups"]
    assert {rule["labels"]["budget"] for rule in group["rules"] if "budget" in rule["labels"]} == {name}
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    cost = f'openrouter_cost_usd_total{{process="p1",user="{quoted}"}}'
    known = World({cost: "5x60"}, file)
    known.says(tmp_path, "sum by (scope) (openrouter:budget_spent_usd)", "10m", {'{scope="user"}': 5})


def test_no_budgets_make_a_file_that_prometheus_takes(tmp_path: Path) -> None:
    World({}, file_of(tmp_path)).says(tmp_path, "openrouter:budget_usd", "5m", {})
