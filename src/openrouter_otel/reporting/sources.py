"""Where a report's evidence comes from: each source with all that is needed to read it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from openrouter_otel.reporting import scan
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.journal import records
from openrouter_otel.reporting.journal import scan as journal_scan
from openrouter_otel.reporting.journal.records import Record
from openrouter_otel.reporting.period import Asked
from openrouter_otel.reporting.prometheus import Prometheus


class Source(Protocol):
    """What can be asked for a report."""

    def read(self, asked: Asked, filters: Filters, top: int) -> Evidence:
        """All that a report needs; SourceError if the source fails.

        Args:
            asked: the period.
            filters: which calls the report is about.
            top: how many of what it lists the first of.
        """


@dataclass(frozen=True)
class PrometheusSource:
    """A Prometheus-compatible API.

    Attributes:
        url: its address, credentials included.
        access: how it lets us in.
        timeout: seconds one answer may take.
        cache: where closed hours are kept; None for nowhere.
    """

    url: str
    access: Access = Access()  # noqa: RUF009  # immutable
    timeout: float = 120.0
    cache: Path | None = None

    def read(self, asked: Asked, filters: Filters, top: int) -> Evidence:
        """See `Source`."""
        return scan.read(Prometheus(self.url, self.access, self.timeout), asked, filters, self.cache)


@dataclass(frozen=True)
class JournalSource:
    """A local journal.

    Attributes:
        path: the file.
    """

    path: str

    def read(self, asked: Asked, filters: Filters, top: int) -> Evidence:
        """See `Source`."""
        return journal_scan.read(self.path, asked, filters, top, _now())

    def records(self, asked: Asked, filters: Filters) -> Iterator[Record]:
        """The calls themselves; see `journal.records.read`."""
        return records.read(self.path, asked, filters, _now())


def _now() -> int:
    """This machine's clock in ms, behind every call that has ended."""
    return time.time_ns() // 1_000_000 + 1
