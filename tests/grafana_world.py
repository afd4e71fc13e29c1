"""A Prometheus as it looks when our rules have run over an invented history: then no panel has a reason to be empty."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from openrouter_otel import names
from real_prometheus import RealPrometheus, backfill, binary
from rule_worlds import BUDGETS, COUNTING, THRESHOLDS, Rule
from usage_history import DAY, HOUR, History

RULE_FILES = (THRESHOLDS, COUNTING, BUDGETS)
ONE_QUERY = "72h"  # a minute a point: Prometheus answers no more than 11,000
RECORDED = re.compile(r"\bopenrouter:[\w:]+")


@contextmanager
def recorded_world(folder: Path, history: History, since: int, until: int) -> Iterator[str]:
    """The address of a Prometheus that holds a history, what our rules make of it, and an account's gauges."""
    backfill(
        folder, history.openmetrics().removesuffix("# EOF\n") + "".join(_account(history, since, until)) + "# EOF\n"
    )
    for number, rules in enumerate(_in_passes()):
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


def _account(history: History, since: int, until: int) -> Iterator[str]:
    """What ``openrouter-otel exporter`` would add; OpenRouter's books know a little more than we saw."""
    for at in range(since, until + 1, 300):
        total = 1.02 * float(sum(history.spend_by_model(since, at).values()))
        today = 1.02 * float(sum(history.spend_by_model(max(since, at // DAY * DAY), at).values()))
        for period, value in {"total": 40 + total, "monthly": total, "weekly": total, "daily": today}.items():
            yield f'{names.KEY_USAGE.prometheus}{{period="{period}",job="account"}} {value!r} {at}\n'
        for metric, amount in {
            names.KEY_LIMIT: 100.0,
            names.KEY_LIMIT_REMAINING: 60 - total,
            names.CREDITS_REMAINING: 75 - total,
            names.KEY_FREE_REQUESTS: 950.0,
        }.items():
            yield f'{metric.prometheus}{{job="account"}} {amount!r} {at}\n'
        resolved = (at - since) // (6 * HOUR)
        labels = 'process="00000000000000aa",user="alice",model="openai/gpt-5-mini",job="account"'
        yield f"{names.RESOLVED.prometheus}{{{labels}}} {resolved}.0 {at}\n"
    for at in range(until - 9 * HOUR, until - 8 * HOUR, 60):
        alert = 'alertname="OpenRouterErrorBudgetFastBurn",alertstate="firing",severity="critical"'
        yield f"ALERTS{{{alert}}} 1.0 {at}\n"
