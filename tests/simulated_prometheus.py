"""A Prometheus' answers to the report's own queries, worked out in memory: for tests of thousands of little histories.

Range selectors count the window's beginning in (Prometheus 2) or not (Prometheus 3), as asked for. Whether a real
server answers the same is what tests/prometheus is for.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.prometheus import Prometheus, TooMuch


class Sample(NamedTuple):
    """One scraped value; `at` in ms."""

    name: str
    labels: Mapping[str, str]
    at: int
    text: str


SELECTOR = re.compile(r'([a-z_:]+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\[(\d+)ms\](?: @ ([\d.]+))?')
MATCHER = re.compile(r'(\w+)(=~|!=|=)("(?:[^"\\]|\\.)*")')
FUNCTIONS: dict[str, Callable[[list[str]], str]] = {
    "last_over_time": lambda texts: texts[-1],
    "min_over_time": lambda texts: min(texts, key=Decimal),
    "max_over_time": lambda texts: max(texts, key=Decimal),
    "resets": lambda texts: str(sum(Decimal(one) > Decimal(after) for one, after in pairwise(texts))),
}


class SimulatedPrometheus(Prometheus):
    """Knows some samples.

    Args:
        samples: in any order.
        now: its clock in ms.
        closed: whether a window's first instant is in it.
        bearable: how many samples it reads for one answer; TooMuch beyond.

    Attributes:
        asked: every query so far.
        samples_read: how many samples all answers were made of.
    """

    def __init__(self, samples: Iterable[Sample], now: int, closed: bool = True, bearable: int = 10**9) -> None:
        super().__init__("http://simulated:9090", Access(), 1)
        self.clock = now
        self.closed = closed
        self.bearable = bearable
        self.asked: list[str] = []
        self.samples_read = 0
        found: defaultdict[tuple[str, tuple[tuple[str, str], ...]], dict[int, str]] = defaultdict(dict)
        for name, labels, at, text in samples:
            found[name, tuple(sorted(labels.items()))][at] = text
        self._series: defaultdict[str, list[tuple[dict[str, str], list[int], list[str]]]] = defaultdict(list)
        for (name, pairs), points in found.items():
            times = sorted(points)
            self._series[name].append(({"__name__": name, **dict(pairs)}, times, [points[at] for at in times]))

    def now(self) -> int:
        return self.clock

    def instant(self, query: str, at: int) -> list[Reading]:
        self.asked.append(query)
        return self._answer(query, at)

    def range(self, query: str, first: int, last: int, step: int) -> list[Reading]:
        self.asked.append(query)
        found: dict[str, Reading] = {}
        for at in range(first, last + 1, step):
            for labels, points in self._answer(query, at):
                found.setdefault(json.dumps(labels), Reading(labels, [])).points.extend(points)
        return list(found.values())

    def _answer(self, query: str, at: int) -> list[Reading]:
        if query.startswith("count by (job, instance) "):
            targets = {(x.labels.get("job", ""), x.labels.get("instance", "")) for x in self._answer(query[26:-1], at)}
            return [Reading({"job": job, "instance": instance}, [(at, "1")]) for job, instance in targets]
        if query.startswith("count("):
            counted = len(self._answer(query[6:-1], at))
            return [Reading({}, [(at, str(counted))])] if counted else []
        return [reading for term in query.split(" or ") for reading in self._term(term, at)]

    def _term(self, term: str, at: int) -> Iterator[Reading]:
        selector = SELECTOR.search(term)
        assert selector, term
        function = term[: selector.start()].rstrip("(")
        end = round(float(selector[4]) * 1000) if selector[4] else at
        for labels, inside in self._windows(selector[1], selector[2] or "", end, int(selector[3])):
            if not function:
                yield Reading(labels, inside)
                continue
            text = FUNCTIONS[function]([text for _, text in inside])
            if not term.endswith("> 0") or text != "0":
                yield Reading(labels, [(at, text)])

    def _windows(
        self, name: str, matchers: str, end: int, length: int
    ) -> Iterator[tuple[dict[str, str], list[tuple[int, str]]]]:
        wanted = [(label, how, json.loads(text)) for label, how, text in MATCHER.findall(matchers)]
        read = 0
        for labels, times, texts in self._series.get(name, ()):
            if all(_matches(labels.get(label, ""), how, text) for label, how, text in wanted):
                first = (bisect_left if self.closed else bisect_right)(times, end - length)
                last = bisect_right(times, end)
                read += last - first
                self.samples_read += last - first
                if read > self.bearable:
                    raise TooMuch("too many samples")
                if first < last:
                    yield dict(labels), list(zip(times[first:last], texts[first:last], strict=True))


def _matches(value: str, how: str, text: str) -> bool:
    if how == "=~":
        return re.fullmatch(text, value) is not None
    return (value == text) is (how == "=")
