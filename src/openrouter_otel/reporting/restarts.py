"""When processes without a `process` label began anew, told by the start time that they show. Pure.

A target (job and instance) runs one process at a time. A higher start time is a new process, whose counters began at
zero: the boundary lies just before the first sample that shows it. A lower one means that several processes answer at
one target in turn; nothing can be told apart then, and the target is known by its values only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.identity import COPIES, Labels
from openrouter_otel.reporting.ledger import NOT_COUNTED, Reading
from openrouter_otel.reporting.period import Interval
from openrouter_otel.reporting.queries import INSTANCE, JOB

JUST_BEFORE: Final = 5  # ms: in sample time, since the start time itself may be a second off
SEVERAL: Final = "several"
TARGET: Final = frozenset({JOB, INSTANCE}) | {name for name in COPIES if not name.startswith(("__", "otel"))}


def target(labels: Mapping[str, str]) -> Labels:
    """Which scrape target a series is from, as seen by which Prometheus."""
    return tuple(sorted((name, text) for name, text in labels.items() if name in TARGET and text))


@dataclass
class Restarts:
    """What start times tell.

    Attributes:
        known: of each target, (when ms, the start time's text) in order: first the start that was known from the
            beginning, then each one that replaced it.
        several: targets at which several processes answer.
    """

    known: dict[Labels, list[tuple[int, str]]] = field(default_factory=dict)
    several: set[Labels] = field(default_factory=set)

    def __call__(self, labels: Mapping[str, str]) -> Sequence[int]:
        """When the process behind a series began anew (ms), sorted."""
        found = target(labels)
        return [] if found in self.several else [at for at, _ in self.known.get(found, ())[1:]]

    def tells(self, labels: Mapping[str, str]) -> bool:
        """Whether restarts of a series' process are known."""
        found = target(labels)
        return found in self.known and found not in self.several

    def within(self, labels: Mapping[str, str], window: Interval) -> list[int]:
        """The boundaries that part a window."""
        found = self(labels)
        return list(found[bisect_left(found, window.since) : bisect_left(found, window.until)])

    def doubtful(self, lowest: Iterable[Reading], highest: Iterable[Reading]) -> Iterator[tuple[Labels, int]]:
        """(target, window's end) where a start time was not all the time what it was before; its samples tell more."""
        spans: defaultdict[Labels, dict[int, list[Decimal]]] = defaultdict(dict)
        for reading in (*lowest, *highest):
            for at, text in _finite(reading):
                spans[target(reading.labels)].setdefault(at, []).append(Decimal(text))
        for one, by_edge in spans.items():
            seen = self.known.get(one)
            before = Decimal(seen[-1][1]) if seen else None
            for at, values in sorted(by_edge.items()):
                if before is None and len(set(values)) == 1:
                    self.known[one] = [(at, str(values[0]))]
                elif set(values) != {before}:
                    yield one, at
                before = max(values)

    def learn(self, samples: Iterable[Reading]) -> None:
        """Take in all samples of the doubtful windows."""
        by_target: defaultdict[Labels, set[tuple[int, Decimal]]] = defaultdict(set)
        for reading in samples:
            by_target[target(reading.labels)].update((at, Decimal(text)) for at, text in _finite(reading))
        for one, seen in by_target.items():
            steps = self.known.setdefault(one, [])
            for at, value in sorted(seen):
                if not steps:
                    steps.append((at, str(value)))
                elif value != (before := self._value(steps, at)):
                    if value < before:
                        self.several.add(one)
                        break
                    steps.append((at - JUST_BEFORE, str(value)))
                    steps.sort()

    @staticmethod
    def _value(steps: list[tuple[int, str]], at: int) -> Decimal:
        """The start time that held last before an instant."""
        place = bisect_left(steps, (at, ""))
        return Decimal(steps[max(place - 1, 0)][1])

    def readings(self, span: Interval) -> list[Reading]:
        """What was learnt about a span, in the form of a source's readings: to be kept, and `recalled`."""
        told = [
            Reading(dict(one), [(at, text) for at, text in steps if at in span]) for one, steps in self.known.items()
        ]
        return [one for one in told if one.points] + [
            Reading({**dict(one), SEVERAL: "true"}, [(span.until, "0")]) for one in self.several
        ]

    def recall(self, readings: Iterable[Reading]) -> None:
        """Take in what was kept."""
        for labels, points in readings:
            one = target(labels)
            if SEVERAL in labels:
                self.several.add(one)
            else:
                self.known[one] = sorted({*self.known.get(one, ()), *points})


def _finite(reading: Reading) -> Iterator[tuple[int, str]]:
    return ((at, text) for at, text in reading.points if text not in NOT_COUNTED)
