"""A real Prometheus for a test: started on a free loopback port, stopped by its own process handle.

    with RealPrometheus(tmp_path, config="scrape_configs: []") as prometheus:
        Report(prometheus.url)

The binaries come from ``PROMETHEUS_BIN_DIR``, the path, or where ``make`` unpacks the distribution's package.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

import binaries

NOTHING_TO_SCRAPE = "scrape_configs: []\n"
ONE_BLOCK = "8760h"  # backfilled blocks of a year: one per test instead of one per two hours


def binary(name: str) -> Path:
    """Where ``prometheus`` or ``promtool`` is on this machine."""
    return binaries.find(name, "prometheus", "PROMETHEUS_BIN_DIR")


def major_version() -> int:
    """2 or 3."""
    told = subprocess.run([binary("promtool"), "--version"], capture_output=True, text=True, check=True)
    (number,) = re.findall(r"^promtool, version (\d+)\.", told.stdout + told.stderr, re.MULTILINE)
    return int(number)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def backfill(folder: Path, openmetrics: str) -> None:
    """Write OpenMetrics text (timestamps in seconds, closed by ``# EOF``) as TSDB blocks below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "backfill.om"
    text.write_text(openmetrics, encoding="utf-8")
    command = [str(binary("promtool")), "tsdb", "create-blocks-from", f"--max-block-duration={ONE_BLOCK}"]
    files = [str(text), str(folder / "data")]
    made = subprocess.run([*command, "openmetrics", *files], capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"promtool refused the history: {made.stdout}{made.stderr}")


class RealPrometheus:
    """A context manager around one server process.

    Args:
        folder: where its configuration, log and ``data`` live; `backfill` the same folder first for a history.
        config: text of ``prometheus.yml``; relative paths in it are relative to `folder`.
        flags: further command line flags, e.g. ``"--web.route-prefix=/prom"``.
        retention: how long samples are kept, and how many of them.
    """

    def __init__(
        self, folder: Path, config: str = NOTHING_TO_SCRAPE, flags: tuple[str, ...] = (), retention: str = "time=20y"
    ) -> None:
        self.folder = folder
        self.flags = (f"--storage.tsdb.retention.{retention}", *flags)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")

    def start(self) -> RealPrometheus:
        """Start the server and wait until it answers queries; RuntimeError with its log if it does not."""
        command = [
            str(binary("prometheus")),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            *self.flags,
        ]
        with (self.folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._wait_until_ready(deadline=time.monotonic() + 30)
        return self

    def _wait_until_ready(self, deadline: float) -> None:
        prefix = next((flag.partition("=")[2] for flag in self.flags if flag.startswith("--web.route-prefix=")), "")
        while not answers(f"{self.url}{prefix.rstrip('/')}/-/ready"):
            gone = self._process is None or self._process.poll() is not None
            if gone or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Prometheus did not become ready:\n{self.log()[-2000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """What the server has logged so far."""
        return (self.folder / "prometheus.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Stop the server and wait for it; a second call does nothing. `start` may follow: the data stays."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> RealPrometheus:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def answers(url: str) -> bool:
    """Whether a GET of the URL gives status 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
