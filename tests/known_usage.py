"""Evidence of a little usage, written down by hand: for tests of what is made of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone, tzinfo
from decimal import Decimal
from typing import Any

from openrouter_otel import names
from openrouter_otel.reporting import figures
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.coverage import Coverage
from openrouter_otel.reporting.distributions import Histograms
from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.ledger import Reading, entries
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import DAY, HOUR, Interval, month
from openrouter_otel.reporting.reconciliation import TheirBooks
from openrouter_otel.reporting.scan import COARSE, HOURLY, NOBODYS

EXTREMES = (names.DURATION_MIN, names.DURATION_MAX)
NOW = 1_795_435_200_000  # 2026-11-23T12:00:00Z, a Monday


@dataclass
class Usage:
    """What single-scrape processes showed; every figure is booked an hour before `NOW` unless `at` says otherwise."""

    tz: tzinfo = timezone.utc
    found: defaultdict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    other: dict[str, Any] = field(default_factory=dict)

    def add(self, metric: names.Metric, amount: object, part: str = "", at: int = NOW - HOUR, **labels: str) -> None:
        """One sample of one series."""
        known = {"process": "p1", "model": "openai/gpt-5", "provider": "OpenAI", "user": "alice", **labels}
        kept = {label: text for label, text in known.items() if text}
        self.found[f"{metric.prometheus}{part}"].append(Reading(kept, [(at, str(amount))]))

    def call(self, cost: str, count: int = 1, at: int = NOW - HOUR, **labels: str) -> None:
        """Calls that went well, with tokens and duration."""
        self.ended(count, cost, "ok", at, **labels)

    def ended(self, count: int, cost: str, outcome: str, at: int = NOW - HOUR, **labels: str) -> None:
        """Calls that ended in any way, with all that they leave behind."""
        self.add(names.REQUESTS, count, at=at, outcome=outcome, cost_source="reported", **labels)
        if outcome == names.ERROR:
            self.add(names.ERRORS, count, at=at, error_type="http_502", **labels)
        self.add(names.COST, cost, at=at, outcome=outcome, cost_source="reported", payee="openrouter", **labels)
        self.add(names.TOKENS, 100 * count, at=at, token_type="input", **labels)
        self.add(names.TOKENS, 20 * count, at=at, token_type="output", **labels)
        self.add(names.DURATION, count, "_count", at, outcome=outcome, **labels)
        self.add(names.DURATION, 2 * count, "_sum", at, outcome=outcome, **labels)
        for bound, below in (("1.5", 0), ("2.2", count), ("+Inf", count)):
            self.add(names.DURATION, below, "_bucket", at, outcome=outcome, le=bound, **labels)

    def evidence(self, *, of_one_user: bool = False) -> Evidence:
        """All of it, as if a source had told."""
        period = Interval(NOW - 30 * DAY + 12 * HOUR, NOW)
        books = {metric: self._book(self.found[metric]) for metric in (*HOURLY, *COARSE)}
        extremes = [] if of_one_user else [self.found[gauge.prometheus] for gauge in EXTREMES]
        if of_one_user:
            books |= NOBODYS
        known: dict[str, Any] = {
            "source": {"kind": "prometheus", "url": "http://prometheus:9090"},
            "tz": self.tz,
            "now": NOW,
            "period": period,
            "previous": Interval(NOW - 60 * DAY + 24 * HOUR, NOW - 30 * DAY + 12 * HOUR),
            "month": month(NOW, self.tz),
            "explicit": False,
            "data_since": NOW - 40 * DAY,
            "books": books,
            "distributions": Histograms(books, period, *extremes),
            "coverage": Coverage(),
            "warnings": (),
        }
        return Evidence(**{**known, **self.other})

    @staticmethod
    def _book(readings: list[Reading]) -> Book:
        return Book(entries([readings]), {Series.of(reading.labels): reading.labels for reading in readings})

    def report(
        self,
        wanted: figures.Wanted = figures.Wanted(),  # noqa: B008  # immutable
        their_books: TheirBooks | None = None,
    ) -> Report:
        """What is made of it."""
        made_at = datetime.fromtimestamp(NOW / 1000 + 1, timezone.utc)
        evidence = self.evidence(of_one_user=wanted.filters.by_user)
        return figures.report(evidence, replace(wanted, timezone=str(self.tz)), made_at, their_books=their_books)


def money(text: str) -> Decimal:
    """An amount as a report has it."""
    return Decimal(text).quantize(Decimal("1e-12"))
