"""What goes into a folder: the whole stack for Docker Compose, or only boards for a Grafana that is there already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from openrouter_otel.stacking.bundle import (
    ALERTS,
    BOARD_PROVIDER,
    BUDGET_RULES,
    BUDGETS,
    DASHBOARDS,
    RAW_DASHBOARDS,
)
from openrouter_otel.stacking.links import Links, relinked

# The demo runs from the project's source, which whoever installed the package does not have.
_DEMO: Final = re.compile(r"^ *# <demo>.*\n(?:.*\n)*? *# </demo>\n", re.MULTILINE)


def compose_stack(
    bundle: Mapping[str, str], links: Links, budgets: str | None = None, budget_rules: str | None = None
) -> Mapping[str, str]:
    """The files of the stack without its demo; `budgets` and the rules made of them in place of the examples."""
    files = {path: _DEMO.sub("", text) for path, text in bundle.items() if not path.startswith(RAW_DASHBOARDS)}
    files[ALERTS] = relinked(files[ALERTS], links)
    if budgets is not None and budget_rules is not None:
        files |= {BUDGETS: budgets, BUDGET_RULES: budget_rules}
    return files


def boards_without_rules(bundle: Mapping[str, str]) -> Mapping[str, str]:
    """The boards for a managed Prometheus, where our boards lie otherwise, and what makes a Grafana read them."""
    boards = {
        DASHBOARDS + path.removeprefix(RAW_DASHBOARDS): text
        for path, text in bundle.items()
        if path.startswith(RAW_DASHBOARDS)
    }
    return {BOARD_PROVIDER: bundle[BOARD_PROVIDER], **boards}
