"""Everything the ledger booked, kept by metric; every figure of the report is a sum of these entries.

Pure sums: `Totals` answers "how much, of which, by what" and is the only vocabulary that the model needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, tzinfo
from decimal import Decimal

from openrouter_otel import names
from openrouter_otel.reporting.identity import OVERFLOWN, Series
from openrouter_otel.reporting.ledger import ZERO, Entry
from openrouter_otel.reporting.period import Interval, local

Key = Callable[[Series], str]


class Book:
    """One metric's entries."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: defaultdict[Series, list[tuple[int, Decimal]]] = defaultdict(list)
        self.resets: dict[Series, int] = {}
        for entry in entries:
            self._entries[entry.series].append((entry.at, entry.amount))
            if entry.reset:
                self.resets[entry.series] = self.resets.get(entry.series, 0) + 1

    def __iter__(self) -> Iterator[Series]:
        return iter(self._entries)

    def within(self, interval: Interval) -> Totals:
        """What each series gained in an interval whose ends are edges."""
        return Totals(
            {series: _sum(amount for at, amount in booked if at in interval) for series, booked in self.items()}
        )

    def over_time(self, interval: Interval) -> dict[int, Decimal]:
        """What was gained at each edge of the interval, all series together."""
        gained: defaultdict[int, Decimal] = defaultdict(Decimal)
        for booked in self._entries.values():
            for at, amount in booked:
                if at in interval:
                    gained[at] += amount
        return gained

    def by_day(self, interval: Interval, tz: tzinfo) -> dict[date, Totals]:
        """Each series' gains by local day of an interval whose ends are edges; days without gains are left out."""
        gained: defaultdict[date, defaultdict[Series, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for series, booked in self.items():
            for at, amount in booked:
                if amount and at in interval:
                    gained[local(at - 1, tz).date()][series] += amount
        return {day: Totals(amounts) for day, amounts in sorted(gained.items())}

    def items(self) -> Iterable[tuple[Series, list[tuple[int, Decimal]]]]:
        """Series with their (edge, amount) pairs."""
        return self._entries.items()


class Totals:
    """Amounts by series, to be summed in whatever way a table asks for."""

    def __init__(self, amounts: Mapping[Series, Decimal]) -> None:
        self._amounts = amounts

    def items(self) -> Iterable[tuple[Series, Decimal]]:
        """Every series with its amount, zeros included."""
        return self._amounts.items()

    def of(self, **labels: str) -> Totals:
        """Only the series that carry these labels."""
        wanted = labels.items()
        return Totals({series: amount for series, amount in self.items() if all(series.get(n) == v for n, v in wanted)})

    def sum(self) -> Decimal:
        """All of it."""
        return _sum(self._amounts.values())

    def by(self, key: Key) -> dict[str, Decimal]:
        """Summed by what `key` says of a series; what gained nothing is left out."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for series, amount in self.items():
            if amount:
                sums[key(series)] += amount
        return sums

    def grouped(self, key: Key) -> dict[str, Totals]:
        """Apart by what `key` says of a series."""
        groups: defaultdict[str, dict[Series, Decimal]] = defaultdict(dict)
        for series, amount in self.items():
            groups[key(series)][series] = amount
        return {name: Totals(amounts) for name, amounts in groups.items()}


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _key(*labels: str, absent: str = names.UNKNOWN) -> Key:
    def key(series: Series) -> str:
        if series.get(OVERFLOWN) == "true":
            return names.OVERFLOW  # OpenTelemetry took its labels away: nobody's in particular
        return next((value for label in labels if (value := series.get(label))), absent)

    return key


model = _key(names.MODEL)
requested_model = _key(names.REQUESTED_MODEL, names.MODEL)
provider = _key(names.UPSTREAM)
user = _key(names.USER, absent=names.ANONYMOUS)
error_type = _key(names.label(names.ERROR_TYPE))
