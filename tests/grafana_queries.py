"""Asks a Prometheus what a panel would ask it, as Grafana's Prometheus data source does.

Only what our boards use: range and step macros, filter variables, instant and range queries.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).resolve().parents[1] / "grafana"
DASHBOARDS = GRAFANA / "dashboards"
RAW = GRAFANA / "dashboards-raw"  # for a managed Prometheus without our rules
ROUND_STEPS = (15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
EVERYTHING = ".*"

Json = dict[str, Any]


def boards(folder: Path = DASHBOARDS) -> list[Json]:
    """Every committed board."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def panels(board: Json) -> list[Json]:
    """The panels of a board without its rows; those of folded rows too."""
    every = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", []))]
    return [panel for panel in every if panel["type"] != "row"]


def targets(board: Json) -> Iterator[tuple[Json, Json]]:
    """Every panel with each of its queries."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel, target


def panel_named(board: Json, title: str) -> Json:
    """The one panel of that title."""
    (panel,) = [panel for panel in panels(board) if panel["title"] == title]
    return panel


@dataclass(frozen=True)
class View:
    """A board as somebody has it open: a time range in seconds and what is chosen in its variables."""

    prometheus: str
    since: int
    until: int
    chosen: Mapping[str, str] = field(default_factory=dict)

    def step(self, panel: Json) -> int:
        """The step that Grafana takes for this panel, in seconds."""
        finest = {"1m": 60, "1d": 86400}[panel["interval"]]
        wished = (self.until - self.since) / panel["maxDataPoints"]
        return max(finest, min(ROUND_STEPS, key=lambda round_step: abs(round_step - wished)))

    def ask(self, panel: Json, target: Json) -> list[Json]:
        """The series of one query."""
        if target.get("instant"):
            return self._ask("query", target["expr"], time=self.until)
        step = self.step(panel)
        edges = {"start": self.since // step * step, "end": self.until // step * step}
        return self._ask("query_range", target["expr"], step, step=step, **edges)

    def _ask(self, kind: str, expr: str, interval: int = 60, **when: int) -> list[Json]:
        seconds = self.until - self.since
        macros = {
            "__range": f"{seconds}s",
            "__range_s": str(seconds),
            "__range_ms": str(1000 * seconds),
            "__interval": f"{interval}s",
        }
        query = re.sub(
            r"\$\{?([a-z_]\w*)\}?", lambda name: macros.get(name[1]) or self.chosen.get(name[1], EVERYTHING), expr
        )
        form = urllib.parse.urlencode({"query": query, **when}).encode()
        try:
            with urllib.request.urlopen(f"{self.prometheus}/api/v1/{kind}", form, timeout=60) as answer:
                result: list[Json] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{refusal.read().decode()}\n{query}") from None
        return result


def figures(series: list[Json], label: str) -> dict[str, float]:
    """The value of each series, by one of its labels; of a range query the sum of its points."""
    return {
        one["metric"].get(label, ""): sum(float(value) for _, value in one.get("values") or [one["value"]])
        for one in series
    }
