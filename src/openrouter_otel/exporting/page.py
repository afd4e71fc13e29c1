"""What one scrape of the exporter gets: the journal's metrics and the account's, each as far as it can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from openrouter_otel.exporting.journal import JournalExport
from openrouter_otel.journal.store import JournalError
from openrouter_otel.metrics_endpoint import answered, unavailable


class Page:
    """The WSGI application behind /metrics.

    Args:
        journal: to be served, if any.
        registry: of the account's gauges; empty where they are not asked for.
    """

    def __init__(self, journal: JournalExport | None, registry: CollectorRegistry) -> None:
        self._journal = journal
        self._registry = registry

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a scrape; it fails where a journal cannot be read and there is nothing else to serve."""
        text = generate_latest(self._registry)
        try:
            text += self._journal.text().encode() if self._journal is not None else b""
        except JournalError as error:
            if not text:
                return unavailable(f"the journal cannot be read: {error}", start_response)
        return answered(text, environ, start_response)
