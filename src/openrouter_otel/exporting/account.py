"""OpenRouter's own figures as gauges: asked for in the background, so that no scrape ever waits for OpenRouter.

A figure that could not be had for some minutes disappears: a stale balance would look like a steady one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, Generic, TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from openrouter_otel import names
from openrouter_otel.account.asking import Books
from openrouter_otel.openrouter_api import OpenRouterError

T = TypeVar("T")
Sample = tuple[names.Metric, tuple[str, ...], "Decimal | int | None"]
_log = logging.getLogger("openrouter_otel")

EVERY: Final = 60.0  # seconds between questions
STALE: Final = 300.0  # seconds, as long as Prometheus itself looks back
PATIENCE: Final = 900.0  # seconds, the longest pause after failures and the first one after a refused key


class AccountCollector(Collector):
    """The gauges of `names.ACCOUNT_METRICS`, for a registry of prometheus_client.

    Args:
        books: what the keys at hand open; made with `waits=()`, since we ask again anyway.
        clock: seconds that only ever rise.
    """

    def __init__(self, books: Books, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = _Figure("the key's statistics", books.key, clock)
        self._credits = _Figure("the account's credit", books.credits, clock)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="openrouter-otel-account", daemon=True)

    def start(self) -> None:
        """Begin to ask; once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; a question on its way is not waited for."""
        self._stopped.set()

    def poll(self) -> float:
        """Ask for what is due; returns the seconds until something is due again."""
        return min(self._key.poll(), self._credits.poll())

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges that there may be."""
        return map(_gauge, names.ACCOUNT_METRICS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges that there is something to say on."""
        gauges = {metric: _gauge(metric) for metric in names.ACCOUNT_METRICS}
        for metric, labels, value in self._samples():
            if value is not None:
                gauges[metric].add_metric(labels, float(value))
        return (gauge for gauge in gauges.values() if gauge.samples)

    def _samples(self) -> Iterator[Sample]:
        if key := self._key.fresh():
            yield names.KEY_LIMIT, (), key.limit
            yield names.KEY_LIMIT_REMAINING, (), key.limit_remaining
            yield names.KEY_FREE_REQUESTS, (), key.free_requests_remaining
            for window, amount in key.usage.items():
                yield names.KEY_USAGE, (window,), amount
        if credit := self._credits.fresh():
            yield names.CREDITS_REMAINING, (), credit.remaining

    def _run(self) -> None:
        while not self._stopped.wait(self.poll()):
            pass


def _gauge(metric: names.Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.prometheus, metric.description, labels=metric.attributes)


class _Figure(Generic[T]):
    """One thing to ask again and again, and what was answered last."""

    def __init__(self, what: str, ask: Callable[[], T | None], clock: Callable[[], float]) -> None:
        self._what = what
        self._ask = ask
        self._clock = clock
        self._answer: T | None = None
        self._answered = self._due = clock()
        self._failures = 0
        self._told = ""

    def fresh(self) -> T | None:
        """The answer, for as long as it can be believed."""
        return self._answer if self._clock() - self._answered <= STALE else None

    def poll(self) -> float:
        """Ask, if it is time to; returns the seconds until it is again."""
        if self._clock() >= self._due:
            pause = self._asked()
            self._due = self._clock() + pause
        return max(self._due - self._clock(), 0.0)

    def _asked(self) -> float:
        try:
            self._answer = self._ask()
        except OpenRouterError as error:
            return self._failed(error)
        if self._told:
            _log.info("%s: OpenRouter answers again", self._what)
        self._answered, self._failures, self._told = self._clock(), 0, ""
        return EVERY

    def _failed(self, error: OpenRouterError) -> float:
        """How long to wait; the same trouble is told once."""
        self._failures += 1
        pause = PATIENCE if error.refused else min(EVERY * 2.0 ** (self._failures - 1), PATIENCE)
        if str(error) != self._told:
            self._told = str(error)
            _log.warning("%s cannot be had, and is left out unless it comes: %s", self._what, error)
        return max(pause, error.retry_after or 0.0)
