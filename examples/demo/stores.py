"""Where the applications' calls are kept until the report reads them: a real Prometheus, or a local journal."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

from openrouter_otel import names
from real_prometheus import RealPrometheus

from .processes import App

_CONFIG: Final = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: openrouter-otel
    static_configs: [{{targets: [{targets}]}}]
"""


class Store(Protocol):
    """One way to keep calls.

    Attributes:
        name: what a sentence calls it.
        introduction: what it is and where to look at it.
        report: the options with which the report reads it.
    """

    @property
    def name(self) -> str: ...

    @property
    def introduction(self) -> str: ...

    @property
    def report(self) -> Sequence[str]: ...

    def start(self) -> None:
        """Get ready."""

    def stop(self) -> None:
        """The end, also of a start that was interrupted."""

    def settings(self, app: App) -> Mapping[str, str]:
        """Variables of the environment with which an application's calls get here."""

    def shown_by(self, app: App) -> str:
        """Where an application can be looked at itself, as a part of a sentence; "" for nowhere."""

    def calls_of(self, app: App) -> int:
        """How many calls of an application have arrived."""

    def retries(self) -> Decimal:
        """Of all applications; the report has no place for them."""


class Prometheus:
    """Scrapes every application each second.

    Args:
        folder: for its configuration, log and data.
        apps: whom it scrapes.
    """

    name = "Prometheus"

    def __init__(self, folder: Path, apps: Sequence[App]) -> None:
        targets = ", ".join(f'"{app.target}"' for app in apps)
        self._server = RealPrometheus(folder / "prometheus", _CONFIG.format(targets=targets))
        self.introduction = f"Prometheus scrapes every second, look at it: {self._server.url}"
        self.report = ("--no-cache", "--prometheus", self._server.url)

    def start(self) -> None:
        """Wait until it answers."""
        self._server.start()

    def stop(self) -> None:
        """Wait until it is gone."""
        self._server.stop()

    def settings(self, app: App) -> Mapping[str, str]:
        """A port of its own for /metrics."""
        return {"OTEL_EXPORTER_PROMETHEUS_PORT": str(app.port)}

    def shown_by(self, app: App) -> str:
        """Its /metrics."""
        return f"; its metrics: http://{app.target}/metrics"

    def calls_of(self, app: App) -> int:
        """As of the last scrape."""
        return int(self._ask(f'sum({names.REQUESTS.prometheus}{{instance="{app.target}"}})'))

    def retries(self) -> Decimal:
        """One series a process, never reset."""
        return self._ask(f"sum(max_over_time({names.RETRIES.prometheus}[1d]))")

    def _ask(self, promql: str) -> Decimal:
        """The value of an instant query; 0 where there is no series."""
        url = f"{self._server.url}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return Decimal(result[0]["value"][1]) if result else Decimal(0)


class Journal:
    """One file that every application writes."""

    name = "the journal"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "usage.db"
        self.introduction = f"no server is needed: every call becomes a row of {self._file}"
        self.report = ("--journal", str(self._file))

    def start(self) -> None:
        """The first application makes the file."""

    def stop(self) -> None:
        """It stays where it is."""

    def settings(self, app: App) -> Mapping[str, str]:
        """The same file for all."""
        return {"OPENROUTER_OTEL_JOURNAL": str(self._file)}

    def shown_by(self, app: App) -> str:
        """It serves nothing."""
        return ""

    def calls_of(self, app: App) -> int:
        """Rows of its process."""
        return int(self._ask("SELECT count(*) FROM records WHERE pid = ?", app.pid))

    def retries(self) -> Decimal:
        """Of every row that was ever there."""
        return Decimal(self._ask("SELECT sum(retries) FROM totals"))

    def _ask(self, sql: str, *values: object) -> int:
        """The value of a question; 0 where there is nothing."""
        if not self._file.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True)) as journal:
            return int(journal.execute(sql, values).fetchone()[0] or 0)
