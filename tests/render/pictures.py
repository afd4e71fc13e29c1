"""``python tests/render/pictures.py``: the boards as pictures for the documentation, on invented traffic.

They show the boards as committed, drawn by Grafana's UI components of the version in the harness' package.json, which
is not the whole of Grafana: its menu and the links above the panels are missing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grafana_queries import DASHBOARDS, boards
from grafana_world import recorded_world
from render.harness import drawn, prepared
from usage_history import HOUR, make_history

END = 1_795_370_400
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main() -> int:
    """Draw every board, dark, 1600 pixels wide."""
    prepared()
    history = make_history(END, step=300, calls_an_hour=40, gap=False)
    shots = [
        {
            "board": str(DASHBOARDS / f"{board['uid']}.json"),
            "from": "now-24h",
            "to": "now",
            "theme": "dark",
            "width": 1600,
            "picture": str(IMAGES / f"{board['uid'].removeprefix('openrouter-')}.png"),
        }
        for board in boards()
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        recorded_world(
            Path(folder), history.openmetrics_with_account(END - 34 * HOUR, END), END - 34 * HOUR, END
        ) as prometheus,
    ):
        for verdict in drawn(prometheus, END, shots):
            print(verdict["picture"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
