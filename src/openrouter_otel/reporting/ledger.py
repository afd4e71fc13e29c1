"""The ledger: readings of counters -> what was added between them, to the last digit.

A reading is the last value a series had in the window before an edge. What a window added is that value minus the
last one ever seen, however long ago; a series never seen before was born in the window and counts from zero. Summed
up, windows give exactly what was scraped: nothing is extrapolated, nothing is lost at births, edges, gaps or deaths.

Where a `process` label tells runs apart no counter falls. Else a restart is known by the process' own start time, and
a counter begins at zero after it; where there is none either, only a fall of the value itself can show a restart.

Pure: no clock, no I/O, no float. Amounts are Decimals of the very text the source sent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from operator import itemgetter, le
from typing import Final, NamedTuple

from openrouter_otel.reporting.identity import Labels, Series, key
from openrouter_otel.reporting.period import Interval

EXACT: Final = Context(prec=60)  # sums of squares of 17-digit seconds still fit
ZERO: Final = Decimal(0)
NOT_COUNTED: Final = frozenset({"NaN", "+Inf", "-Inf", "Inf"})
Restarts = Callable[[Mapping[str, str]], Sequence[int]]  # a series' labels -> when its process began anew (ms), sorted


class Reading(NamedTuple):
    """One raw series as the source sent it.

    Attributes:
        labels: all its labels.
        points: (edge in ms, value as text).
    """

    labels: Mapping[str, str]
    points: list[tuple[int, str]]


def within(readings: Iterable[Reading], span: Interval) -> list[Reading]:
    """Only the points of a span."""
    since, until = span.since, span.until
    found = []
    for labels, points in readings:
        if kept := [point for point in points if since < point[0] <= until]:
            found.append(Reading(labels, kept))
    return found


class Entry(NamedTuple):
    """What one window added to one series.

    Attributes:
        series: whose.
        at: the window's end in ms.
        amount: never negative; zero for a counter that was first seen at zero.
        reset: the counter was seen to fall, so what it had added unseen before the fall is not in here.
    """

    series: Series
    at: int
    amount: Decimal
    reset: bool


class Account(NamedTuple):
    """All that one series gained.

    Attributes:
        series: whose.
        edges: when it had gained more, sorted (ms).
        reached: what it had gained by then, all in all.
        resets: how often it was seen to fall.
    """

    series: Series
    edges: list[int]
    reached: list[Decimal]
    resets: int = 0


class _Counter:
    """A raw series followed over its restarts: `before` is what it had reached when it last began anew."""

    __slots__ = ("at", "before", "identity", "restarts", "text", "value")

    def __init__(self, identity: _Identity, restarts: Sequence[int]) -> None:
        self.identity = identity
        self.restarts = restarts
        self.at = 0
        self.text = ""
        self.value = ZERO
        self.before = ZERO

    def restarted(self, at: int) -> bool:
        """Whether its process has begun anew since the last reading; the count then starts at zero."""
        if bisect_left(self.restarts, at) == bisect_left(self.restarts, self.at):
            return False
        self.before, self.value = EXACT.add(self.before, self.value), ZERO
        return True

    def read(self, text: str) -> bool:
        """Move on to the next value; True when it fell."""
        value = Decimal(text)
        fell = value < self.value
        if fell:
            self.before = EXACT.add(self.before, self.value)
        self.text, self.value = text, value
        return fell

    @property
    def total(self) -> Decimal:
        return EXACT.add(self.before, self.value) if self.before else self.value


class _Identity:
    """One identity, possibly seen as several raw series: two replicas, two jobs, pushed and scraped."""

    __slots__ = ("series", "total")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.total = ZERO


class Ledger:
    """One metric's book-keeping.

    Args:
        restarts: when the process of a series without a `process` label began anew, as far as that is known.

    Attributes:
        raw: all labels of each series as the source first showed them.
    """

    def __init__(self, restarts: Restarts = lambda labels: ()) -> None:
        self.raw: dict[Series, Mapping[str, str]] = {}
        self._restarts = restarts
        self._counters: dict[Labels, _Counter] = {}
        self._identities: dict[Series, _Identity] = {}

    def book(self, batch: Iterable[Reading]) -> Iterator[Entry]:
        """What the readings of a batch add; nothing in it is earlier than in the batches before.

        Args:
            batch: in any order, and a series may come more than once.
        """
        found: defaultdict[_Identity, list[_Part]] = defaultdict(list)
        for labels, points in batch:
            counter = self._counter(labels)
            found[counter.identity].append((counter, points))
        for identity, parts in found.items():
            if len(parts) == 1 and len(parts[0][1]) == 1:  # by far the most
                ((counter, ((at, text),)),) = parts
                yield from _book(identity, ((at, counter, text),))
            else:
                sightings = [(at, counter, text) for counter, points in parts for at, text in points]
                sightings.sort(key=_at)
                yield from _book(identity, sightings)

    def settle(self, batches: Sequence[Iterable[Reading]]) -> Iterator[Account]:
        """The same as all of `book`'s entries, for a metric of which nothing else is asked.

        What is seen once and never falls needs no book-keeping: its value is what it has gained so far.
        """
        rows: dict[int, tuple[Mapping[str, str], list[tuple[int, str]]]] = {}  # by the labels' own id: all are alive
        for labels, points in (reading for batch in batches for reading in batch):
            known = rows.get(id(labels))
            if known is None:
                rows[id(labels)] = labels, list(points)
            else:
                known[1].extend(points)
        found: defaultdict[_Identity, list[_Part]] = defaultdict(list)
        for labels, points in rows.values():
            counter = self._counter(labels)
            found[counter.identity].append((counter, points))
        for identity, parts in found.items():
            yield _simply(identity, parts) or _carefully(identity, parts)

    def _counter(self, labels: Mapping[str, str]) -> _Counter:
        raw = key(labels)
        counter = self._counters.get(raw)
        if counter is None:
            series = Series.of(labels)
            identity = self._identities.get(series)
            if identity is None:
                identity = self._identities[series] = _Identity(series)
                self.raw[series] = labels
            known = () if series.process else self._restarts(labels)
            counter = self._counters[raw] = _Counter(identity, known)
        return counter


def entries(batches: Iterable[Iterable[Reading]], restarts: Restarts = lambda labels: ()) -> Iterator[Entry]:
    """Book one metric's readings, batch by batch in order of time."""
    ledger = Ledger(restarts)
    for batch in batches:
        yield from ledger.book(batch)


