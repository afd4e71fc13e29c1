"""Write the rules and the runbook's page, or with ``--check`` say which committed file is not what would be written."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from openrouter_otel import budget_rules, budgets

from . import alerts, counting, runbook
from .rulefile import as_yaml

GRAFANA = Path(__file__).resolve().parents[1]
RULES = GRAFANA / "prometheus" / "rules"


def generated() -> Mapping[Path, str]:
    """Every file and what belongs into it."""
    listed = budgets.read_budgets((GRAFANA / "budgets.yml").read_text("utf-8"))
    return {
        RULES / "openrouter-counting.rules.yml": as_yaml(counting.groups()),
        RULES / "openrouter-alerts.rules.yml": as_yaml(alerts.groups(_panel_ids())),
        RULES / "openrouter-budgets.rules.yml": budget_rules.as_yaml(budget_rules.budget_rules(listed)),
        GRAFANA / "prometheus" / "pages" / "runbook.html": runbook.as_page((GRAFANA / "RUNBOOK.md").read_text("utf-8")),
    }


def _panel_ids() -> dict[tuple[str, str], int]:
    """Where a link to a panel leads, from the committed boards."""
    return {
        (board["uid"].removeprefix("openrouter-"), panel["title"]): panel["id"]
        for board in (json.loads(path.read_text("utf-8")) for path in sorted((GRAFANA / "dashboards").glob("*.json")))
        for row in board["panels"]
        for panel in (row, *row.get("panels", []))
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if a check found drift."""
    parser = argparse.ArgumentParser(prog="python -m grafana.rules", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a file differs")
    check = parser.parse_args(arguments).check
    drifted = [path for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in drifted:
        if check:
            print(f"{path}: not what `python -m grafana.rules` writes", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(generated()[path], "utf-8")
            print(path)
    return 1 if check and drifted else 0


if __name__ == "__main__":
    sys.exit(main())
