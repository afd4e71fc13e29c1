"""The files of the bundled stack: the project's own ``docker-compose.yml`` and ``grafana/``, packed into the wheel."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ALERTS: Final = "grafana/prometheus/rules/openrouter-alerts.rules.yml"
BUDGETS: Final = "grafana/budgets.yml"
BUDGET_RULES: Final = "grafana/prometheus/rules/openrouter-budgets.rules.yml"
COMPOSE: Final = "docker-compose.yml"
RULES: Final = "grafana/prometheus/rules/"
DASHBOARDS: Final = "grafana/dashboards/"
RAW_DASHBOARDS: Final = "grafana/dashboards-raw/"  # for a Prometheus without our rules
BOARD_PROVIDER: Final = "grafana/provisioning/dashboards/openrouter.yml"
# What belongs to the stack, and nothing that lies beside it: neither a secret nor the program that writes the boards.
# pyproject.toml packs the same.
PATTERNS: Final = (
    COMPOSE,
    BUDGETS,
    BOARD_PROVIDER,
    "grafana/RUNBOOK.md",
    "grafana/smoke.py",
    "grafana/alertmanager/alertmanager.yml",
    "grafana/alertmanager/webhook_url.example",
    f"{DASHBOARDS}*.json",
    f"{RAW_DASHBOARDS}*.json",
    "grafana/prometheus/prometheus.yml",
    "grafana/prometheus/pages/*.html",
    f"{RULES}openrouter-*.rules.yml",
    "grafana/provisioning/datasources/prometheus.yml",
)
_PACKED: Final = Path(__file__).with_name("files")
_SOURCE: Final = Path(__file__).resolve().parents[3]  # of an editable install


def bundled() -> Mapping[str, str]:
    """The text of every file, by its path from the stack's folder on.

    Raises:
        OSError: for an installation that lacks them.
    """
    home = _PACKED if _PACKED.is_dir() else _SOURCE
    found = [path for pattern in PATTERNS for path in sorted(home.glob(pattern))]
    if home / COMPOSE not in found:
        raise FileNotFoundError(errno.ENOENT, "this installation has no bundled stack", str(home / COMPOSE))
    return {path.relative_to(home).as_posix(): path.read_text("utf-8") for path in found}