_Sighting = tuple[int, _Counter, str]
_Part = tuple[_Counter, list[tuple[int, str]]]


def _book(identity: _Identity, sightings: Sequence[_Sighting]) -> Iterator[Entry]:
    """What one identity gained, told in order of time."""
    for at, counter, text in sightings:
        if text in NOT_COUNTED:
            continue
        if counter.restarts and counter.restarted(at):
            counter.text = ""
        counter.at = at
        if text == counter.text:
            continue
        born = not counter.text
        reset = counter.read(text)
        # The running maximum over all its raw series: a replica that lags behind adds nothing and resets nothing.
        total = counter.total
        amount = EXACT.subtract(total, identity.total) if total > identity.total else ZERO
        if amount:
            identity.total = total
        if amount or reset or born:
            yield Entry(identity.series, at, amount, reset)


def _simply(identity: _Identity, parts: list[_Part]) -> Account | None:
    """Of one raw series that never falls."""
    if any(counter is not parts[0][0] or counter.restarts for counter, _ in parts):
        return None
    points = sorted((point for _, points in parts for point in points), key=itemgetter(0))
    if not NOT_COUNTED.isdisjoint([text for _, text in points]):
        return None
    values = [Decimal(text) for _, text in points]
    if values[0] < ZERO or not all(map(le, values, values[1:])):
        return None
    return Account(identity.series, [at for at, _ in points], values)


def _carefully(identity: _Identity, parts: list[_Part]) -> Account:
    sightings = [(at, counter, text) for counter, points in parts for at, text in points]
    account = Account(identity.series, [], [])
    total, resets = ZERO, 0
    for _, at, amount, reset in _book(identity, sorted(sightings, key=_at)):
        total = EXACT.add(total, amount)
        account.edges.append(at)
        account.reached.append(total)
        resets += reset
    return account._replace(resets=resets)


def _at(sighting: _Sighting) -> int:
    return sighting[0]
