"""Every recording rule, in ``promtool test rules``: births, single samples, copies, gaps, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rule_worlds import BUDGETS, COUNTING, RULES, THRESHOLDS, World, rules

BASE = 'process="p1",model="m",provider="p",user="u",operation="chat"'
HERE = 'deployment_environment_name="prod",service_name="shop",job="a",instance="i"'
KEPT = '{deployment_environment_name="prod",service_name="shop",model="m",provider="p",user="u"}'
BY_PROGRAM = '{deployment_environment_name="prod",service_name="shop"}'

# Each counter, the labels it has besides the base, and the series that a minute of it is recorded as.
INCREMENTS = [
    ("openrouter_cost_usd_total", 'payee="openrouter",cost_source="reported",outcome="ok"', "cost_usd", KEPT),
    ("openrouter_cost_usd_total", 'payee="openrouter",cost_source="reported",outcome="ok"', "charged_usd", BY_PROGRAM),
    ("openrouter_requests_total", 'outcome="ok",cost_source="reported"', "requests", KEPT),
    ("openrouter_requests_total", 'outcome="ok",cost_source="unknown"', "unpriced", BY_PROGRAM),
    ("openrouter_errors_total", 'error_type="http_502"', "errors", KEPT),
    ("openrouter_tokens_total", 'token_type="input"', "tokens", KEPT),
    ("openrouter_resolved_total", 'x=""', "resolved", BY_PROGRAM),
]
each_increment = pytest.mark.parametrize(
    ("counter", "labels", "short", "kept"), INCREMENTS, ids=[increment[2] for increment in INCREMENTS]
)


def world(counter: str, labels: str, values: str, *others: tuple[str, str]) -> World:
    more = {f"{counter}{{{labels},{base}}}": text for base, text in others}
    return World({f"{counter}{{{labels},{BASE},{HERE}}}": values, **more}, THRESHOLDS, COUNTING)


def total(short: str, window: str = "3h") -> str:
    return f"sum without () (sum_over_time(openrouter:{short}:increase1m[{window}]))"


@each_increment
def test_a_script_that_is_scraped_once_counts(tmp_path: Path, counter: str, labels: str, short: str, kept: str) -> None:
    world(counter, labels, "_x10 5 stale").says(tmp_path, total(short), "60m", {kept: 5})


@each_increment
def test_births_steps_and_gaps_add_up(tmp_path: Path, counter: str, labels: str, short: str, kept: str) -> None:
    """Born with 5, one more, then not scraped for 40 minutes in which three more came."""
    world(counter, labels, "_x5 5 6 6 _x40 9 9x40").says(tmp_path, total(short), "80m", {kept: 9})


@each_increment
def test_a_process_seen_by_two_jobs_counts_once(
    tmp_path: Path, counter: str, labels: str, short: str, kept: str
) -> None:
    copy = f'{BASE},{HERE.replace("job=", "exported_job=")},job="b"'
    world(counter, labels, "1 2 4 4x60", (copy, "_ 2 3 4x60")).says(tmp_path, total(short), "60m", {kept: 4})


@each_increment
def test_two_processes_are_two(tmp_path: Path, counter: str, labels: str, short: str, kept: str) -> None:
    other = f"{BASE.replace('p1', 'p2')},{HERE}"
    world(counter, labels, "1 2 4 stale", (other, "_x3 7 7 8 8x50")).says(tmp_path, total(short), "50m", {kept: 12})


def test_what_a_provider_charges_is_not_openrouters(tmp_path: Path) -> None:
    byok = {f'openrouter_cost_usd_total{{payee="provider",{BASE},{HERE}}}': "1 2 4 4x60"}
    World(byok, THRESHOLDS, COUNTING).says(tmp_path, "openrouter:charged_usd:increase1m", "30m", {})


@pytest.mark.parametrize(("window", "ratio"), [("5m", 1.0), ("30m", 0.5), ("1h", 0.25), ("6h", 0.125)])
def test_error_ratios_are_of_their_window(tmp_path: Path, window: str, ratio: float) -> None:
    """One call a minute for two hours, the last fifteen minutes of them all failed."""
    calls = {
        f'openrouter_requests_total{{outcome="ok",{BASE},{HERE}}}': "0+1x104 104x30",
        f'openrouter_requests_total{{outcome="error",{BASE},{HERE}}}': "0x104 1+1x14 15x30",
        f'openrouter_errors_total{{error_type="http_502",{BASE},{HERE}}}': "0x104 1+1x14 15x30",
    }
    name = f"openrouter:error_ratio:{window}"
    close = f"abs({name} - {ratio}) < bool 0.02"  # the newest minute is not counted yet
    World(calls, THRESHOLDS, COUNTING).says(tmp_path, close, "120m", {'{deployment_environment_name="prod"}': 1})


def test_calls_without_errors_have_a_ratio_of_zero(tmp_path: Path) -> None:
    calls = {f'openrouter_requests_total{{outcome="ok",{BASE},{HERE}}}': "0+1x60"}
    name = "openrouter:error_ratio:1h"
    World(calls, THRESHOLDS, COUNTING).says(tmp_path, name, "60m", {f'{name}{{deployment_environment_name="prod"}}': 0})


def test_p95_is_that_of_the_last_hours_good_calls(tmp_path: Path) -> None:
    """A process that was born with a hundred calls in its histogram; failures are not in it."""
    buckets = {
        f'openrouter_request_duration_seconds_bucket{{le="{le}",outcome="{outcome}",{BASE},{HERE}}}': f"_x5 {count}x90"
        for outcome, counts in {"ok": (0, 90, 100, 100), "error": (0, 0, 0, 500)}.items()
        for le, count in zip(("1.0", "2.0", "4.0", "+Inf"), counts, strict=True)
    }
    name = "openrouter:request_duration_seconds:p95_1h"
    known = World(buckets, THRESHOLDS, COUNTING)
    known.says(tmp_path, name, "30m", {f'{name}{{deployment_environment_name="prod",model="m"}}': 3})
    known.says(tmp_path, name, "85m", {})


def test_prices_are_of_a_day_and_of_the_week_before(tmp_path: Path) -> None:
    """2 USD per million tokens for a week, then 3; and a model too rare to have a price."""
    often, rare = 'model="m",provider="p",user="u"', 'model="rare",provider="p",user="u"'
    minutes = {
        f"openrouter:cost_usd:increase1m{{{often}}}": "0.2x167 0.3x24",
        f"openrouter:tokens:increase1m{{{often}}}": "100000x192",
        f"openrouter:cost_usd:increase1m{{{rare}}}": "1x192",
        f"openrouter:tokens:increase1m{{{rare}}}": "10x192",
    }
    known = World(minutes, THRESHOLDS, COUNTING, interval="1h", every="1h")
    for name, price in (("1d", 3), ("7d_before", 2)):
        record = f"openrouter:usd_per_million_tokens:{name}"
        known.says(tmp_path, f"round({record}, 0.1)", "192h", {'{model="m",provider="p"}': price})


def test_the_mean_hour_is_that_of_a_week_and_unknown_on_the_first_day(tmp_path: Path) -> None:
    minutes = {f"openrouter:cost_usd:increase1m{KEPT}": "0.01x1600"}
    known = World(minutes, THRESHOLDS, COUNTING)
    name = "openrouter:cost_usd:hourly_mean_7d"
    known.says(tmp_path, name, "23h", {})
    known.says(tmp_path, f"round({name}, 0.001)", "26h", {'{deployment_environment_name="prod"}': 0.6})


def test_thresholds_are_what_the_file_says(tmp_path: Path) -> None:
    listed = {
        f'openrouter:threshold{{of="{rule["labels"]["of"]}"}}': float(rule["expr"].removeprefix("vector(")[:-1])
        for rule in rules(THRESHOLDS)
    }
    assert len(listed) == len(rules(THRESHOLDS))
    World({}, THRESHOLDS).says(tmp_path, "openrouter:threshold", "5m", listed)


def test_every_threshold_is_used_and_none_is_missing() -> None:
    texts = [path.read_text("utf-8") for path in RULES.glob("*.yml") if path != THRESHOLDS]
    boards = (RULES.parents[1] / "dashboards").glob("*.json")
    used = "".join([*texts, *(path.read_text("utf-8").replace("\\", "") for path in boards)])
    for rule in rules(THRESHOLDS):
        assert f'threshold{{of="{rule["labels"]["of"]}"}}' in used
    named = {part.split('"')[0] for part in used.split('openrouter:threshold{of="')[1:]}
    assert named == {rule["labels"]["of"] for rule in rules(THRESHOLDS)}


def test_minutes_are_as_long_as_their_groups_interval() -> None:
    """A longer interval would lose what lies between two windows, a shorter one would count it twice."""
    for file in (COUNTING, BUDGETS):
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]:
            if any(":increase1m" in rule["record"] for rule in group["rules"]):
                assert group["interval"] == "1m"
                assert all(
                    "[1m] offset 30s" in rule["expr"] and "[36h] offset 1m30s" in rule["expr"]
                    for rule in group["rules"]
                    if rule["record"].endswith(":increase1m")
                )
