"""A Prometheus as it looks when our rules have run over what it scraped: then no panel has a reason to be empty."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from real_prometheus import RealPrometheus, backfill, binary
from rule_worlds import ALERTS, BUDGETS, COUNTING, THRESHOLDS, Rule

RULE_FILES = (THRESHOLDS, COUNTING, BUDGETS)
ONE_QUERY = "72h"  # a minute a point: Prometheus answers no more than 11,000
RECORDED = re.compile(r"\bopenrouter:[\w:]+")


@contextmanager
def recorded_world(
    folder: Path, openmetrics: str, since: int, until: int, alerts: Collection[str] = ()
) -> Iterator[str]:
    """The address of a Prometheus that holds what was scraped, and what our rules make of it in a span of time.

    Args:
        openmetrics: what was scraped.
        alerts: the names of those that fire when their condition holds; how long it must is the rule tests' business.
    """
    backfill(folder, openmetrics)
    for number, rules in enumerate([*_in_passes(), _firing(alerts)]):
        if not rules:
            continue
        with RealPrometheus(folder) as server:
            record(folder / f"pass{number}.rules.yml", rules, server, since, until)
    with RealPrometheus(folder) as server:
        yield server.url


def _in_passes() -> list[list[Rule]]:
    """Recording rules with their group's interval, each in a pass after those that it reads."""
    groups = [group for file in RULE_FILES for group in yaml.safe_load(file.read_text("utf-8"))["groups"]]
    waiting = [{**rule, "interval": group["interval"]} for group in groups for rule in group["rules"]]
    passes = []
    while waiting:
        missing = {rule["record"] for rule in waiting}
        ready = [rule for rule in waiting if not missing & set(RECORDED.findall(rule["expr"]))]
        waiting = [rule for rule in waiting if rule not in ready]
        passes.append(ready)
    return passes


def _firing(alerts: Collection[str]) -> list[Rule]:
    """Alerts as the series that Prometheus itself writes of them; promtool backfills recording rules only."""
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [
        {
            "record": "ALERTS",
            "expr": f"0 * ({rule['expr']}) + 1",
            "labels": {"alertname": rule["alert"], "alertstate": "firing", **rule["labels"]},
            "interval": group["interval"],
        }
        for group in groups
        for rule in group["rules"]
        if rule["alert"] in alerts
    ]


def record(file: Path, rules: Sequence[Rule], server: RealPrometheus, since: int, until: int) -> None:
    groups = [
        {
            "name": interval,
            "interval": interval,
            "rules": [
                {key: part for key, part in rule.items() if key != "interval"}
                for rule in rules
                if rule["interval"] == interval
            ],
        }
        for interval in sorted({rule["interval"] for rule in rules})
    ]
    content = {"groups": groups}
    file.write_text(yaml.safe_dump(content, width=10_000), encoding="utf-8")
    command = [str(binary("promtool")), "tsdb", "create-blocks-from", f"--max-block-duration={ONE_QUERY}", "rules"]
    span = [f"--start={since}", f"--end={until}", f"--url={server.url}", f"--output-dir={server.folder / 'data'}"]
    made = subprocess.run([*command, *span, str(file)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"promtool recorded nothing: {made.stdout}{made.stderr}")
