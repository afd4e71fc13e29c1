"""``python -m benchmarks.scrape``: how long /metrics takes at the caps, and how long it holds up other threads.

A process is filled to its caps (5,000 attribute sets of every instrument) and scraped over HTTP, as Prometheus does it.
Meanwhile a thread does nothing but look at the clock: the longest time between two looks is how long the scrape held it
up. Beside it the exporter alone, with the same metrics on a plain `PrometheusMetricReader`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from itertools import product

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

from openrouter_otel import names
from openrouter_otel.emit.metrics import MetricsEmitter
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.response import Answer
from openrouter_otel.facts.usage import Usage
from openrouter_otel.identity import identity
from openrouter_otel.metrics_endpoint import ServedMetricReader
from openrouter_otel.reader import metrics_reader
from openrouter_otel.record import Attribution, Record
from openrouter_otel.settings import Settings

SCRAPES = 5
GOAL = 5.0  # seconds


def record(model: str, user: str) -> Record:
    """A streamed call that went well."""
    usage = Usage(1200, 80, (("cache_read", 800), ("reasoning", 20)), Decimal("0.00264"))
    answer = Answer("gen-1", model, "Bedrock", ("stop",), "end_turn", usage)
    request = Request("chat", model, True, "openrouter.ai", None)
    return Record(request, Attribution(user), answer, names.OK, names.REPORTED, None, time.time_ns(), 1.5, 0.5)


def counting() -> MetricsEmitter:
    """Counting as `instrument()` sets it up, with the default caps."""
    return MetricsEmitter(Settings(), identity, lambda: None, {"version": "0", "openai_version": "0"})


def fill(emitter: MetricsEmitter) -> None:
    """Record calls of 50 models and 2,000 users: every instrument that has users gets to its cap."""
    for user, model in product(range(2000), range(50)):
        emitter.record(record(f"vendor/model-{model}", f"user-{user}"))


def held_up(scrape: Callable[[], bytes]) -> tuple[float, float, int]:
    """Seconds of a scrape, seconds that another thread was held up at most, and lines of the answer."""
    longest, done = [0.0], threading.Event()

    def look() -> None:
        before = time.perf_counter()
        while not done.is_set():
            now = time.perf_counter()
            longest[0] = max(longest[0], now - before)
            before = now

    thread = threading.Thread(target=look)
    thread.start()
    begin = time.perf_counter()
    text = scrape()
    seconds = time.perf_counter() - begin
    done.set()
    thread.join()
    return seconds, longest[0], text.count(b"\n")


def measured(title: str, scrape: Callable[[], bytes]) -> float:
    """Scrape a few times and print the medians."""
    scrape()
    rows = [held_up(scrape) for _ in range(SCRAPES)]
    seconds, pause, lines = (float(statistics.median(column)) for column in zip(*rows, strict=True))
    print(f"{title:32} {lines:>9.0f} lines {seconds:8.2f} s; another thread waited at most {pause * 1000:6.0f} ms")
    return seconds


def main() -> int:
    """Print both; status 1 if ours takes longer than the goal."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    served = ServedMetricReader(CollectorRegistry())
    plain = CollectorRegistry()
    exporter: PrometheusMetricReader = metrics_reader(plain)
    emitter = counting()
    for reader in (served, exporter):
        emitter.bind(MeterProvider([reader]).get_meter(names.SCOPE))
    fill(emitter)
    if served.server is None:
        print("no port was free to serve /metrics at", file=sys.stderr)
        return 1
    url = f"http://127.0.0.1:{served.server.server_port}/metrics"

    def over_http() -> bytes:
        with urllib.request.urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
            return content

    ours = measured("ours, over HTTP", over_http)
    measured("the exporter alone, in process", lambda: generate_latest(plain))
    print(f"goal {'holds' if ours < GOAL else 'MISSED'}: /metrics at the caps takes {ours:.2f} s, at most {GOAL:.0f}")
    return int(ours >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
