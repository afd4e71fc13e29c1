"""A real VictoriaMetrics for a test: started on a free loopback port, stopped by its own process handle.

    with RealVictoriaMetrics(tmp_path) as server:
        server.backfill(openmetrics)
        Report(server.url)

The binary comes from ``VICTORIA_METRICS_BIN_DIR``, the path, or where ``make`` unpacks the distribution's package.
"""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import binaries
from real_prometheus import answers, free_port


def binary(name: str) -> Path:
    """Where ``victoria-metrics`` is on this machine."""
    return binaries.find(name, "victoria-metrics", "VICTORIA_METRICS_BIN_DIR")


class RealVictoriaMetrics:
    """A context manager around one server process whose data and log live in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def backfill(self, openmetrics: str) -> None:
        """Import OpenMetrics text (timestamps in seconds) and return once queries see it."""
        text = "".join(_in_milliseconds(openmetrics)).encode()
        for path, body in (("/api/v1/import/prometheus", text), ("/internal/force_flush", b"")):
            with urllib.request.urlopen(f"{self.url}{path}", data=body, timeout=60) as answer:
                answer.read()

    def __enter__(self) -> RealVictoriaMetrics:
        command = [
            str(binary("victoria-metrics")),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr={self.url.removeprefix('http://')}",
            "-retentionPeriod=20y",
            "-memory.allowedBytes=256MB",
        ]
        with (self.folder / "victoria-metrics.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not answers(f"{self.url}/health"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                said = (self.folder / "victoria-metrics.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"VictoriaMetrics did not become ready:\n{said[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server and wait for it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _in_milliseconds(openmetrics: str) -> Iterator[str]:
    """OpenMetrics gives instants in seconds, Prometheus' older text in ms."""
    for line in openmetrics.splitlines():
        if not line.startswith("#"):
            sample, _, seconds = line.rpartition(" ")
            yield f"{sample} {round(float(seconds) * 1000)}\n"
