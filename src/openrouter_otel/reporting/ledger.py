"""The ledger: readings of counters -> what was added between them, to the last digit.

A reading is the last value a series had in the window before an edge. What a window added is that value minus the
last one ever seen, however long ago; a series never seen before was born in the window and counts from zero. Summed
up, windows give exactly what was scraped: nothing is extrapolated, nothing is lost at births, edges, gaps or deaths.

Pure: no clock, no I/O, no float. Amounts are Decimals of the very text the source sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Final, NamedTuple

from openrouter_otel.reporting.identity import Series

EXACT: Final = Context(prec=60)  # sums of squares of 17-digit seconds still fit
ZERO: Final = Decimal(0)
NOT_COUNTED: Final = frozenset({"NaN", "+Inf", "-Inf", "Inf"})


class Reading(NamedTuple):
    """One raw series as the source sent it.

    Attributes:
        labels: all its labels.
        points: (edge in ms, value as text).
    """

    labels: Mapping[str, str]
    points: list[tuple[int, str]]


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


@dataclass
class _Counter:
    """A raw series followed over its resets: `before` is what it had reached when it last fell."""

    text: str = ""
    value: Decimal = ZERO
    before: Decimal = ZERO

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
        return EXACT.add(self.before, self.value)


@dataclass
class _Identity:
    """One identity, possibly seen as several raw series: two replicas, two jobs, pushed and scraped."""

    total: Decimal = ZERO
    counters: defaultdict[frozenset[tuple[str, str]], _Counter] = field(
        default_factory=lambda: defaultdict(_Counter),
    )


def entries(batches: Iterable[Iterable[Reading]]) -> Iterator[Entry]:
    """Book one metric's readings.

    Args:
        batches: readings in order of time from batch to batch; within a batch in any order, and a series may come
            more than once.
    """
    identities: defaultdict[Series, _Identity] = defaultdict(_Identity)
    for batch in batches:
        for series, sightings in _sightings(batch).items():
            yield from _book(series, identities[series], sightings)


_Sighting = tuple[int, frozenset[tuple[str, str]], str]


def _sightings(batch: Iterable[Reading]) -> dict[Series, list[_Sighting]]:
    found: defaultdict[Series, list[_Sighting]] = defaultdict(list)
    for reading in batch:
        raw = frozenset(reading.labels.items())
        found[Series.of(reading.labels)].extend((at, raw, text) for at, text in reading.points)
    return found


def _book(series: Series, identity: _Identity, sightings: list[_Sighting]) -> Iterator[Entry]:
    for at, raw, text in sorted(sightings, key=lambda sighting: sighting[0]):
        counter = identity.counters[raw]
        if text == counter.text or text in NOT_COUNTED:
            continue
        born = not counter.text
        reset = counter.read(text)
        # The running maximum over all its raw series: a replica that lags behind adds nothing and resets nothing.
        amount = max(ZERO, EXACT.subtract(counter.total, identity.total))
        identity.total = EXACT.add(identity.total, amount)
        if amount or reset or born:
            yield Entry(series, at, amount, reset)
