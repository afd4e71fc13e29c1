"""Everything the ledger booked, kept by metric; every figure of the report is a sum of these entries.

Pure sums: `Totals` answers "how much, of which, by what" and is the only vocabulary that the model needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import date, tzinfo
from decimal import Decimal
from typing import TypeVar

from openrouter_otel import names
from openrouter_otel.reporting.identity import OVERFLOWN, Series
from openrouter_otel.reporting.ledger import ZERO, Entry
from openrouter_otel.reporting.period import Interval, local

K = TypeVar("K", bound=Hashable)
Key = Callable[[Series], str]


class Book:
    """One metric's entries.

    Args:
        entries: what the ledger booked.
        raw: all labels of each series as the source first showed them, also those outside its identity.
    """

    def __init__(self, entries: Iterable[Entry] = (), raw: Mapping[Series, Mapping[str, str]] | None = None) -> None:
        self._raw = {} if raw is None else raw  # still empty: it fills while the entries are read
        self._entries: defaultdict[Series, list[tuple[int, Decimal]]] = defaultdict(list)
        self.resets: dict[Series, int] = {}
        for entry in entries:
            self._entries[entry.series].append((entry.at, entry.amount))
            if entry.reset:
                self.resets[entry.series] = self.resets.get(entry.series, 0) + 1

    def __iter__(self) -> Iterator[Series]:
        return iter(self._entries)

    def label_of(self, series: Series, name: str) -> str | None:
        """Any label of a series, such as ``service_name``; of those outside its identity, the first that was seen."""
        return series.get(name) or self._raw.get(series, {}).get(name) or None

    def within(self, interval: Interval) -> Totals:
        """What each series gained in an interval whose ends are edges."""
        since, until = interval.since, interval.until
        amounts = {}
        for series, booked in self.items():
            inside = [amount for at, amount in booked if since < at <= until]
            amounts[series] = sum(inside, ZERO) if inside else ZERO
        return Totals(amounts)

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
        gained: defaultdict[date, dict[Series, Decimal]] = defaultdict(dict)
        since, until = interval.since, interval.until
        ends: dict[int, date] = {}  # many series, few edges
        for series, booked in self.items():
            for at, amount in booked:
                if since < at <= until and amount:
                    day = ends.get(at) or ends.setdefault(at, local(at - 1, tz).date())
                    of_day = gained[day]
                    of_day[series] = of_day[series] + amount if series in of_day else amount
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

    def by(self, key: Callable[[Series], K]) -> dict[K, Decimal]:
        """Summed by what `key` says of a series; what gained nothing is left out."""
        sums: defaultdict[K, Decimal] = defaultdict(Decimal)
        for series, amount in self.items():
            if amount:
                sums[key(series)] += amount
        return sums

    def grouped(self, key: Callable[[Series], K]) -> dict[K, Totals]:
        """Apart by what `key` says of a series."""
        groups: defaultdict[K, dict[Series, Decimal]] = defaultdict(dict)
        for series, amount in self.items():
            groups[key(series)][series] = amount
        return {name: Totals(amounts) for name, amounts in groups.items()}


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def labelled(*labels: str, absent: str = names.UNKNOWN) -> Key:
    """The first of these labels that a series has."""

    def key(series: Series) -> str:
        if series.get(OVERFLOWN) == "true":
            return names.OVERFLOW  # OpenTelemetry took its labels away: nobody's in particular
        return next((value for label in labels if (value := series.get(label))), absent)

    return key


model = labelled(names.MODEL)
requested_model = labelled(names.REQUESTED_MODEL, names.MODEL)
provider = labelled(names.UPSTREAM)
user = labelled(names.USER, absent=names.ANONYMOUS)
error_type = labelled(names.label(names.ERROR_TYPE))
