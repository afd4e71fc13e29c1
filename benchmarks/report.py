"""``python -m benchmarks.report``: the report on a month of many processes: its error, time, bytes and memory.

A fleet is made up: processes that live for days, each with hundreds of counters and some dozen histograms, scraped
every minute for 30 days. Its samples are written as a TSDB block, a real Prometheus serves it, and the report is made
twice, as users make it: cold, and warm with what the first run left in the cache. Every sum is held against the truth;
beside it stands what `increase()` says of the same data.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from openrouter_otel import names
from openrouter_otel.names import label

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from benchmarks.tsdb import Block
from real_prometheus import RealPrometheus

STEP: Final = 60_000
DAY: Final = 86_400_000
PROCESSES: Final = 20
SERIES_OF_SET: Final = 6
GOALS: Final = {"cold": 60.0, "warm": 3.0}  # seconds, with 10,000 counters on 2 idle cores
MEMORY: Final = 500  # MB
MODELS: Final = tuple(f"vendor/model-{number:02}" for number in range(24))
USERS: Final = tuple(f"user-{number:03}" for number in range(200))
Counts = NDArray[np.int64]
REQUESTS, TOKENS, COST, ERRORS = "total_requests", "total_tokens", "total_cost", "total_errors"


@dataclass
class Truth:
    """What was scraped, by set of labels: (times, model, user, increments by figure); money in micro-USD."""

    sets: list[tuple[Counts, str, str, dict[str, Counts]]] = field(default_factory=list)

    def sums(self, since: int, until: int) -> dict[str, Decimal]:
        """Totals of (since, until]."""
        found: defaultdict[str, int] = defaultdict(int)
        for times, _, _, gained in self.sets:
            inside = (times > since) & (times <= until)
            for figure, amounts in gained.items():
                found[figure] += int(amounts[inside].sum())
        return {figure: _plain(figure, found[figure]) for figure in (REQUESTS, TOKENS, COST, ERRORS)}

    def costs(self, since: int, until: int, place: int) -> dict[str, Decimal]:
        """Cost by model (1) or user (2)."""
        found: defaultdict[str, int] = defaultdict(int)
        for one in self.sets:
            inside = (one[0] > since) & (one[0] <= until)
            found[str(one[place])] += int(one[3][COST][inside].sum())
        return {name: _plain(COST, micro) for name, micro in found.items() if micro}


def _plain(figure: str, amount: int) -> Decimal:
    return Decimal(amount).scaleb(-6) if figure == COST else Decimal(amount)


class Fleet:
    """Writes what a fleet of processes shows.

    Args:
        block: where to.
        counters: live counter series, all metrics together.
        histograms: live histogram sets.
        days: how long.
        life: days that a process lives, a sixth more or less.
        end: the last scrape (ms).
    """

    def __init__(self, block: Block, counters: int, histograms: int, days: int, life: int, end: int) -> None:
        self.truth = Truth()
        self._block = block
        self._dice = np.random.default_rng(1)
        self._sets = counters // PROCESSES // SERIES_OF_SET
        self._histograms = histograms // PROCESSES
        slots = days * DAY // block.span
        for place in range(PROCESSES):
            phase = int(self._dice.integers(0, 120)) * STEP + int(self._dice.integers(0, STEP))
            at, first = 0, end - slots * block.span - phase
            while at < slots:
                length = min(int(self._dice.integers(10 * life, 14 * life + 1)), slots - at)
                self._life(place, first + at * block.span, length)
                at += length

    def _life(self, place: int, first: int, length: int) -> None:
        process = f"{int(self._dice.integers(0, 2**63)):016x}"
        own = {"process": process, "job": "openrouter", "instance": f"10.0.0.{place}:9464", "service_name": "shop"}
        self._write(names.PROCESS_START.prometheus, own, first, np.full(length, (first - 9000) / 1000))
        for number in range(self._sets):
            model = MODELS[int(self._dice.integers(0, len(MODELS)))]
            self._set({**own, "model": model, "provider": f"P{number % 5}", "operation": "chat"}, number, first, length)
        for number in range(self._histograms):
            metric = (names.DURATION, names.FIRST_TOKEN, names.OUTPUT_RATE)[max(0, number % 5 - 2)]
            self._histogram(metric, {**own, "model": MODELS[number % len(MODELS)], "operation": "chat"}, first, length)
        for model in MODELS[: self._histograms // 3 + 1]:
            for gauge in (names.DURATION_MIN, names.DURATION_MAX):
                self._write(gauge.prometheus, {**own, "model": model}, first, self._dice.random(length))

    def _set(self, own: dict[str, str], number: int, first: int, length: int) -> None:
        """The counters of one model and user, born at some time of the process' life, busy or sparse."""
        born = int(self._dice.integers(0, max(1, length // 4))) if number % 3 else 0
        first, length = first + born * self._block.span, length - born
        calls = self._dice.poisson(float(self._dice.lognormal(-0.5, 1.5)), length).astype(np.int64)
        calls[0] += 1
        spent = calls * self._dice.integers(1, 90_000, length)
        inputs, outputs = calls * self._dice.integers(20, 9000, length), calls * self._dice.integers(1, 900, length)
        user = USERS[int(self._dice.integers(0, len(USERS)))]
        who = {**own, "user": user, "tag_number": str(number)}
        how = {**who, "outcome": "ok", "cost_source": "reported"}
        self._count(names.REQUESTS, how, first, calls)
        self._count(names.TOKENS, {**who, "token_type": "input"}, first, inputs)
        self._count(names.TOKENS, {**who, "token_type": "output"}, first, outputs)
        self._count(names.TOKENS_DETAIL, {**who, "token_type": "cache_read"}, first, inputs // 3)
        self._count(names.COST, {**how, "payee": "openrouter"}, first, spent, 1e6)
        errors = np.zeros(length, dtype=np.int64)
        if number % 4:
            self._count(names.TOKENS_DETAIL, {**who, "token_type": "reasoning"}, first, outputs // 2)
        else:
            errors = self._dice.poisson(0.2, length).astype(np.int64)
            self._count(names.ERRORS, {**who, "error_type": "http_502"}, first, errors)
        times = first + self._block.span * np.arange(length, dtype=np.int64)
        gained = {REQUESTS: calls, TOKENS: inputs + outputs, COST: spent, ERRORS: errors}
        self.truth.sets.append((times, own["model"], user, gained))

    def _histogram(self, metric: names.Metric, own: dict[str, str], first: int, length: int) -> None:
        calls = self._dice.poisson(3, length).astype(np.int64)
        where = self._dice.integers(0, len(metric.buckets), length)
        own = {**own, label(names.OUTCOME): "ok"} if metric.user else own
        for place, bound in enumerate((*map(str, metric.buckets), "+Inf")):
            self._count(metric, {**own, "le": bound}, first, np.where(where <= place, calls, 0), part="_bucket")
        self._count(metric, own, first, calls, part="_count")
        self._count(
            metric, own, first, calls * np.array([int(bound * 1000) for bound in metric.buckets])[where], 1e3, "_sum"
        )

    def _count(
        self,
        metric: names.Metric,
        labels: Mapping[str, str],
        first: int,
        gained: Counts,
        unit: float = 1,
        part: str = "",
    ) -> None:
        self._write(f"{metric.prometheus}{part}", labels, first, np.cumsum(gained) / unit)

    def _write(self, name: str, labels: Mapping[str, str], first: int, values: NDArray[np.float64]) -> None:
        self._block.add({"__name__": name, **labels}, first, values)


@dataclass(frozen=True)
class Run:
    """One report, as its user waits for it."""

    seconds: float
    cpu: float
    megabytes: float
    answered: float
    report: dict[str, Any]


def run(server: RealPrometheus, cache: Path) -> Run:
    """Make a report in a process of its own."""
    before = _metric(server, "prometheus_http_response_size_bytes_sum")
    began = time.monotonic()
    output = cache.parent / "report.json"
    command = [sys.executable, "-m", "openrouter_otel.report", "--prometheus", server.url, "--cache", str(cache)]
    command.append("--no-account")
    child = subprocess.Popen([*command, "--output", str(output)])
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.monotonic() - began
    if status:
        raise RuntimeError(f"the report ended with status {status}")
    answered = (_metric(server, "prometheus_http_response_size_bytes_sum") - before) / 1e6
    made = json.loads(output.read_text(), parse_float=Decimal)
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, answered, made)


def _metric(server: RealPrometheus, name: str) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name) and "/api/v1/query" in line)


def wrong(report: dict[str, Any], truth: Truth) -> Iterator[str]:
    """Every sum that is not what was scraped."""
    since, until = (_ms(report["period"][end]) for end in ("since", "until"))
    spans = {"last_24h": until - DAY, "last_7d": until - 7 * DAY, "last_30d": until - 30 * DAY}
    for name, start in {**spans, "period": since, "all_time": 0}.items():
        for figure, true in truth.sums(start, until).items():
            if Decimal(report["summary"][name][figure]) != true:
                yield f"{name} {figure}: {report['summary'][name][figure]}, not {true}"
    for table, place in (("model_breakdown", 1), ("user_stats", 2)):
        told = {name: Decimal(row["cost"]) for name, row in report[table].items() if row["cost"]}
        if told != truth.costs(since, until, place):
            yield table
    for row in report["daily_trend"]:
        day = round(datetime.fromisoformat(f"{row['date']}T00:00:00+00:00").timestamp() * 1000)
        if Decimal(row["cost"]) != truth.sums(max(day, since), min(day + DAY, until))[COST]:
            yield f"day {row['date']}"


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def increase(server: RealPrometheus, report: dict[str, Any]) -> Decimal:
    """What the usual query says of the last 30 days' cost."""
    form = {"query": f"sum(increase({names.COST.prometheus}[30d]))", "time": _ms(report["period"]["until"]) / 1000}
    with urllib.request.urlopen(f"{server.url}/api/v1/query?{urllib.parse.urlencode(form)}", timeout=300) as answer:
        return Decimal(json.load(answer)["data"]["result"][0]["value"][1])


def measured(counters: int, histograms: int, days: int, life: int, folder: Path) -> bool:
    """One world; whether nothing was wrong and the goals hold."""
    began = time.monotonic()
    end = int(datetime.now(timezone.utc).timestamp() * 1000) // STEP * STEP
    with Block(folder / "data", 1, STEP) as block:
        fleet = Fleet(block, counters, histograms, days, life, end)
    size = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file()) / 1e6
    meta = json.loads((block.folder / "meta.json").read_text())["stats"]
    print(
        f"{counters} counters and {histograms} histograms live, {days} days, lives of {life}:"
        f" {meta['numSeries']} series,"
        f" {meta['numSamples'] / 1e6:.0f} M samples, {size:.0f} MB, written in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    good = True
    with RealPrometheus(folder) as server:
        for name in ("cold", "warm"):
            made = run(server, folder / "cache" / "report.sqlite")
            mistakes = list(wrong(made.report, fleet.truth))
            late = made.seconds > GOALS[name] or made.megabytes > MEMORY
            good &= not mistakes and not late
            print(
                f"  {name}: {len(mistakes)} of its sums wrong, {made.seconds:.1f} s ({made.cpu:.1f} s of CPU),"
                f" {made.megabytes:.0f} MB of memory, {made.answered:.0f} MB of answers"
                f"{'; GOAL MISSED' if late else ''}",
                *mistakes[:5],
                sep="\n    ",
                flush=True,
            )
        kept = (folder / "cache" / "report.sqlite").stat().st_size / 1e6
        true, told = Decimal(made.report["summary"]["last_30d"][COST]), increase(server, made.report)
        print(f"  the cache holds {kept:.1f} MB; increase() says {told / true - 1:+.2%} of 30 days' {true:.2f} USD")
    return good


def main() -> int:
    """Measure both worlds; status 1 if a sum is wrong or a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counters", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--histograms", type=int, default=500)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--life", type=int, default=60, metavar="DAYS", help="that a process lives; default 60")
    wish = parser.parse_args()
    good = True
    for counters in wish.counters:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            good &= measured(counters, wish.histograms, wish.days, wish.life, Path(folder))
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
