"""Write the boards, or with ``--check`` say which of the committed files are not what this program would write."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from .cost import cost
from .frame import UID_PREFIX, as_json, laid_out
from .models import models
from .overview import overview
from .reliability import reliability
from .telemetry import telemetry
from .users import users

BOARDS = (overview, cost, models, users, reliability, telemetry)
GRAFANA = Path(__file__).resolve().parents[1]
# With our rules, and for a managed Prometheus without them: the same boards but for what only rules can tell.
FLAVOURS: Mapping[Path, bool] = {GRAFANA / "dashboards": True, GRAFANA / "dashboards-raw": False}


def generated() -> Mapping[Path, str]:
    """Every file and what belongs into it."""
    return {
        folder / f"{UID_PREFIX}{board.__name__}.json": as_json(laid_out(board(), rules))
        for folder, rules in FLAVOURS.items()
        for board in BOARDS
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if a check found drift."""
    parser = argparse.ArgumentParser(prog="python -m grafana.boards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a file differs")
    check = parser.parse_args(arguments).check
    files = generated()
    strangers = sorted({path for folder in FLAVOURS for path in folder.glob("*.json")} - set(files))
    if check:
        drifted = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
        for path in [*drifted, *strangers]:
            print(f"{path}: not what `python -m grafana.boards` writes", file=sys.stderr)
        return 1 if drifted or strangers else 0
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(path)
    for path in strangers:
        print(f"{path}: no board of that name", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
