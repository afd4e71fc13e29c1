"""Synthetic histories of scraped processes with known truth: every way in which counting is hard.

Sparse and busy series, restarts within and across scrapes, gaps to 30 hours, outages of the server, two jobs that
scrape one process, processes born and gone within one scrape interval, counters that come back to the same value. The
same seed makes the same history.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from openrouter_otel import names
from openrouter_otel.reporting.period import DAY, HOUR
from simulated_prometheus import Sample

MINUTE = HOUR // 60
UNIQUE, RESTART, VALUES = "unique", "restart", "values"
MODELS, USERS = ("openai/gpt-5", "anthropic/claude", "meta/llama"), ("alice", "bob", None)
BOUNDS = (0.1, 1.0, 10.0, 30.0)  # nothing takes longer: of the last bucket only a gauge could know the end


@dataclass(frozen=True)
class Call:
    """One ended call; money in picodollars, so that sums are exact whatever they are made of."""

    at: int
    model: str
    user: str | None
    ok: bool
    cost: int
    tokens: int
    seconds: Decimal


@dataclass(frozen=True)
class Life:
    """One process: where it was scraped, when, and what it did."""

    process: str
    target: str
    start: int
    calls: tuple[Call, ...]
    scrapes: Mapping[str, tuple[int, ...]]  # by job

    def seen(self) -> Iterator[tuple[int, Call]]:
        """Every call that a scrape showed, at the time of that scrape."""
        every = sorted(at for times in self.scrapes.values() for at in times)
        for call in self.calls:
            place = bisect_left(every, call.at)
            if place < len(every):
                yield every[place], call


@dataclass(frozen=True)
class History:
    """All lives, as one of the three kinds of series shows them."""

    kind: str
    lives: tuple[Life, ...]

    def seen(self) -> list[tuple[int, Call]]:
        """Every call that was scraped, with when."""
        return [one for life in self.lives for one in life.seen()]

    def samples(self) -> Iterator[Sample]:
        """Everything that was scraped."""
        for life in self.lives:
            for job, times in life.scrapes.items():
                own = {"job": job, "instance": f"{life.target}:9464", "service_name": "shop"}
                yield from _shown(
                    life, times, {"process": life.process, **own} if self.kind == UNIQUE else own, self.kind
                )

    def openmetrics(self) -> str:
        """The same for promtool."""
        lines = []
        for name, labels, at, text in self.samples():
            pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
            lines.append(f"{name}{{{pairs}}} {text} {at / 1000:.3f}\n")
        return "".join([*lines, "# EOF\n"])

    def by_values(self) -> dict[str, Decimal]:
        """What the values alone can show, by metric: the truth of a series that nothing else tells about."""
        series: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for name, labels, at, text in self.samples():
            series[name, repr(sorted(labels.items()))].append((at, text))
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (name, _), points in series.items():
            before = Decimal(0)
            for value in (Decimal(text) for _, text in sorted(points)):
                sums[name] += value - before if value >= before else value
                before = value
        return dict(sums)


def _shown(life: Life, times: tuple[int, ...], own: dict[str, str], kind: str) -> Iterator[Sample]:
    counters: defaultdict[tuple[str, tuple[tuple[str, str], ...]], Decimal] = defaultdict(Decimal)
    waiting = list(life.calls)
    for at in times:
        while waiting and waiting[0].at <= at:
            _count(counters, waiting.pop(0))
        if kind != VALUES:
            yield Sample(names.PROCESS_START.prometheus, own, at, str(life.start / 1000))
        for (name, labels), value in counters.items():
            yield Sample(name, {**own, **dict(labels)}, at, f"{value:f}")
        recent: defaultdict[str, list[Decimal]] = defaultdict(list)
        for call in life.calls:
            if call.ok and at // MINUTE - 1 <= call.at // MINUTE and call.at <= at:
                recent[call.model].append(call.seconds)
        for model, seconds in recent.items():
            yield Sample(names.DURATION_MIN.prometheus, {**own, "model": model}, at, f"{min(seconds):f}")
            yield Sample(names.DURATION_MAX.prometheus, {**own, "model": model}, at, f"{max(seconds):f}")


def _count(counters: defaultdict[tuple[str, tuple[tuple[str, str], ...]], Decimal], call: Call) -> None:
    def add(metric: names.Metric, amount: Decimal | int, part: str = "", **labels: str) -> None:
        counters[f"{metric.prometheus}{part}", tuple(labels.items())] += amount

    who = {"model": call.model} | ({"user": call.user} if call.user else {})
    outcome = names.OK if call.ok else names.ERROR
    add(names.REQUESTS, 1, **who, outcome=outcome, cost_source="reported")
    add(names.TOKENS, call.tokens, **who, token_type="input")
    cost = Decimal(call.cost).scaleb(-12)
    add(names.COST, cost, **who, cost_source="reported", payee="openrouter", outcome=outcome)
    if not call.ok:
        add(names.ERRORS, 1, **who, error_type="http_502")
    for bound in (*BOUNDS, math.inf):
        le = "+Inf" if math.isinf(bound) else str(bound)
        add(names.DURATION, int(call.seconds <= Decimal(bound)), "_bucket", model=call.model, outcome=outcome, le=le)
    add(names.DURATION, call.seconds, "_sum", model=call.model, outcome=outcome)
    add(names.DURATION, 1, "_count", model=call.model, outcome=outcome)
    if call.ok:
        add(names.DURATION_SQUARED, call.seconds * call.seconds, model=call.model)


def history(
    seed: int, now: int, kind: str = UNIQUE, days: int = 9, targets: int = 3, step: int = 10 * MINUTE, gaps: bool = True
) -> History:
    """A history that ends at `now` (ms)."""
    dice = random.Random(f"{seed} {kind}")
    begin = now - days * DAY
    dark = _dark(dice, begin, now) if gaps else []
    lives: list[Life] = []
    for number in range(targets):
        at, shift = begin + dice.randrange(DAY), dice.randrange(step)
        pace = dice.choice([DAY, 4 * HOUR, HOUR])  # sparse and busy ones
        jobs = ("app", "replica") if kind == UNIQUE and dice.random() < 0.5 else ("app",)
        own = [*dark, *(_dark(dice, begin, now)[:1] if gaps else [])]
        while at < now:
            # Lives from a few seconds, so that a restart lies between two scrapes or several between them, to days.
            length = dice.choice([step // 9, step // 2, step, 7 * step, 5 * HOUR, DAY, 3 * DAY])
            lives.append(_life(dice, f"host{number}", at, min(at + length, now), pace, jobs, (step, shift), own))
            at += length + dice.choice([1000, 1000, step, HOUR, 3 * HOUR])
    return History(kind, tuple(lives))


def _dark(dice: random.Random, begin: int, now: int) -> list[tuple[int, int]]:
    """Times without a scrape: from a few missed ones to 30 hours."""
    lengths = dice.sample([30 * HOUR, 3 * HOUR, 40 * MINUTE, 90 * MINUTE], 3)
    return [(start, start + length) for length in lengths for start in [dice.randrange(begin, now)]]


def _life(
    dice: random.Random,
    target: str,
    start: int,
    end: int,
    pace: int,
    jobs: tuple[str, ...],
    rhythm: tuple[int, int],
    dark: list[tuple[int, int]],
) -> Life:
    calls, at = [], float(start)
    while (at := at + dice.expovariate(1 / min(pace, (end - start) / 2 + 1))) < end:
        calls.append(_call(dice, int(at)))
    scrapes = {}
    for place, job in enumerate(jobs):
        first = start + (rhythm[1] + place * rhythm[0] // 2 - start) % rhythm[0]
        times = range(first, end + 1, rhythm[0])
        scrapes[job] = tuple(time for time in times if not any(since < time <= until for since, until in dark))
    return Life(f"{dice.getrandbits(64):016x}", target, start, tuple(calls), scrapes)


def _call(dice: random.Random, at: int) -> Call:
    return Call(
        at=at,
        model=dice.choice(MODELS),
        user=dice.choice(USERS),
        ok=dice.random() < 0.9,
        cost=dice.choice([0, 1, dice.randrange(10**12), 3 * 10**9]),
        tokens=dice.randrange(1, 5000),
        seconds=Decimal(dice.randrange(1, 20_000)) / 1000,
    )
