"""Adds up what each series gained between the report's edges, and makes books of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.distributions import Known
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.journal.series import METRICS, shares
from openrouter_otel.reporting.journal.sums import Sums
from openrouter_otel.reporting.ledger import ZERO, Account

# Metrics of which every day is told; the others are asked for whole intervals only.
_DAILY: Final = frozenset(
    {
        *(metric.prometheus for metric in (names.REQUESTS, names.ERRORS, names.TOKENS, names.COST)),
        *(f"{names.DURATION.prometheus}{part}" for part in ("_count", "_sum")),
    }
)


class _Gains:
    """One metric's gains of one series: by edge, and of all time."""

    __slots__ = ("by_edge", "total")

    def __init__(self) -> None:
        self.by_edge: dict[int, Decimal] = {}
        self.total = ZERO

    def account(self, series: Series, first: int) -> Account:
        """The same as the ledger has it; what no edge knows of is older than the first of them."""
        older = self.total - sum(self.by_edge.values(), ZERO)
        gained = {first: older, **self.by_edge} if older else self.by_edge
        edges = sorted(gained)
        return Account(series, edges, list(accumulate(gained[edge] for edge in edges)))


class Accounts:
    """All series' gains on every metric.

    Args:
        of_all_time: all that was ever added, by series.
        labels: of each series, by id.
    """

    def __init__(self, of_all_time: Iterable[Sums], labels: Mapping[int, Mapping[str, str]]) -> None:
        self._gains: dict[str, defaultdict[Series, _Gains]] = {metric: defaultdict(_Gains) for metric in METRICS}
        self._parts: dict[int, list[tuple[_Gains, bool, str, str]]] = {}
        for series, amounts, _, _ in of_all_time:
            parts = self._parts[series] = []
            for metric, whose, column, less in shares(labels[series]):
                if column in amounts:
                    gains = self._gains[metric][whose]
                    gains.total += amounts[column] - amounts.get(less, ZERO)
                    parts.append((gains, metric in _DAILY, column, less))

    def add(self, sums: Sums, edge: int, coarse: int) -> None:
        """Add what was gained up to an edge; `coarse` is that edge for metrics that know no days."""
        amounts = sums.amounts
        for gains, daily, column, less in self._parts[sums.series]:
            if column in amounts:
                amount = amounts[column] - amounts[less] if less in amounts else amounts[column]
                by_edge, at = gains.by_edge, edge if daily else coarse
                by_edge[at] = by_edge[at] + amount if at in by_edge else amount

    def books(self, first: int) -> dict[str, Book]:
        """By the metric's name.

        Args:
            first: the first edge of all.
        """
        books = {metric: Book() for metric in METRICS}
        for metric, book in books.items():
            book.settle(gains.account(series, first) for series, gains in self._gains[metric].items())
        books[names.RESOLVED.prometheus] = Book()  # a call whose price was found out is no longer among the unpriced
        return books


class Timed:
    """What sums tell of the durations of one series' calls."""

    def __init__(self) -> None:
        self._squares = ZERO
        self._extremes: list[float] = []

    def take(self, sums: Sums) -> None:
        """Add what was gained."""
        self._squares += sums.amounts.get("seconds_squared", ZERO)
        if sums.shortest is not None and sums.longest is not None:
            self._extremes += sums.shortest, sums.longest

    def known(self, ordered: Sequence[float]) -> Known:
        """All that is known of them; `ordered` are the durations themselves, as far as they are."""
        return Known(ordered, self._squares, min(self._extremes, default=None), max(self._extremes, default=None))
