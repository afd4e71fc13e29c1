"""Who a call is for, and what a block of calls has cost: `usage_context`, requests, headers, baggage, `record()`."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import hashlib
import hmac
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import baggage, context

from contract.driving import GOOD, MODEL, PRICED, Caller, Each, Measure, Telemetry, asking, labels
from fake_openrouter import FakeOpenRouter
from openrouter_otel import OpenRouterInstrumentor, RunningUsage, instrumentor, names, record, usage_context

HASH_KEY = "a key of at least sixteen characters"


def users(telemetry: Telemetry) -> list[str]:
    """Of the calls, in the order in which they ended."""
    return [str((span.attributes or {}).get("user.id", names.ANONYMOUS)) for span in telemetry.spans]


def counted_users(telemetry: Telemetry, metric: names.Metric = names.REQUESTS) -> dict[str, int]:
    return {dict(point)["user"]: count for point, count in telemetry.points(metric).items()}


def only(telemetry: Telemetry) -> dict[str, Any]:
    return dict(telemetry.span.attributes or {})


# --- who ---
def test_a_block_says_who_calls(caller: Caller, measure: Measure) -> None:
    telemetry = measure(metric_tags=["team"])

    async def body() -> None:
        with usage_context(user="alice", session="s-1", tags={"team": "search", "run": 7}):
            await caller.create()

    caller.run(body())
    attributes = only(telemetry)
    assert (attributes["user.id"], attributes["session.id"]) == ("alice", "s-1")
    assert (attributes["tag.team"], attributes["tag.run"]) == ("search", "7")
    for metric in (names.REQUESTS, names.TOKENS, names.COST, names.DURATION):
        for point in telemetry.points(metric):
            assert {("user", "alice"), ("tag.team", "search")} <= point
            assert not [name for name, _ in point if name in ("tag.run", "session")]
    for metric in (names.DURATION_SQUARED, names.DURATION_MIN, names.DURATION_MAX):
        for point in telemetry.points(metric):
            assert "user" not in dict(point)
            assert ("tag.team", "search") in point


def test_the_inner_block_wins_and_the_outer_one_counts_too(caller: Caller, measure: Measure) -> None:
    telemetry = measure(metric_tags=["a", "b", "batch"])

    async def body() -> tuple[RunningUsage, RunningUsage]:
        with usage_context(user="outer", session="s", tags={"a": "1", "b": "1"}) as outer:
            await caller.create()
            async with usage_context(user="inner", tags=["batch"]) as inner, usage_context(tags={"b": "2"}):
                await caller.create()
            await caller.create()
        await caller.create()
        return outer, inner

    outer, inner = caller.run(body())
    assert users(telemetry) == ["outer", "inner", "outer", names.ANONYMOUS]
    assert (outer.requests, inner.requests) == (3, 1)
    assert (outer.cost, inner.cost) == (Decimal("0.09"), Decimal("0.03"))
    assert telemetry.total(names.REQUESTS, **{"user": "inner", "tag.a": "1", "tag.b": "2", "tag.batch": "true"}) == 1
    assert telemetry.total(names.REQUESTS, **{"user": "outer", "tag.a": "1", "tag.b": "1"}) == 2
    assert [span.attributes["session.id"] for span in telemetry.spans[:3] if span.attributes] == ["s"] * 3


def test_the_requests_own_word_beats_the_block_and_the_block_beats_baggage(
    caller: Caller, telemetry: Telemetry
) -> None:
    async def body() -> None:
        token = context.attach(baggage.set_baggage("user.id", "from baggage"))
        try:
            await caller.create()
            with usage_context(user="from block"):
                await caller.create()
                await caller.create(user="from request")
                await caller.create(extra_body={"user": "from extra body"})
        finally:
            context.detach(token)
        await caller.create()

    caller.run(body())
    assert users(telemetry) == ["from baggage", "from block", "from request", "from extra body", names.ANONYMOUS]
    assert counted_users(telemetry) == dict.fromkeys(users(telemetry), 1)


def test_baggage_knows_two_names_for_a_user(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        for entries in ({"enduser.id": "b"}, {"enduser.id": "b", "user.id": "a"}, {"user.id": ""}, {"user.id": 7}):
            attached = context.get_current()
            for name, value in entries.items():
                attached = baggage.set_baggage(name, value, attached)
            token = context.attach(attached)
            await caller.create()
            context.detach(token)

    caller.run(body())
    assert users(telemetry) == ["b", "a", names.ANONYMOUS, names.ANONYMOUS]


@pytest.mark.parametrize(
    ("more", "session"),
    [
        ({"extra_body": {"session_id": "body"}, "extra_headers": {"X-Session-Id": "header"}}, "body"),
        ({"extra_headers": {"X-Session-Id": "header"}}, "header"),
        ({}, "block"),
    ],
)
def test_a_session_is_told_by_the_body_or_the_header_or_the_block(
    more: dict[str, Any], session: str, caller: Caller, telemetry: Telemetry
) -> None:
    async def body() -> None:
        with usage_context(session="block"):
            await caller.create(**more)

    caller.run(body())
    assert only(telemetry)["session.id"] == session


def test_a_session_may_be_a_default_header_of_the_client(caller: Caller, telemetry: Telemetry) -> None:
    caller.run(caller.using(default_headers={"x-session-id": "client"}).create())

    assert only(telemetry)["session.id"] == "client"


def test_the_requests_metadata_are_tags_under_those_of_the_block(caller: Caller, measure: Measure) -> None:
    telemetry = measure(metric_tags=["team", "stage"])

    async def body() -> None:
        with usage_context(tags={"team": "block"}):
            asked = {"team": "request", "stage": "test", "ticket": "4711"}
            await caller.create(extra_body={"metadata": asked})  # openai 1.40 has no parameter for it

    caller.run(body())
    attributes = only(telemetry)
    assert {name: attributes[name] for name in attributes if name.startswith("tag.")} == {
        "tag.team": "block", "tag.stage": "test", "tag.ticket": "4711",
    }  # fmt: skip
    assert telemetry.total(names.REQUESTS, **{"tag.team": "block", "tag.stage": "test"}) == 1
    assert telemetry.total(names.REQUESTS, **{"tag.ticket": "4711"}) == 0


@pytest.mark.parametrize("how", ["hashed", "off"])
def test_users_are_hashed_or_left_out_everywhere(how: str, caller: Caller, measure: Measure) -> None:
    settings = {"users": how} | ({"user_hash_key": HASH_KEY} if how == "hashed" else {})
    telemetry = measure(**settings)
    digest = hmac.new(HASH_KEY.encode(), b"alice", hashlib.sha256).hexdigest()[:16]

    async def body() -> None:
        await caller.create(user="alice")
        with usage_context(user="alice"):
            await caller.create()
            record({"choices": [{}], "usage": {"prompt_tokens": 1, "cost": 1}})
        record({"choices": [{}]}, user="alice")
        token = context.attach(baggage.set_baggage("user.id", "alice"))
        await caller.create(GOOD)
        context.detach(token)

    caller.run(body())
    known = digest if how == "hashed" else names.ANONYMOUS
    assert users(telemetry) == [known] * 5
    for metric in names.USAGE_METRICS:
        for point in telemetry.points(metric):
            assert dict(point).get("user", known) == known
    assert telemetry.total(names.REQUESTS) == 5
    assert "alice" not in "".join(span.to_json() for span in telemetry.spans)


def test_odd_words_never_stop_a_program(caller: Caller, telemetry: Telemetry) -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    async def body() -> int:
        with usage_context(user=7, session=8, tags=[Odd(), 3]) as usage:  # type: ignore[arg-type, list-item]  # what a caller must not pass
            await caller.create()
        with usage_context(user="", tags=5):  # type: ignore[arg-type]  # nor that
            await caller.create(user="")
        return usage.requests

    assert caller.run(body()) == 1
    assert users(telemetry) == ["7", names.ANONYMOUS]


# --- where a block reaches ---
def test_threads_follow_a_block_by_a_copied_context(sync_caller: Caller, telemetry: Telemetry) -> None:
    with usage_context(user="alice") as usage, ThreadPoolExecutor(4) as pool:
        copies = [contextvars.copy_context() for _ in range(8)]
        list(pool.map(lambda copy: copy.run(sync_caller.chat.create, **asking()), copies))
        pool.submit(sync_caller.chat.create, **asking()).result()

    assert counted_users(telemetry) == {"alice": 8, names.ANONYMOUS: 1}
    assert (usage.requests, usage.cost) == (8, Decimal("0.24"))


def test_tasks_inherit_their_block_and_keep_apart(async_caller: Caller, telemetry: Telemetry) -> None:
    async def one(user: str) -> int:
        with usage_context(user=user) as usage:
            await asyncio.gather(*(async_caller.create() for _ in range(3)))
            await async_caller.create()
        return usage.requests

    async def body() -> list[int]:
        with usage_context(tags=["together"]) as usage:
            counts = await asyncio.gather(*(one(f"user-{n}") for n in range(4)))
        return [*counts, usage.requests]

    assert async_caller.run(body()) == [4, 4, 4, 4, 16]
    assert counted_users(telemetry) == {f"user-{n}": 4 for n in range(4)}


def test_a_stream_that_ends_after_its_block_still_counts_there(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        with usage_context(user="alice") as usage:
            stream = await caller.create(GOOD, stream=True)
            assert usage.requests == 0
        with usage_context(user="bob") as other:
            await caller.read(stream)
        assert (usage.requests, usage.cost, usage.input_tokens, usage.output_tokens) == (1, Decimal("0.03"), 10, 20)
        assert other.requests == 0

    caller.run(body())
    assert users(telemetry) == ["alice"]


def test_a_block_may_be_left_in_another_context_than_it_was_entered_in(caller: Caller, telemetry: Telemetry) -> None:
    """As an async generator is that a web framework closes from a task of its own."""
    block = usage_context(user="alice")
    contextvars.copy_context().run(block.__enter__)
    contextvars.copy_context().run(block.__exit__, None, None, None)

    caller.run(caller.create())
    assert users(telemetry) == [names.ANONYMOUS]


# --- what it cost ---
def test_a_blocks_usage_is_exact_where_floats_are_not(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> RunningUsage:
        with usage_context() as usage:
            for _ in range(10):
                await caller.create("good;cost=0.1;prompt_tokens=1;completion_tokens=2")
            await caller.create("good;cost=0.000000000001;prompt_tokens=1;completion_tokens=2")
            await caller.create(f"byok;{PRICED};fee=0.001")
        return usage

    usage = caller.run(body())
    assert usage.cost == Decimal("1.031000000001")
    assert isinstance(usage.cost, Decimal)
    assert telemetry.total(names.COST) == pytest.approx(1.031000000001, abs=1e-15)
    assert (usage.input_tokens, usage.output_tokens) == (11 + 10, 22 + 20)


def test_what_nobody_priced_is_counted_apart(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> RunningUsage:
        with usage_context() as usage:
            await caller.create(f"no-cost;{PRICED}")
            await caller.create(f"byok-silent;{PRICED};fee=0.001")
            await caller.create("free")
            await caller.create("choices-null")
            stream = await caller.create("endless;chunk_delay=0.001", stream=True)
            await Each(stream).__anext__()
            await caller.close(stream)
        return usage

    usage = caller.run(body())
    assert (usage.requests, usage.unpriced, usage.cost) == (5, 3, Decimal("0.001"))
    assert telemetry.total(names.REQUESTS, cost_source=names.UNPRICED) == 3


def test_a_forgotten_streams_block_learns_of_it(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> RunningUsage:
        with usage_context() as usage:
            await caller.create("endless;chunk_delay=0.001", stream=True)
        return usage

    usage = caller.run(body())
    caller.collect()
    assert (usage.requests, usage.unpriced) == (1, 1)
    assert telemetry.total(names.REQUESTS, outcome=names.ABANDONED) == 1


def test_the_usage_of_a_block_can_be_read_from_other_threads_meanwhile(
    sync_caller: Caller, telemetry: Telemetry
) -> None:
    done = threading.Event()
    seen: list[Decimal] = []
    with usage_context() as usage:
        reader = threading.Thread(target=lambda: seen.extend(usage.cost for _ in iter(done.is_set, True)))
        reader.start()
        for _ in range(10):
            sync_caller.chat.create(**asking())
        done.set()
        reader.join(timeout=5)

    assert not reader.is_alive()
    assert seen == sorted(seen)
    assert usage.cost == Decimal("0.30")
    assert telemetry.total(names.REQUESTS) == 10


# --- record() ---
ANSWER: dict[str, Any] = {
    "id": "gen-1-x",
    "model": MODEL,
    "provider": "OpenAI",
    "choices": [{"finish_reason": "stop", "native_finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 20, "cost": 0.03, "is_byok": False},
}


def as_object(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(item) for name, item in value.items()})
    return [as_object(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("shape", [dict, as_object], ids=["dict", "object"])
def test_a_call_made_without_the_client_is_counted_like_any_other(shape: Any, telemetry: Telemetry) -> None:
    with usage_context(session="s-1", tags=["batch"]) as usage:
        record(shape(ANSWER), latency_ms=812, user="alice", tags={"team": "x"})

    attributes = telemetry.the_only_call()
    expected = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": MODEL, "gen_ai.response.model": MODEL,
        "gen_ai.response.id": "gen-1-x", "gen_ai.usage.cost": 0.03, "openrouter.outcome": "ok",
        "openrouter.provider": "OpenAI", "user.id": "alice", "session.id": "s-1",
        "tag.batch": "true", "tag.team": "x",
    }  # fmt: skip
    assert {name: attributes.get(name) for name in expected} == expected
    span = telemetry.span
    assert span.end_time is not None
    assert span.start_time is not None
    assert (span.end_time - span.start_time) == pytest.approx(812_000_000, abs=1000)
    base = {"model": MODEL, "provider": "OpenAI", "operation": "chat", "user": "alice"}
    assert telemetry.points(names.TOKENS) == {
        labels(**base, token_type="input"): 10,
        labels(**base, token_type="output"): 20,
    }
    assert telemetry.total(names.COST) == 0.03
    assert telemetry.points(names.DURATION) == {labels(**base, outcome="ok"): 1}
    assert (usage.requests, usage.cost) == (1, Decimal("0.03"))


def test_an_answer_of_the_client_itself_can_be_recorded(caller: Caller, telemetry: Telemetry) -> None:
    with telemetry.asleep():
        answer = caller.run(caller.create())
    record(answer)

    assert telemetry.the_only_call()["gen_ai.response.id"] == answer.id
    assert telemetry.points(names.DURATION) == {}, "nobody said how long it took"
    assert telemetry.total(names.COST) == 0.03


def test_a_recorded_failure_is_an_error(telemetry: Telemetry) -> None:
    record({"error": {"code": 429, "message": "no", "metadata": {"error_type": "rate_limit_exceeded"}}}, model="a/b")

    attributes = telemetry.the_only_call()
    assert (attributes["error.type"], attributes["gen_ai.request.model"]) == ("rate_limit_exceeded", "a/b")
    assert attributes["openrouter.cost_source"] == names.FREE_FAILURE


def test_a_recorded_fallback_tells_both_models(telemetry: Telemetry) -> None:
    record(ANSWER, model="asked/for")

    assert telemetry.total(names.REQUESTS, model=MODEL, requested_model="asked/for") == 1


@pytest.mark.parametrize("nonsense", [None, 5, "text", [], {"usage": 7, "choices": 8}, object()])
def test_recording_nonsense_never_raises(nonsense: Any, telemetry: Telemetry) -> None:
    record(nonsense, tags=3)  # type: ignore[arg-type]  # what a caller must not pass

    assert telemetry.total(names.REQUESTS) == len(telemetry.spans) == 1


@pytest.fixture
def _untold() -> Iterator[None]:
    before = list(instrumentor._warned)
    instrumentor._warned.clear()
    yield
    instrumentor._warned[:] = before


@pytest.mark.usefixtures("_untold", "openrouter")
def test_recording_before_instrument_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    assert not OpenRouterInstrumentor().is_instrumented_by_opentelemetry
    with caplog.at_level(logging.DEBUG, logger="openrouter_otel"):
        record(ANSWER)
        record(ANSWER)

    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "instrument()" in warning.getMessage()


def test_a_block_without_instrument_works_and_counts_nothing(caller: Caller, openrouter: FakeOpenRouter) -> None:
    async def body() -> RunningUsage:
        with usage_context(user="alice") as usage:
            await caller.create()
        return usage

    usage = caller.run(body())
    gc.collect()
    assert (usage.requests, usage.cost, usage.unpriced) == (0, Decimal(0), 0)
    assert len(openrouter.requests) == 1
