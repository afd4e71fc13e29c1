"""A day in the life of some instrumented processes, as the OpenMetrics text a Prometheus would have scraped.

Everything that makes counting hard is in it: processes that start and end within the day, one scraped by two jobs, a
gap of hours, scripts that make a single call and are scraped once, a life before the window. And `History` knows the
truth, because it made the calls up. `lived_history` makes none up, but knows less and takes longer.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from openrouter_otel import names
from openrouter_otel.names import Metric, label

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY
MONDAY = 4 * DAY  # the epoch was a Thursday


@dataclass(frozen=True)
class Offer:
    """A model as OpenRouter would sell it; prices in USD per token, latencies in seconds."""

    model: str
    provider: str
    input_price: Decimal
    output_price: Decimal
    median_seconds: float
    popularity: int


OFFERS = (
    Offer("openai/gpt-5-mini", "OpenAI", Decimal("0.00000025"), Decimal("0.000002"), 2.4, 8),
    Offer("anthropic/claude-sonnet-4.5", "Anthropic", Decimal("0.000003"), Decimal("0.000015"), 4.1, 4),
    Offer("google/gemini-2.5-flash", "Google", Decimal("0.0000003"), Decimal("0.0000025"), 1.3, 7),
    Offer("deepseek/deepseek-chat-v3.1", "DeepSeek", Decimal("0.0000002"), Decimal("0.0000008"), 6.0, 3),
    Offer("meta-llama/llama-3.3-70b-instruct", "Together", Decimal("0.00000013"), Decimal("0.0000004"), 1.8, 3),
)
USERS = ("alice", "bob", "carol", "dave", "search-service", "nightly-eval")
TEAMS = ("search", "support")  # a tag: it tells series apart, and no board knows of it
LONG_ANSWER = 1200  # tokens; longer ones are cut off
VERSION, OPENAI_VERSION = "0.1.0", "3.54.0"
TIMEOUT = "APITimeoutError"  # the one error after which a charge may exist
ERROR_TYPES = ("rate_limit_exceeded", "provider_unavailable", "http_502", TIMEOUT)


@dataclass(frozen=True)
class Call:
    """One ended call."""

    at: float
    offer: Offer
    user: str
    team: str
    outcome: str
    cost_source: str
    cost: Decimal
    input_tokens: int
    output_tokens: int
    seconds: float
    first_token: float | None
    error_type: str | None
    retries: int
    cached_tokens: int


@dataclass(frozen=True)
class Process:
    """One instrumented process: its identity, when it was scraped, by whom, and what it did."""

    identity: str
    jobs: tuple[str, ...]
    scrapes: tuple[float, ...]
    calls: tuple[Call, ...]

    def seen_at(self, call: Call) -> float:
        """The first scrape that shows a call; the last scrape is at the process' end, so there is always one."""
        return self.scrapes[bisect_left(self.scrapes, call.at)]


Labels = tuple[tuple[str, str], ...]


def _unnamed(call: Call) -> dict[str, str]:
    return {
        names.MODEL: call.offer.model,
        names.UPSTREAM: call.offer.provider,
        names.OPERATION: "chat",
        f"{names.TAG_PREFIX}team": call.team,
    }


def _labels(attributes: Mapping[str, str]) -> Labels:
    return tuple((label(attribute), value) for attribute, value in attributes.items())


