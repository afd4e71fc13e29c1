"""``python tests/render/pictures.py``: the boards as pictures for the documentation, on invented traffic.

They show the boards as committed, drawn by Grafana's UI components of the version in the harness' package.json, which
is not the whole of Grafana: its menu and the links above the panels are missing.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grafana_queries import DASHBOARDS, boards
from grafana_world import recorded_world
from openrouter_otel.names import COST, REQUESTS, TOKENS, TOKENS_DETAIL
from render.harness import drawn, prepared
from usage_history import DAY, HOUR, make_history

END = 1_795_370_400  # a Sunday, the 22nd, in the evening
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
MONTHLY = "cost"  # budgets and forecasts are about days, weeks and the month
COUNTERS = tuple(metric.prometheus for metric in (COST, REQUESTS, TOKENS, TOKENS_DETAIL))


def main() -> int:
    """Draw every board, dark, 1600 pixels wide: a day of everything, and a month of money."""
    prepared()
    names = [board["uid"].removeprefix("openrouter-") for board in boards()]
    day = make_history(END, step=300, calls_an_hour=40, gap=False)
    draw(day.openmetrics_with_account(END - 34 * HOUR, END), 34 * HOUR, [n for n in names if n != MONTHLY], "now-24h")
    month = make_history(END, hours=22 * 24, step=1800, calls_an_hour=40, gap=False)
    draw(month.openmetrics_with_account(END - 22 * DAY, END, COUNTERS), 22 * DAY, [MONTHLY], "now/M")
    return 0


def draw(openmetrics: str, length: int, names: Collection[str], since: str) -> None:
    """Pictures of some boards in a range, on what was scraped in so many seconds."""
    shots = [
        {
            "board": str(DASHBOARDS / f"openrouter-{name}.json"),
            "from": since,
            "to": "now",
            "theme": "dark",
            "width": 1600,
            "picture": str(IMAGES / f"{name}.png"),
        }
        for name in names
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        recorded_world(Path(folder), openmetrics, END - length, END) as prometheus,
    ):
        for verdict in drawn(prometheus, END, shots):
            print(verdict["picture"])


if __name__ == "__main__":
    sys.exit(main())
