"""``python -m examples.demo.forever``: the demo's applications for the bundled stack, until they are stopped.

They serve /metrics where any application does, from port 9464 on; the stack's Prometheus scrapes them there. Each
lives for some minutes and is then followed by a new process, as deployments are.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

from fake_openrouter import FakeOpenRouter

from . import REPOSITORY
from .tally import counted

APPS: Final = {"search": "threads", "support": "asyncio"}
CALLS: Final = 300
LIFE: Final = 600.0  # seconds of calls
LAST_SCRAPES: Final = 40.0  # seconds a process stays after its last call: two scrapes of the stack's Prometheus


def main() -> int:
    """Run until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with FakeOpenRouter() as openrouter, tempfile.TemporaryDirectory() as folder:
        print(f"a stand-in of OpenRouter answers at {openrouter.base_url}; metrics from port 9464 on", flush=True)
        lives = [
            threading.Thread(target=live, args=(name, openrouter.base_url, Path(folder), stop, place))
            for place, name in enumerate(APPS)
        ]
        for life in lives:
            life.start()
        stop.wait()
        for life in lives:
            life.join()
    return 0


def live(name: str, base_url: str, folder: Path, stop: threading.Event, place: int) -> None:
    """One application: one process after the other."""
    for run in itertools.count():
        if stop.is_set():
            return
        tally = folder / f"{name}-{run}.tally"
        numbers = ("--seed", str(2 * run + place), "--calls", str(CALLS), "--seconds", str(LIFE))
        command = [sys.executable, "-m", "examples.demo.app", APPS[name], "--base-url", base_url, *numbers]
        command += ["--tally", str(tally)]
        environment = {**os.environ, "OTEL_SERVICE_NAME": name}
        with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE) as process:
            while not stop.wait(1) and process.poll() is None and not (tally.exists() and counted(tally).done):
                pass
            stop.wait(LAST_SCRAPES)
            process.terminate()
        tally.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