class Counters:
    """What one process shows on /metrics, as far as it has got."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, Labels], Decimal | float] = {}

    def add(self, name: str, labels: Mapping[str, str], amount: Decimal | float) -> None:
        """Raise one counter."""
        key = (name, _labels(labels))
        before = self.values.get(key, Decimal(0) if isinstance(amount, Decimal) else 0)
        self.values[key] = before + amount  # type: ignore[operator]  # one series never mixes the two

    def observe(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """Record one value of a histogram."""
        for bound in (*metric.buckets, math.inf):
            le = "+Inf" if math.isinf(bound) else str(bound)
            self.add(f"{metric.prometheus}_bucket", {**labels, "le": le}, int(value <= bound))
        self.add(f"{metric.prometheus}_sum", labels, value)
        self.add(f"{metric.prometheus}_count", labels, 1)

    def extremes(self, calls: Iterable[Call]) -> dict[tuple[str, Labels], float]:
        """The gauges that show the shortest and longest of some calls that went well."""
        shown: dict[tuple[str, Labels], float] = {}
        for call in calls:
            if call.outcome == names.OK:
                labels = _labels(_unnamed(call))
                for metric, chosen in ((names.DURATION_MIN, min), (names.DURATION_MAX, max)):
                    key = (metric.prometheus, labels)
                    shown[key] = chosen(shown.get(key, call.seconds), call.seconds)
        return shown

    def ended(self, call: Call) -> None:
        """Count a call as the package does."""
        unnamed = _unnamed(call)
        base = {**unnamed, names.USER: call.user}
        how = {names.OUTCOME: call.outcome, names.COST_SOURCE: call.cost_source}
        if call.outcome == names.OK:
            how[names.FINISH_REASON] = "length" if call.output_tokens > LONG_ANSWER else "stop"
        self.add(names.REQUESTS.prometheus, {**base, **how}, 1)
        if call.retries:
            self.add(names.RETRIES.prometheus, base, call.retries)
        if call.cost_source == names.REPORTED:
            paid = {names.COST_SOURCE: call.cost_source, names.PAYEE: names.OPENROUTER, names.OUTCOME: call.outcome}
            self.add(names.COST.prometheus, {**base, **paid}, call.cost)
            self.add(names.TOKENS.prometheus, {**base, names.TOKEN_TYPE: names.INPUT}, call.input_tokens)
            self.add(names.TOKENS.prometheus, {**base, names.TOKEN_TYPE: names.OUTPUT}, call.output_tokens)
            if call.cached_tokens:
                detail = {**base, names.TOKEN_TYPE: "cache_read"}
                self.add(names.TOKENS_DETAIL.prometheus, detail, call.cached_tokens)
        if call.error_type:
            self.add(names.ERRORS.prometheus, {**base, names.ERROR_TYPE: call.error_type}, 1)
        self.observe(names.DURATION, {**base, names.OUTCOME: call.outcome}, call.seconds)
        if call.outcome == names.OK:
            self.add(names.DURATION_SQUARED.prometheus, unnamed, call.seconds**2)
        if call.first_token is not None:
            self.observe(names.FIRST_TOKEN, unnamed, call.first_token)
            self.observe(names.OUTPUT_RATE, unnamed, call.output_tokens / (call.seconds - call.first_token))


@dataclass(frozen=True)
class History:
    """All processes, and the truth about them."""

    processes: tuple[Process, ...]

    @cached_property
    def seen(self) -> list[tuple[float, Call]]:
        """Every call, at the time a Prometheus could first know of it."""
        return [(process.seen_at(call), call) for process in self.processes for call in process.calls]

    def calls(self, since: float, until: float) -> list[Call]:
        """The calls that became known in (since, until]."""
        return [call for at, call in self.seen if since < at <= until]

    def spend_by_model(self, since: float, until: float) -> dict[str, Decimal]:
        """What was spent, to the digit."""
        spend: dict[str, Decimal] = defaultdict(Decimal)
        for call in self.calls(since, until):
            spend[call.offer.model] += call.cost
        return dict(spend)

    def openmetrics(self, only: str | tuple[str, ...] = "") -> str:
        """Every sample of every scrape, for ``promtool``; `only` those whose name begins like that."""
        return "".join([*(line for process in self.processes for line in _lines(process, only)), "# EOF\n"])

    def openmetrics_with_account(self, since: int, until: int, only: str | tuple[str, ...] = "") -> str:
        """The same, and an account's gauges in a span of time."""
        return "".join([self.openmetrics(only).removesuffix("# EOF\n"), *self._account(since, until), "# EOF\n"])

    def _account(self, since: int, until: int) -> Iterator[str]:
        """What ``openrouter-otel exporter`` would add; OpenRouter's books know a little more than we saw."""
        for at in reversed(range(until, since - 1, -max(300, (until - since) // 400))):
            total, week, today = (
                1.02 * float(sum(self.spend_by_model(max(since, start), at).values()))
                for start in (since, (at - MONDAY) // WEEK * WEEK + MONDAY, at // DAY * DAY)
            )
            for period, value in {"total": 40 + total, "monthly": total, "weekly": week, "daily": today}.items():
                yield f'{names.KEY_USAGE.prometheus}{{period="{period}",job="account"}} {value!r} {at}\n'
            for metric, amount in {
                names.KEY_LIMIT: 250.0,
                names.KEY_LIMIT_REMAINING: 250 - total,
                names.CREDITS_REMAINING: 200 - total,
                names.KEY_FREE_REQUESTS: 950.0,
            }.items():
                yield f'{metric.prometheus}{{job="account"}} {amount!r} {at}\n'
            resolved = (at - since) // (6 * HOUR)
            labels = 'process="00000000000000aa",user="alice",model="openai/gpt-5-mini",job="account"'
            yield f"{names.RESOLVED.prometheus}{{{labels}}} {resolved}.0 {at}\n"


def _lines(process: Process, only: str | tuple[str, ...]) -> Iterator[str]:
    counters = Counters()
    about = {
        (names.BUILD_INFO.prometheus, (("version", VERSION), ("openai_version", OPENAI_VERSION))): 1.0,
        (names.PROCESS_START.prometheus, ()): min([process.scrapes[0], *(call.at for call in process.calls)]),
    }
    waiting = iter(sorted(process.calls, key=lambda call: call.at))
    call = next(waiting, None)
    for scrape in process.scrapes:
        new = []
        while call is not None and call.at <= scrape:
            counters.ended(call)
            new.append(call)
            call = next(waiting, None)
        who = f'process="{process.identity}"'
        for (name, labels), value in {**about, **counters.values, **counters.extremes(new)}.items():
            if not name.startswith(only):
                continue
            own = "".join(f'{key}="{text}",' for key, text in labels)
            for job in process.jobs:
                arrival = f'job="{job}",instance="{job}:9464",service_name="shop",deployment_environment_name="demo"'
                yield f"{name}{{{own}{who},{arrival}}} {float(value)!r} {scrape:.0f}\n"


def make_history(
    end: float,
    *,
    seed: int = 1,
    hours: int = 34,
    step: int = 300,
    calls_an_hour: int = 12,
    offers: Iterable[Offer] = OFFERS,
    users: Iterable[str] = USERS,
    gap: bool = True,
    gap_hours: int = 5,
) -> History:
    """The `hours` before `end`: a server that runs throughout, one restarted in between, scripts that make one call."""
    dice = random.Random(seed)
    begin = end - hours * HOUR
    dark = range(hours - 12 - gap_hours, hours - 12) if gap else range(0)
    long_lives = (  # first hour, last hour, jobs, hours without a scrape
        (0, hours, ("openrouter",), dark),
        (0, hours - 14, ("openrouter",), range(0)),
        (hours - 14, hours, ("openrouter", "replica"), range(0)),
    )
    lives: list[tuple[tuple[str, ...], list[float], list[float]]] = []  # jobs, scrapes, moments of calls
    for first, last, jobs, unseen in long_lives:
        start, stop = begin + first * HOUR, begin + last * HOUR
        scrapes = [begin + at for at in range(first * HOUR + step, last * HOUR + 1, step) if at // HOUR not in unseen]
        lives.append((jobs, scrapes, moments(dice, start, stop, calls_an_hour)))
    for _ in range(hours // 2):  # scripts that make one call and are scraped once
        moment = dice.uniform(begin, end - step)
        lives.append((("openrouter",), [math.ceil(moment)], [moment]))
    return History(
        tuple(
            Process(
                identity=f"{dice.getrandbits(64):016x}",
                jobs=jobs,
                scrapes=tuple(scrapes),
                calls=tuple(_call(dice, at, tuple(offers), tuple(users)) for at in moments if at <= scrapes[-1]),
            )
            for jobs, scrapes, moments in lives
        )
    )


def moments(dice: random.Random, start: float, stop: float, calls_an_hour: float) -> list[float]:
    """Random times, fewer at night."""
    moments: list[float] = []
    at = start
    while True:
        at += dice.expovariate(2 * calls_an_hour / HOUR)
        if at >= stop:
            return moments
        day = 0.5 - 0.5 * math.cos(2 * math.pi * (at % DAY) / DAY)
        if dice.random() < 0.1 + 0.9 * day**1.5:
            moments.append(at)


def _call(dice: random.Random, at: float, offers: tuple[Offer, ...], users: tuple[str, ...]) -> Call:
    place = min(int(dice.expovariate(3.6 / len(users))), len(users) - 1)
    # Everybody has favourites: a user does not call every model.
    liked = [offers[(place + shift) % len(offers)] for shift in range(3)]
    offer = dice.choices(liked, [offer.popularity for offer in liked])[0]
    fate = dice.random()
    outcome = names.OK if fate < 0.955 else names.ERROR if fate < 0.98 else names.ABANDONED
    error_type = dice.choice(ERROR_TYPES) if outcome == names.ERROR else None
    answered = error_type is not None and error_type != TIMEOUT
    # Some abandoned streams had shown their usage: they were paid for, and bought nothing.
    priced = outcome == names.OK or (outcome == names.ABANDONED and fate > 0.99)
    source = names.REPORTED if priced else names.FREE_FAILURE if answered else names.UNPRICED
    tokens_in, tokens_out = int(dice.lognormvariate(7.2, 0.9)), int(dice.lognormvariate(6.0, 0.7))
    seconds = offer.median_seconds * dice.lognormvariate(0, 0.5)
    streamed = outcome != names.ERROR and dice.random() < 0.6
    return Call(
        at=at,
        offer=offer,
        user=users[place],
        team=dice.choice(TEAMS),
        outcome=outcome,
        cost_source=source,
        cost=tokens_in * offer.input_price + tokens_out * offer.output_price if priced else Decimal(0),
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        seconds=seconds,
        first_token=seconds * dice.uniform(0.1, 0.3) if streamed else None,
        error_type=error_type,
        retries=int(dice.random() < 0.03) + int(outcome == names.ERROR),
        cached_tokens=int(tokens_in * dice.choice((0, 0, 0.25, 0.5))),
    )
