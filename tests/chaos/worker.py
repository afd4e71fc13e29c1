"""One program among many that keep the same journal: it calls until it is told to end, or is not asked at all.

It says of every call that it has ended, and when; a call's session is its name, by which it is found in the journal.
"""

from __future__ import annotations

import functools
import logging
import random
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from openai import OpenAI, OpenAIError

from openrouter_otel import OpenRouterInstrumentor, instrumentor, usage_context
from openrouter_otel.call import Clock
from openrouter_otel.runtime import Runtime

DAY: Final = 86_400
PAUSE: Final = 0.05  # seconds between calls at most, which leaves something of the machine to others
SCENARIOS: Final = (
    *["good"] * 5,
    "details",
    "byok;fee=0.00001",
    "flaky;failures=1;retry_after=0.01",
    "error;status=402",
    "choices-null",
    "no-usage",
)
STREAMS: Final = ("good", "good;shape=B", "byok", "stream-error", "endless;chunk_delay=0.001")


class Ended(NamedTuple):
    """A call has ended.

    Attributes:
        name: its session.
        at: seconds since the epoch, by the machine's clock.
    """

    name: str
    at: float


class Said(NamedTuple):
    """A line of our log."""

    text: str


def work(name: str, seed: int, base_url: str, journal: str, told: Connection, orders: Connection, back: int) -> None:
    """Call until an order comes; `back` is how many seconds this program's clock is behind.

    Raises:
        RuntimeError: that was the order.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log = logging.getLogger("openrouter_otel")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_Telling(told))
    if back:
        behind = Clock(lambda: time.time_ns() - back * 10**9, time.perf_counter_ns)
        vars(instrumentor)["Runtime"] = functools.partial(Runtime, clock=behind)
    OpenRouterInstrumentor().instrument(base_urls=[base_url], journal=journal, journal_retention_days=1)
    dice = random.Random(seed)
    with OpenAI(base_url=base_url, api_key="sk-or-v1-chaos", max_retries=2) as client:
        number = 0
        while not orders.poll():
            number += 1
            session = f"{name}/{number}"
            with usage_context(user=f"user-{dice.randrange(5)}", session=session, tags={"team": dice.choice("ab")}):
                _ask(client, dice)
            told.send(Ended(session, time.time()))
            time.sleep(dice.uniform(0, PAUSE))
    if orders.recv() == "raise":
        raise RuntimeError("as ordered")


def _ask(client: OpenAI, dice: random.Random) -> None:
    model = dice.choice(("openai/gpt-5", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5"))
    streamed = dice.random() < 0.3
    scenario = dice.choice(STREAMS if streamed else SCENARIOS)
    question: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "?"}], "stream": streamed}
    try:
        answer = client.chat.completions.create(**question, extra_headers={"x-scenario": scenario})
        if not streamed:
            return
        with answer:
            for number, _ in enumerate(answer):
                if number == 3 and scenario.startswith("endless"):
                    break
    except OpenAIError:
        pass  # it is in the books as one


class _Telling(logging.Handler):
    def __init__(self, told: Connection) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.send(Said(record.getMessage()))
