"""Asks ``promtool test rules`` whether our rules say what they should in a world of a few series.

A world is written as promtool writes it: series with values from the epoch on, which was a Thursday.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from real_prometheus import binary

RULES = Path(__file__).resolve().parents[1] / "grafana" / "prometheus" / "rules"
THRESHOLDS, COUNTING, BUDGETS, ALERTS = (
    RULES / f"openrouter-{name}.rules.yml" for name in ("thresholds", "counting", "budgets", "alerts")
)
ORDER = ("thresholds", "increments", "levels", "comparisons", "budgets", "alerts")

Rule = dict[str, Any]
Series = Mapping[str, str]


def rules(file: Path) -> list[Rule]:
    """Every rule of a file."""
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alert_named(name: str) -> Rule:
    """The alert of that name."""
    (rule,) = [rule for rule in rules(ALERTS) if rule["alert"] == name]
    return rule


class World:
    """Some series, and the rule files that read them.

    Args:
        series: each with its values; a sample an `interval`.
        files: what is loaded; alerts that compare weeks are tested on recorded series, to be quick.
        every: how often rules are evaluated.
    """

    def __init__(self, series: Series, *files: Path, interval: str = "1m", every: str = "1m") -> None:
        self.series, self.interval, self.every = series, interval, every
        self.files = files or (THRESHOLDS, COUNTING, ALERTS)

    def says(self, folder: Path, expr: str, at: str, expected: Mapping[str, float]) -> None:
        """Fail unless the expression has exactly these samples, by their labels."""
        samples = [{"labels": labels, "value": value} for labels, value in expected.items()]
        self._run(folder, {"promql_expr_test": [{"expr": expr, "eval_time": at, "exp_samples": samples}]})

    def fires(self, folder: Path, name: str, at: str, summaries: Sequence[tuple[Mapping[str, str], str]]) -> None:
        """Fail unless the alert fires exactly like that: labels besides the severity, and the summary."""
        rule = alert_named(name)
        alerts = [
            {
                "exp_labels": {**rule["labels"], **labels},
                "exp_annotations": {**rule["annotations"], "summary": summary},
            }
            for labels, summary in summaries
        ]
        self._run(folder, {"alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": alerts}]})

    def is_silent(self, folder: Path, name: str, at: str) -> None:
        """Fail if the alert fires."""
        self.fires(folder, name, at, [])

    def _run(self, folder: Path, checks: Mapping[str, Any]) -> None:
        listed = [{"series": series, "values": values} for series, values in self.series.items()]
        groups = {group["name"] for file in self.files for group in yaml.safe_load(file.read_text("utf-8"))["groups"]}
        test = {
            "rule_files": [str(file) for file in self.files],
            "evaluation_interval": self.every,
            # Prometheus evaluates groups in parallel; a test wants to know what it will read.
            "group_eval_order": [f"openrouter-{name}" for name in ORDER if f"openrouter-{name}" in groups],
            "tests": [{"interval": self.interval, "input_series": listed, **checks}],
        }
        file = folder / "test.yml"
        file.write_text(json.dumps(test, ensure_ascii=False), encoding="utf-8")
        run = subprocess.run([binary("promtool"), "test", "rules", file], capture_output=True, text=True, check=False)
        assert run.returncode == 0, re.sub(r"\s+", " ", run.stdout + run.stderr)
