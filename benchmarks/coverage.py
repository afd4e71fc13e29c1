"""``python -m benchmarks.coverage``: what we and our rivals see of every way to call and to end; writes a page."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks import REPOSITORY, environments
from benchmarks.comparison import page
from benchmarks.overhead import RESULTS
from benchmarks.scenarios import ROWS
from benchmarks.subjects import JOURNALED, SUBJECTS, Subject

sys.path.append(str(REPOSITORY / "tests"))
from fake_openrouter import FakeOpenRouter
from fake_openrouter.operations import OPERATIONS

PAGE: Final = REPOSITORY / "docs" / "comparison.md"
_PATIENCE: Final = 300.0  # seconds for all rows of a subject


def measure(subject: Subject) -> dict[str, Any] | str:
    """What a subject told, or why there is nothing."""
    paths = sorted({row.path for row in ROWS} & set(OPERATIONS))
    with tempfile.TemporaryDirectory() as folder, FakeOpenRouter() as openrouter:
        output = Path(folder) / "told.json"
        arguments = (subject.name, str(openrouter.port), str(output), *paths)
        try:
            line = environments.command(subject, "benchmarks.coverage_worker", *arguments)
            done = _run(line)
        except (environments.CannotInstall, subprocess.TimeoutExpired) as error:
            return str(error)
        if not output.exists():
            return f"its process ended with status {done.returncode}: {done.stderr.strip()[-300:]}"
        told: dict[str, Any] = json.loads(output.read_text())
        return told


def _run(line: list[str]) -> subprocess.CompletedProcess[str]:
    variables = environments.variables()
    return subprocess.run(
        line, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    counting = [name for name, subject in SUBJECTS.items() if subject is not JOURNALED]  # it counts as ours does
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=counting, help="these subjects")
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write there all that was told as well")
    arguments = parser.parse_args()
    told = {name: measure(SUBJECTS[name]) for name in arguments.only}
    results = {name: result for name, result in told.items() if isinstance(result, Mapping)}
    missing = {name: result for name, result in told.items() if isinstance(result, str)}
    overhead = json.loads(RESULTS.read_text()) if RESULTS.exists() else None
    today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(page(results, missing, overhead, today))
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1))
    print(arguments.output.read_text())


if __name__ == "__main__":
    main()
