"""The demo's application processes: started, watched, stopped, none left behind."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from . import REPOSITORY
from .tally import Counted, counted


def free_port() -> int:
    """A loopback port below the range from which systems hand out ports for outgoing connections.

    It is bound by another process seconds later: a port of that range could meanwhile be anybody's.
    """
    for _ in range(1000):
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 20000 and 30000")


class App:
    """One application process.

    Args:
        name: what users would call the service.
        run: which life of it this is, for the files' names.
        folder: where its tally and its log are written.
    """

    def __init__(self, name: str, run: int, folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.tally = folder / f"{name}-{run}.tally"
        self._log = folder / f"{name}-{run}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        """Where Prometheus scrapes it; also its `instance` label."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self, settings: Mapping[str, str], *arguments: str) -> None:
        """Run it in a session of its own: Ctrl-C is for the demo, which then ends its applications in order.

        Args:
            settings: further variables of its environment.
            arguments: its command line.
        """
        environment = {**os.environ, **settings, "OTEL_SERVICE_NAME": self.name, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "examples.demo.app", *arguments, "--tally", str(self.tally)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # closes with this process, however it ends: no orphan stays
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                env=environment,
                start_new_session=True,
            )

    def counted(self) -> Counted:
        """What it has counted so far."""
        return counted(self.tally)

    def is_done(self) -> bool:
        """Whether its last call has ended; RuntimeError with its log when it has died before."""
        if self.counted().done:
            return True
        if self._process is not None and self._process.poll() is not None:
            log = self._log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{self.name} ended with status {self._process.returncode}:\n{log[-3000:]}")
        return False

    def stop(self) -> None:
        """Let it go, and make sure that it went."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if not self.tally.exists() or not self.counted().done:
            process.terminate()  # it is still calling
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
