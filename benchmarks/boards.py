"""``python -m benchmarks.boards``: how long Prometheus takes for what each board asks it, one query after the other.

The worlds are those of ``benchmarks.report``, without the recording rules: a panel that reads one has nothing to read
and costs nothing here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from benchmarks.report import STEP, Fleet
from benchmarks.tsdb import Block
from grafana_queries import View, boards, targets
from real_prometheus import RealPrometheus

DAYS: Final = 10
RANGES: Final = {"24 h": 86_400, "7 d": 7 * 86_400}
WORLDS: Final = ((1000, 50), (10_000, 500))  # live counters, live histograms


def measured(counters: int, histograms: int, folder: Path) -> None:
    """One world: each board's time, and its slowest panel."""
    end = int(datetime.now(timezone.utc).timestamp() * 1000) // STEP * STEP
    with Block(folder / "data", 1, STEP) as block:
        Fleet(block, counters, histograms, DAYS, 60, end)
    print(f"{counters} counters and {histograms} histograms live, a scrape a minute, {DAYS} days:", flush=True)
    with RealPrometheus(folder) as server:
        for board in boards():
            for name, seconds in RANGES.items():
                view = View(server.url, end // 1000 - seconds, end // 1000)
                times = sorted(
                    (_seconds(view, panel, target), panel["title"])
                    for panel, target in targets(board)
                    if "openrouter:" not in target["expr"]
                )
                slowest, title = times[-1]
                whole = sum(taken for taken, _ in times)
                print(
                    f"  {board['title']}, {name}: {len(times)} queries in {whole:.1f} s, the slowest {slowest:.1f} s"
                    f" ({title})",
                    flush=True,
                )


def _seconds(view: View, panel: dict[str, object], target: dict[str, object]) -> float:
    began = time.monotonic()
    view.ask(panel, target)
    return time.monotonic() - began


def main() -> int:
    """Measure both worlds."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for counters, histograms in WORLDS:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            measured(counters, histograms, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
