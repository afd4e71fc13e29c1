"""Everything the ledger booked, kept by metric; every figure of the report is a sum of these entries.

Pure sums: `Totals` answers "how much, of which, by what" and is the only vocabulary that the model needs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, tzinfo
from decimal import Decimal
from typing import TypeVar

from openrouter_otel import names
from openrouter_otel.reporting.identity import BUCKET, OVERFLOWN, Series
from openrouter_otel.reporting.ledger import EXACT, ZERO, Account, Entry
from openrouter_otel.reporting.period import Interval, local

K = TypeVar("K", bound=Hashable)
Key = Callable[[Series], str]


class _Account:
    """One series' amounts: `reached[n]` is all that it had gained up to the edge `edges[n]`."""

    __slots__ = ("edges", "reached")

    def __init__(self) -> None:
        self.edges: list[int] = []
        self.reached: list[Decimal] = []

    def add(self, edge: int, amount: Decimal) -> None:
        if self.edges and edge <= self.edges[-1]:
            self.reached[-1] = EXACT.add(self.reached[-1], amount)
        else:
            self.edges.append(edge)
            self.reached.append(EXACT.add(self.reached[-1], amount) if self.reached else amount)

    def within(self, interval: Interval) -> Decimal:
        edges = self.edges
        if edges[-1] <= interval.since:  # most series of a month are dead
            return ZERO
        first, last = bisect_right(edges, interval.since), bisect_right(edges, interval.until)
        if first == last:
            return ZERO
        return EXACT.subtract(self.reached[last - 1], self.reached[first - 1]) if first else self.reached[last - 1]

    def steps(self, interval: Interval) -> Iterator[tuple[int, Decimal]]:
        first, last = bisect_right(self.edges, interval.since), bisect_right(self.edges, interval.until)
        for place in range(first, last):
            before = self.reached[place - 1] if place else ZERO
            yield self.edges[place], EXACT.subtract(self.reached[place], before)


class Book:
    """One metric's entries.

    Args:
        entries: what the ledger booked, each series' in order of time.
        raw: all labels of each series as the source first showed them, also those outside its identity.
        cells: the edges, sorted, between which a series' amounts are kept apart; None: all that come.
    """

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        raw: Mapping[Series, Mapping[str, str]] | None = None,
        cells: Sequence[int] | None = None,
    ) -> None:
        self._raw = {} if raw is None else raw  # still empty: it fills while the ledger reads
        self._cells = cells
        self._accounts: dict[Series, _Account] = {}
        self._gained: defaultdict[int, Decimal] = defaultdict(Decimal)
        self._totals: dict[Interval, Totals] = {}
        self.resets: dict[Series, int] = {}
        self.add(entries)

    def add(self, entries: Iterable[Entry], timed: bool = True) -> None:
        """Add what was booked later; not `timed`: `over_time` learns of it by `add_over_time`."""
        self._totals.clear()
        for series, at, amount, reset in entries:
            account = self._accounts.get(series)
            if account is None:
                account = self._accounts[series] = _Account()
            account.add(self._cell(at), amount)
            if timed and amount:
                self._gained[at] = EXACT.add(self._gained[at], amount)
            if reset:
                self.resets[series] = self.resets.get(series, 0) + 1

    def settle(self, accounts: Iterable[Account]) -> None:
        """Take in series of which all is known, instead of their entries."""
        self._totals.clear()
        ends: dict[int, int] = {}  # many series, few edges
        for series, edges, reached, resets in accounts:
            if not edges:
                continue
            account = self._accounts[series] = _Account()
            last = None
            for at, total in zip(edges, reached, strict=True):
                edge = ends.get(at)
                if edge is None:
                    edge = ends[at] = self._cell(at)
                if edge == last:
                    account.reached[-1] = total
                else:
                    account.edges.append(edge)
                    account.reached.append(total)
                    last = edge
            if resets:
                self.resets[series] = resets

    def add_over_time(self, gained: Mapping[int, Decimal]) -> None:
        """Tell at which edges all series together gained what was added untimed."""
        for at, amount in gained.items():
            self._gained[at] = EXACT.add(self._gained[at], amount)

    def _cell(self, at: int) -> int:
        """The cell's end; what is older than all cells stays where it is."""
        cells = self._cells
        if not cells or at < cells[0] or at > cells[-1]:
            return at
        return cells[bisect_left(cells, at)]

    def __iter__(self) -> Iterator[Series]:
        return iter(self._accounts)

    def label_of(self, series: Series, name: str) -> str | None:
        """Any label of a series, such as ``service_name``; of those outside its identity, the first that was seen."""
        return series.get(name) or self._raw.get(series, {}).get(name) or None

    def within(self, interval: Interval) -> Totals:
        """What each series gained in an interval whose ends are edges; only buckets are there with nothing gained."""
        known = self._totals.get(interval)
        if known is None:
            gained = ((series, account.within(interval)) for series, account in self._accounts.items())
            amounts = {series: amount for series, amount in gained if amount or series.get(BUCKET)}
            known = self._totals[interval] = Totals(amounts)
        return known

    def over_time(self, interval: Interval) -> dict[int, Decimal]:
        """What was gained at each edge of the interval, all series together; by cell where no hours were told."""
        if not self._gained:
            gained: defaultdict[int, Decimal] = defaultdict(Decimal)
            for account in self._accounts.values():
                for at, amount in account.steps(interval):
                    gained[at] = EXACT.add(gained[at], amount)
            return dict(sorted(gained.items()))
        return {at: amount for at, amount in sorted(self._gained.items()) if at in interval}

    def by_day(self, interval: Interval, tz: tzinfo) -> dict[date, Totals]:
        """Each series' gains by local day of an interval whose ends are edges; days without gains are left out."""
        gained: defaultdict[date, dict[Series, Decimal]] = defaultdict(dict)
        ends: dict[int, date] = {}  # many series, few edges
        for series, account in self._accounts.items():
            for at, amount in account.steps(interval):
                if amount:
                    day = ends.get(at) or ends.setdefault(at, local(at - 1, tz).date())
                    of_day = gained[day]
                    of_day[series] = EXACT.add(of_day[series], amount) if series in of_day else amount
        return {day: Totals(amounts) for day, amounts in sorted(gained.items())}


class Totals:
    """Amounts by series, to be summed in whatever way a table asks for."""

    def __init__(self, amounts: Mapping[Series, Decimal]) -> None:
        self._amounts = amounts

    def items(self) -> Iterable[tuple[Series, Decimal]]:
        """Series with what they gained."""
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


def together(_series: Series) -> str:
    """All series as one group."""
    return ""


model = labelled(names.MODEL)
requested_model = labelled(names.REQUESTED_MODEL, names.MODEL)
provider = labelled(names.UPSTREAM)
user = labelled(names.USER, absent=names.ANONYMOUS)
error_type = labelled(names.label(names.ERROR_TYPE))
