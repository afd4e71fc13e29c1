"""Drives the harness in ``tests/grafana/harness``: boards drawn by Grafana's own components in a headless Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HARNESS = Path(__file__).resolve().parents[1] / "grafana" / "harness"
CHROMIUM = "/usr/bin/chromium"

Shot = dict[str, Any]


def prepared() -> None:
    """Install what the lock file says and build the page; RuntimeError where a tool is missing or a step fails."""
    for tool in ("node", "npm", os.environ.get("CHROMIUM", CHROMIUM)):
        if shutil.which(tool) is None:
            raise RuntimeError(f"the rendering test needs {tool}; on Debian: apt-get install chromium nodejs npm")
    installed = HARNESS / "node_modules" / ".package-lock.json"
    lock = HARNESS / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _run("npm", "ci", "--no-progress")
    _run("npm", "run", "build", "--silent")


def drawn(prometheus: str, now: int, shots: Sequence[Shot]) -> list[Shot]:
    """What became of each shot; `now` (seconds) is the browser's clock, so `now-24h` means the history's last day."""
    plan = json.dumps({"prometheus": prometheus, "now": now * 1000, "shots": list(shots)})
    verdicts: list[Shot] = json.loads(_run("node", "draw.mjs", stdin=plan))
    return verdicts


def _run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(command, cwd=HARNESS, input=stdin, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
