"""Many event loops and many threads: every call counts exactly once, for the one who made it and nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Final
from uuid import uuid4

import openai
import pytest
from opentelemetry import trace

from contract.driving import GOOD, HTTPX, KEY, PRICED, Caller, Each, Telemetry, asking
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names, usage_context

LOOPS: Final = 4
THREADS: Final = 12
ROUNDS: Final = 3


async def plain(caller: Caller) -> None:
    await caller.create()


async def exhausted(caller: Caller) -> None:
    await caller.read(await caller.create(GOOD, stream=True))


async def left_early(caller: Caller) -> None:
    async with caller.entered(await caller.create(f"endless;{PRICED};chunk_delay=0.001", stream=True)) as stream:
        await Each(stream).__anext__()


async def by_hand(caller: Caller) -> None:
    manager = caller.chat.with_streaming_response.create(**asking(GOOD, stream=True))
    async with caller.entered(manager) as response:
        await caller.read(response.iter_lines())


async def refused(caller: Caller) -> None:
    with pytest.raises(openai.APIStatusError):
        await caller.create("error;status=429")


async def retried(caller: Caller) -> None:
    await caller.using(max_retries=1).create(f"flaky;failures=1;key={uuid4().hex};retry_after=0.01;{PRICED}")


Calls = tuple[Callable[[Caller], Awaitable[None]], ...]
MIXTURE: Final[Calls] = (plain, exhausted, left_early, by_hand, refused, retried)
PRICED_CALLS: Final = 4
ENDINGS: Final = {names.OK: PRICED_CALLS, names.ABANDONED: 1, names.ERROR: 1}


async def everything(caller: Caller) -> None:
    """The whole mixture: with an async client all at once, with a sync one by one."""
    if caller.asynchronous:
        await asyncio.gather(*(call(caller) for call in MIXTURE))
    else:
        for call in MIXTURE:
            await call(caller)


def work(caller: Caller, user: str) -> tuple[int, Decimal]:
    """The mixture in a block of its own; what that block came to."""
    with usage_context(user=user) as usage:
        caller.run(everything(caller))
        assert trace.get_current_span() is trace.INVALID_SPAN
    return usage.requests, usage.cost


def expect_counted_apart(telemetry: Telemetry, openrouter: FakeOpenRouter, workers: int, rounds: int = 1) -> None:
    """Each worker's mixture, `rounds` times, under its own name, and all of it as the stand-in's book has it."""
    calls = workers * rounds
    counted: Counter[tuple[str, str]] = Counter()
    for point, count in telemetry.points(names.REQUESTS).items():
        counted[dict(point)["user"], dict(point)["outcome"]] += count
    assert counted == {
        (f"user-{number}", outcome): times * rounds for number in range(workers) for outcome, times in ENDINGS.items()
    }
    spans = [dict(span.attributes or {}) for span in telemetry.spans]
    assert Counter((str(span["user.id"]), str(span["openrouter.outcome"])) for span in spans) == counted
    assert {span.parent for span in telemetry.spans} == {None}, "no call is another one's child"
    assert sum(telemetry.points(names.DURATION).values()) == calls * len(MIXTURE)
    assert telemetry.total(names.ERRORS) == calls
    assert [telemetry.total(names.RETRIES, user=f"user-{number}") for number in range(workers)] == [rounds] * workers
    told = openrouter.book.totals().told
    assert told.charge == Decimal("0.03") * calls * PRICED_CALLS
    assert Decimal(str(round(telemetry.total(names.COST), 12))) == told.charge
    assert telemetry.total(names.TOKENS) == told.input + told.output


def client_for_one_loop_after_another(base_url: str) -> openai.AsyncOpenAI:
    """An idle connection would belong to the loop that opened it; this client keeps none."""
    http = HTTPX.AsyncClient(limits=HTTPX.Limits(max_keepalive_connections=0), verify=False)
    return openai.AsyncOpenAI(base_url=base_url, api_key=KEY, max_retries=0, timeout=10, http_client=http)


def on_a_loop_of_its_own(client: openai.AsyncOpenAI, user: str) -> tuple[int, Decimal]:
    loop = asyncio.new_event_loop()
    try:
        return work(Caller(client, loop), user)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


SPENT: Final = (len(MIXTURE), Decimal("0.03") * PRICED_CALLS)


def test_one_async_client_serves_one_event_loop_after_another(openrouter: FakeOpenRouter, telemetry: Telemetry) -> None:
    client = client_for_one_loop_after_another(openrouter.base_url)

    spent = [on_a_loop_of_its_own(client, f"user-{number}") for number in range(LOOPS)]

    assert spent == [SPENT] * LOOPS
    expect_counted_apart(telemetry, openrouter, LOOPS)


def test_threads_with_an_event_loop_each_run_at_once(openrouter: FakeOpenRouter, telemetry: Telemetry) -> None:
    together = threading.Barrier(LOOPS)

    def run(number: int) -> tuple[int, Decimal]:
        client = client_for_one_loop_after_another(openrouter.base_url)
        together.wait(timeout=10)
        return on_a_loop_of_its_own(client, f"user-{number}")

    with ThreadPoolExecutor(LOOPS) as pool:
        assert list(pool.map(run, range(LOOPS))) == [SPENT] * LOOPS
    expect_counted_apart(telemetry, openrouter, LOOPS)


def test_many_threads_share_one_sync_client(
    sync_caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    together = threading.Barrier(THREADS)

    def run(number: int) -> list[tuple[int, Decimal]]:
        together.wait(timeout=10)
        return [work(sync_caller, f"user-{number}") for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(run, range(THREADS))) == [[SPENT] * ROUNDS] * THREADS
    expect_counted_apart(telemetry, openrouter, THREADS, ROUNDS)
