"""``python -m benchmarks.endurance``: does a process that lives long stay small, and does it lose no cent?

Ten million records of 50 models and 2,000 users, then 100,000 distinct users, go through the counting as calls do; then
real clients make calls on a mock transport. Memory is the process' resident set, read between rounds.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from benchmarks import mock
from benchmarks.scrape import counting, record
from openrouter_otel import OpenRouterInstrumentor, names
from openrouter_otel.emit.metrics import MetricsEmitter
from openrouter_otel.reader import metrics_reader

ROUNDS: Final = 10
GROWTH: Final = 0.05  # of the memory after the second round: allocators breathe
COST: Final = Decimal("0.00264")


def resident() -> int:
    """Bytes of the resident set."""
    gc.collect()
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:  # no /proc: the peak must do
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def steady(title: str, work: Callable[[], object]) -> bool:
    """Do a round of work several times; whether memory has settled after the second."""
    sizes = []
    begin = time.perf_counter()
    for _ in range(ROUNDS):
        work()
        sizes.append(resident())
    seconds = time.perf_counter() - begin
    growth = sizes[-1] / sizes[1] - 1
    megabytes = ", ".join(f"{size / 1e6:.0f}" for size in sizes)
    print(f"{title}: {seconds:.0f} s; MB after each of {ROUNDS} rounds: {megabytes} (growth {growth:+.1%})")
    return growth < GROWTH


def shown(emitter: MetricsEmitter, metric: names.Metric) -> Decimal:
    """The exact sum over all series of a counter."""
    emitter.settle()
    sums = emitter._counting._sums
    return sum((Decimal(sums[series]) for series in emitter._counting.families[metric].all()), Decimal(0))


def emitter() -> MetricsEmitter:
    """Counting as in an application, with a reader of ours."""
    made = counting()
    made.bind(MeterProvider([metrics_reader(CollectorRegistry())]).get_meter(names.SCOPE))
    return made


def records(count: int) -> bool:
    """Many records of 50 models and 2,000 users."""
    known = [record(f"vendor/model-{m}", f"user-{u}") for m in range(50) for u in range(40 * m, 40 * m + 40)]
    dice, kept = random.Random(1), emitter()

    def one_round() -> None:
        for _ in range(count // ROUNDS):
            kept.record(dice.choice(known)._replace(duration=dice.lognormvariate(0, 1)))

    calm = steady(f"{count:,} records of 50 models and 2,000 users", one_round)
    made = count // ROUNDS * ROUNDS
    exact = shown(kept, names.REQUESTS) == made and shown(kept, names.COST) == made * COST
    print(f"  every call and every cent is there: {exact}")
    return calm and exact


def strangers(count: int) -> bool:
    """Every call from another user."""
    kept = emitter()
    numbers: Iterator[int] = iter(range(count))

    def one_round() -> None:
        for _ in range(count // ROUNDS):
            number = next(numbers)
            kept.record(record(f"vendor/model-{number % 50}", f"user-{number}"))

    calm = steady(f"{count:,} distinct users", one_round)
    made = count // ROUNDS * ROUNDS
    exact = shown(kept, names.REQUESTS) == made and shown(kept, names.COST) == made * COST
    series = max(len(family.all()) for family in kept._counting.families.values())
    print(f"  every call and every cent is there: {exact}; series of one instrument: {series:,}")
    return calm and exact and series < 6100


def calls(count: int) -> bool:
    """Real clients, plain and streamed."""
    client = mock.client(asynchronous=False)
    OpenRouterInstrumentor().instrument(meter_provider=MeterProvider([metrics_reader(CollectorRegistry())]))

    def one_round() -> None:
        for number in range(count // ROUNDS):
            asked = {**mock.ASKING, "user": f"user-{number % 2000}"}
            if number % 10:
                client.chat.completions.create(**asked)
            else:
                next(client.chat.completions.create(**asked, stream=True))  # and left behind

    calm = steady(f"{count:,} real calls, a tenth of them streams left behind", one_round)
    OpenRouterInstrumentor().uninstrument()
    return calm


RECORDS: Final = 10_000_000
STRANGERS: Final = 100_000
CALLS: Final = 200_000


def main(argv: list[str] | None = None) -> int:
    """Run all; status 1 if memory grows or a cent is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the records and calls, e.g. 0.02 for a quick look")
    share = parser.parse_args(argv).share
    held = [records(int(RECORDS * share)), strangers(STRANGERS), calls(int(CALLS * share))]
    print("holds" if all(held) else "DOES NOT HOLD")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
