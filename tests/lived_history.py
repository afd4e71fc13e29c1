"""A week of real telemetry in a minute: instrumented programs whose clock is put forward, scraped as they live it.

Only OpenRouter (`fake_openrouter`) and the time are faked. The calls go through real openai clients of real processes,
which are born and die; /metrics is fetched from each of them every hour of that time, in the last day every half, and
so are the account's gauges from the exporter's collector. What was scraped becomes OpenMetrics text for `promtool`.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest

from fake_openrouter import Book, FakeOpenRouter
from fake_openrouter.accounts import MANAGEMENT_KEY
from openrouter_otel.account.asking import Books
from openrouter_otel.exporting.account import AccountCollector
from usage_history import DAY, HOUR, moments

KEY = "sk-or-v1-lived"
PROGRAM = Path(__file__).with_name("lived_program.py")
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")

# Of each some with a name as long as there are.
MODELS = (
    "openai/gpt-5",
    "anthropic/claude-sonnet-4.5",
    "nousresearch/hermes-4-405b-instruct-extended-preview:free",
)
USERS = ("alice", "customer-success-automation@example.com")


class Kind(NamedTuple):
    """A way in which a call can go.

    Attributes:
        kind: what the program does.
        scenario: what the stand-in does.
        weight: how often, against the others.
        retries: that the client may make.
    """

    kind: str
    scenario: str
    weight: float
    retries: int = 0


KINDS = (
    Kind("plain", "good", 30),
    Kind("stream", "good", 30),
    Kind("stream", "reasoning", 5),
    Kind("plain", "details", 5),
    Kind("plain", "length", 3),
    Kind("plain", "byok;fee=0.0001", 5),
    Kind("plain", "no-cost", 3),
    Kind("plain", "cache-hit", 2),
    Kind("plain", "flaky;failures=1", 4, retries=2),
    Kind("embeddings", "good", 3),
    Kind("by_hand", "good", 2),
    Kind("abandoned", "endless", 3),
    Kind("parsed", "unparsable", 1.5),  # paid for, and of no use
    Kind("plain", "error;status=429", 1.5),
    Kind("plain", "error-in-200", 1),
    Kind("stream", "stream-error", 1),
    Kind("unanswered", "hang", 0.5),
)
OUTAGE = (Kind("plain", "error;status=503", 2), Kind("plain", "good", 1))

Call = Mapping[str, Any]


@dataclass(frozen=True)
class Life:
    """One process: its service, when it lives, who scrapes it, and its calls in order."""

    service: str
    begins: int
    ends: int
    calls: Sequence[Call]
    jobs: tuple[str, ...] = ("openrouter",)


@dataclass(frozen=True)
class Lived:
    """What Prometheus scraped, as OpenMetrics text, and what OpenRouter knows of it."""

    openmetrics: str
    book: Book


def a_week(
    end: int, *, seed: int = 1, models: Sequence[str] = MODELS, users: Sequence[str] = USERS, calls_an_hour: float = 7
) -> list[Life]:
    """Eight days of a shop: a server that is replaced a day before the `end`, a job every third night, an outage.

    The last process is scraped by two jobs; in the outage, nine hours before the end, two of three calls fail.
    """
    dice = random.Random(seed)
    begin, replaced = end - 8 * DAY, end - 20 * HOUR
    outage = end - 9 * HOUR

    def calls(since: float, until: float, rate: float, kinds: Sequence[Kind] = KINDS) -> list[Call]:
        return [_call(dice, at, kinds, models, users) for at in moments(dice, since, until, rate)]

    trouble = [_call(dice, outage + 90 * number, OUTAGE, models, users) for number in range(40)]
    last_day = [call for call in calls(replaced, end, calls_an_hour) if not 0 <= call["at"] - outage < HOUR]
    nights = range(end // DAY * DAY + 2 * HOUR, begin, -3 * DAY)
    return [
        Life("shop", begin, replaced, calls(begin, replaced, calls_an_hour)),
        Life(
            "shop",
            replaced,
            end,
            sorted([*last_day, *trouble], key=lambda call: float(call["at"])),
            ("openrouter", "replica"),
        ),
        *(Life("nightly", night, night + HOUR, calls(night, night + HOUR, 10 * calls_an_hour)) for night in nights),
    ]


def _call(dice: random.Random, at: float, kinds: Sequence[Kind], models: Sequence[str], users: Sequence[str]) -> Call:
    place = min(int(dice.expovariate(3.6 / len(users))), len(users) - 1)
    kind = dice.choices(kinds, [kind.weight for kind in kinds])[0]
    tokens = f"prompt_tokens={int(dice.lognormvariate(7.2, 0.9))};completion_tokens={int(dice.lognormvariate(6, 0.7))}"
    return {
        "at": at,
        "kind": kind.kind,
        # Everybody has favourites: a user does not call every model.
        "model": models[(place + dice.choice((0, 0, 1, 2))) % len(models)],
        "user": users[place] if dice.random() < 0.9 else None,
        "scenario": kind.scenario if kind.scenario == "details" else f"{kind.scenario};{tokens}",
        "retries": kind.retries,
        "seconds": dice.lognormvariate(0.9, 0.5),
    }


class Program:
    """A context manager around one process that lives a `Life`.

    Args:
        life: what it is to do.
        openrouter: whom it calls.
    """

    def __init__(self, life: Life, openrouter: FakeOpenRouter) -> None:
        self._life = life
        self._calls = list(life.calls)
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "OPENROUTER_"))}
        settings = {
            "LIFE_BEGINS": str(life.begins),
            "OPENROUTER_API_KEY": KEY,
            "OPENROUTER_OTEL_BASE_URLS": openrouter.base_url,
            "OPENROUTER_OTEL_METRIC_TAGS": "team",
            "OTEL_EXPORTER_PROMETHEUS_PORT": "0",  # whichever is free
            "OTEL_SERVICE_NAME": life.service,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=demo",
        }
        command, environment = [sys.executable, str(PROGRAM)], {**plain, **settings}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, encoding="utf-8"
        )
        self._metrics = f"http://127.0.0.1:{self._said()}/metrics"

    def go_on(self, until: int) -> None:
        """Have it live until then."""
        due = [call for call in self._calls if call["at"] < until]
        del self._calls[: len(due)]
        assert self._process.stdin is not None
        print(json.dumps({"calls": due, "until": until}), file=self._process.stdin, flush=True)

    def scraped(self, at: int) -> Iterator[str]:
        """When it has lived that long: what its /metrics shows each of those who scrape it."""
        self._said()
        with urllib.request.urlopen(self._metrics, timeout=30) as answer:
            text = answer.read().decode()
        for job in self._life.jobs:
            yield from _stamped(text, f'job="{job}",instance="{job}:9464"', at)

    def _said(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended with status {self._process.wait()}")
        return line.strip()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(30)


def lived(lives: Sequence[Life]) -> Lived:
    """Let them all live, side by side."""
    begin, end = min(life.begins for life in lives), max(life.ends for life in lives)
    now = begin

    with FakeOpenRouter() as openrouter, ExitStack() as stack:
        openrouter.clock = openrouter.called_at = lambda: now
        account = _Account(openrouter, lambda: float(now))
        programs: dict[int, Program] = {}
        lines: list[str] = []
        for scrape in scrapes(begin, end):
            living = [number for number, life in enumerate(lives) if life.begins < scrape <= life.ends]
            for number in living:
                if number not in programs:
                    programs[number] = stack.enter_context(Program(lives[number], openrouter))
            alive = [programs[number] for number in living]
            for program in alive:
                program.go_on(scrape)
            for program in alive:
                lines += program.scraped(scrape)
            now = scrape
            lines += account.scraped(scrape)
        openrouter.book.settle()
        return Lived("".join([*lines, "# EOF\n"]), openrouter.book)


def scrapes(begin: int, end: int) -> list[int]:
    """When Prometheus looks: every hour, but every half in the last day and a bit."""
    lately = end - 26 * HOUR
    return [*range(begin + HOUR, lately, HOUR), *range(max(begin + HOUR, lately), end + 1, HOUR // 2)]


class _Account:
    """The exporter's collector of an account, asked as its thread would."""

    def __init__(self, openrouter: FakeOpenRouter, clock: Any) -> None:
        self._collector = AccountCollector(Books(openrouter.base_url, KEY, MANAGEMENT_KEY, waits=()), clock)
        self._registry = CollectorRegistry()
        self._registry.register(self._collector)

    def scraped(self, at: int) -> Iterable[str]:
        self._collector.poll()
        return _stamped(generate_latest(self._registry).decode(), 'job="account"', at)


def _stamped(text: str, labels: str, at: int) -> Iterator[str]:
    """An exposition's samples with what Prometheus adds: who was scraped, and when."""
    for name, own, value in SAMPLE.findall(re.sub("^#.*\n", "", text, flags=re.MULTILINE)):
        yield f"{name}{{{own}{',' if own else ''}{labels}}} {value} {at}\n"
