"""However a call ends, it ends once: one span, one count, at the time at which its caller last had something of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from contract import canned
from contract.driving import GOOD, PRICED, Caller, Each, Measure, Telemetry, asking, seconds
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names

OPEN = f"endless;{PRICED};chunk_delay=0.001"  # whoever stops reading is sure not to have seen the end
PATIENCE = 60  # seconds that pass between a caller's last chunk and the end of its stream


async def begun(caller: Caller, wanted: str = OPEN, chunks: int = 3) -> Any:
    """A stream of which some chunks have been read, by an iterator that nobody holds any longer."""
    stream = await caller.create(wanted, stream=True)
    reading = Each(stream)
    for _ in range(chunks):
        await reading.__anext__()
    return stream


def expect_abandoned(caller: Caller, telemetry: Telemetry, cost_source: str = names.UNPRICED) -> None:
    caller.collect()
    attributes = telemetry.the_only_call()
    assert attributes["openrouter.outcome"] == names.ABANDONED
    assert attributes["openrouter.cost_source"] == cost_source
    assert "error.type" not in attributes
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert seconds(telemetry.span) < PATIENCE, "an abandoned stream ends at its last chunk"
    assert telemetry.total(names.REQUESTS, outcome=names.ABANDONED) == 1
    assert telemetry.points(names.ERRORS) == {}
    assert (telemetry.total(names.COST) == 0) == (cost_source == names.UNPRICED)


# --- a caller that stops reading ---
def test_closing_a_stream_abandons_it(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await begun(caller)
        telemetry.clock.advance(PATIENCE)
        await caller.close(stream)
        assert len(telemetry.spans) == 1, "not only when it is collected"

    caller.run(body())
    expect_abandoned(caller, telemetry)


def test_leaving_a_with_block_early_abandons_its_stream(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        async with caller.entered(await caller.create(OPEN, stream=True)) as stream:
            async for _ in Each(stream):
                break
            telemetry.clock.advance(PATIENCE)
        assert len(telemetry.spans) == 1

    caller.run(body())
    expect_abandoned(caller, telemetry)


def test_leaving_a_stream_helper_early_abandons_its_stream(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        async with caller.entered(caller.structured.stream(**asking(OPEN))) as events:
            async for _ in Each(events):
                break
            telemetry.clock.advance(PATIENCE)
        assert len(telemetry.spans) == 1

    caller.run(body())
    expect_abandoned(caller, telemetry)


def test_a_callers_exception_inside_a_with_block_abandons_its_stream(caller: Caller, telemetry: Telemetry) -> None:
    mine = RuntimeError("my own")

    async def body() -> None:
        async with caller.entered(await caller.create(OPEN, stream=True)) as stream:
            async for _ in Each(stream):
                telemetry.clock.advance(PATIENCE)
                raise mine

    with pytest.raises(RuntimeError) as raised:
        caller.run(body())
    assert raised.value is mine
    expect_abandoned(caller, telemetry)


def test_breaking_off_and_forgetting_abandons_a_stream(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        async for _ in Each(await caller.create(OPEN, stream=True)):
            break
        telemetry.clock.advance(PATIENCE)

    caller.run(body())
    expect_abandoned(caller, telemetry)


def test_a_stream_that_nobody_reads_is_abandoned_where_it_began(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await caller.create(OPEN, stream=True)
        telemetry.clock.advance(PATIENCE)

    caller.run(body())
    expect_abandoned(caller, telemetry)
    assert telemetry.points(names.FIRST_TOKEN) == {}


@pytest.mark.parametrize(
    ("shape", "cost_source"), [("A", names.UNPRICED), ("B", names.UNPRICED), ("C", names.REPORTED)]
)
def test_breaking_off_on_the_finishing_chunk_counts_what_the_stream_had_shown(
    shape: str, cost_source: str, caller: Caller, telemetry: Telemetry
) -> None:
    async def body() -> None:
        async with caller.entered(await caller.create(f"{GOOD};shape={shape}", stream=True)) as stream:
            async for chunk in Each(stream):
                if chunk.choices[0].finish_reason:
                    break

    caller.run(body())
    expect_abandoned(caller, telemetry, cost_source)
    assert telemetry.total(names.REQUESTS, finish_reason="stop") == 1
    assert telemetry.total(names.TOKENS) == (30 if cost_source == names.REPORTED else 0)


def test_closing_a_generator_around_a_stream_abandons_it(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await caller.create(OPEN, stream=True)
        if caller.asynchronous:
            chunks = (chunk async for chunk in stream)
            await chunks.__anext__()
            telemetry.clock.advance(PATIENCE)
            await chunks.aclose()
        else:
            items = (chunk for chunk in stream)
            next(items)
            telemetry.clock.advance(PATIENCE)
            items.close()

    caller.run(body())
    expect_abandoned(caller, telemetry)


def test_a_stream_outlives_uninstrument_and_is_counted_when_it_ends(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await begun(caller, GOOD)
        telemetry.uninstrument()
        assert telemetry.exporter.get_finished_spans() == ()
        await caller.read(stream)
        await caller.close(stream)

    caller.run(body())
    assert telemetry.the_only_call()["openrouter.outcome"] == names.OK
    assert telemetry.total(names.COST) == 0.03


def test_a_stream_that_is_dropped_after_uninstrument_is_abandoned(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await begun(caller)
        telemetry.clock.advance(PATIENCE)
        telemetry.uninstrument()
        del stream

    caller.run(body())
    expect_abandoned(caller, telemetry)


Handed = Callable[[Caller], Awaitable[Any]]


async def _raw(caller: Caller) -> Any:
    return await caller.given(caller.chat.with_raw_response.create(**asking(OPEN, stream=True)))


async def _raw_read_a_little(caller: Caller) -> Any:
    stream = (await _raw(caller)).parse()
    await Each(stream).__anext__()
    return stream


async def _streaming(caller: Caller, wanted: str, chunks: int, **more: Any) -> None:
    async with caller.entered(caller.chat.with_streaming_response.create(**asking(wanted, **more))) as response:
        lines = Each(response.iter_lines())
        for _ in range(chunks):
            await lines.__anext__()


@pytest.mark.parametrize(
    "call",
    [
        _raw,
        _raw_read_a_little,
        lambda caller: _streaming(caller, OPEN, 0, stream=True),
        lambda caller: _streaming(caller, OPEN, 7, stream=True),
        lambda caller: _streaming(caller, GOOD, 0),
    ],
    ids=["raw unread", "raw read a little", "by hand unread", "by hand read a little", "a plain body unread"],
)
def test_a_body_that_is_not_read_to_its_end_is_abandoned(call: Handed, caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await call(caller)

    caller.run(body())
    expect_abandoned(caller, telemetry)


# --- ways that meet ---
def test_a_call_that_ends_in_several_ways_counts_once(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        async with caller.entered(await caller.create(GOOD, stream=True)) as stream:
            await caller.read(stream)
            await caller.read(stream)
            await caller.close(stream)
        await caller.close(stream)

    caller.run(body())
    gc.collect()
    assert telemetry.the_only_call()["openrouter.outcome"] == names.OK
    assert telemetry.total(names.COST) == 0.03


def test_closing_twice_counts_once(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await begun(caller)
        telemetry.clock.advance(PATIENCE)
        await caller.close(stream)
        await caller.close(stream)

    caller.run(body())
    expect_abandoned(caller, telemetry)


# --- failures on the way ---
def expect_error(caller: Caller, telemetry: Telemetry, kind: str, cost_source: str) -> dict[str, Any]:
    caller.collect()
    attributes = telemetry.the_only_call()
    assert attributes["openrouter.outcome"] == names.ERROR
    assert attributes["openrouter.cost_source"] == cost_source
    assert attributes["error.type"] == kind
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.total(names.ERRORS, **{"error.type": kind}) == 1
    return attributes


def test_an_error_before_a_streams_first_byte(caller: Caller, telemetry: Telemetry) -> None:
    with pytest.raises(openai.InternalServerError):
        caller.run(caller.create("error;status=503", stream=True))
    expect_error(caller, telemetry, "provider_overloaded", names.FREE_FAILURE)


async def _typed_stream(caller: Caller, wanted: str) -> None:
    await caller.read(await caller.create(wanted, stream=True))


async def _typed_block(caller: Caller, wanted: str) -> None:
    async with caller.entered(await caller.create(wanted, stream=True)) as stream:
        await caller.read(stream)


async def _raw_stream(caller: Caller, wanted: str) -> None:
    answer = await caller.given(caller.chat.with_raw_response.create(**asking(wanted, stream=True)))
    await caller.read(answer.parse())


async def _parsed_stream(caller: Caller, wanted: str) -> None:
    manager = caller.chat.with_streaming_response.create(**asking(wanted, stream=True))
    async with caller.entered(manager) as response:
        await caller.read(await caller.given(response.parse()))


async def _lines(caller: Caller, wanted: str) -> None:
    manager = caller.chat.with_streaming_response.create(**asking(wanted, stream=True))
    async with caller.entered(manager) as response:
        await caller.read(response.iter_lines())


Reading = Callable[[Caller, str], Awaitable[None]]
TYPED = [_typed_stream, _typed_block, _raw_stream, _parsed_stream]
every_stream = pytest.mark.parametrize("read", [*TYPED, _lines], ids=lambda read: read.__name__.strip("_"))
every_typed_stream = pytest.mark.parametrize("read", TYPED, ids=lambda read: read.__name__.strip("_"))


@pytest.mark.parametrize("at", [0, 2, 4], ids=["first", "middle", "last"])
@every_typed_stream
def test_an_error_at_any_place_of_a_stream(read: Reading, at: int, caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await read(caller, f"stream-error;status=502;at={at};chunks=4")

    with pytest.raises(openai.APIError, match="Provider disconnected"):
        caller.run(body())
    attributes = expect_error(caller, telemetry, "provider_unavailable", names.FREE_FAILURE)
    assert attributes["openrouter.provider"] == "OpenAI"
    assert attributes["gen_ai.response.model"] == "openai/gpt-4o-mini"


def test_an_error_in_the_middle_of_lines_that_are_read_by_hand(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await _lines(caller, "stream-error;status=502")

    caller.run(body())
    expect_error(caller, telemetry, "provider_unavailable", names.FREE_FAILURE)


@every_stream
def test_an_error_that_only_a_choice_tells(read: Reading, caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await read(caller, "stream-choice-error;status=429")

    caller.run(body())
    expect_error(caller, telemetry, "rate_limit_exceeded", names.FREE_FAILURE)
    assert telemetry.total(names.REQUESTS, finish_reason="error") == 1


def test_an_error_that_was_shown_is_an_error_also_for_a_caller_that_stops_there(
    caller: Caller, telemetry: Telemetry
) -> None:
    async def body() -> None:
        async with caller.entered(await caller.create("stream-choice-error;status=429", stream=True)) as stream:
            async for chunk in Each(stream):
                if chunk.choices[0].finish_reason:
                    break

    caller.run(body())
    expect_error(caller, telemetry, "rate_limit_exceeded", names.FREE_FAILURE)


def test_a_choices_error_with_usage_is_charged(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await _typed_stream(caller, f"stream-choice-error;usage=full;{PRICED}")

    caller.run(body())
    expect_error(caller, telemetry, "provider_unavailable", names.REPORTED)
    assert telemetry.total(names.COST, outcome=names.ERROR) == 0.03


def test_a_connection_that_is_lost_before_the_answer(caller: Caller, telemetry: Telemetry) -> None:
    with pytest.raises(openai.APIConnectionError) as raised:
        caller.run(caller.create("drop"))
    # What the caller sees counts: over aiohttp the client takes a lost connection for a timeout.
    expect_error(caller, telemetry, type(raised.value).__name__, names.UNPRICED)


@every_stream
def test_a_connection_that_is_lost_in_the_middle(read: Reading, caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await read(caller, "stream-drop")

    with pytest.raises(Exception):  # noqa: B017, PT011  # by hand it is the HTTP library's own
        caller.run(body())
    expect_error(caller, telemetry, "APIConnectionError", names.UNPRICED)


def test_a_timeout_may_have_been_charged(caller: Caller, telemetry: Telemetry) -> None:
    with pytest.raises(openai.APITimeoutError):
        caller.run(caller.using(timeout=0.05).create("hang"))
    expect_error(caller, telemetry, "APITimeoutError", names.UNPRICED)


@every_stream
def test_a_timeout_in_the_middle_of_a_stream(read: Reading, caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await read(caller.using(timeout=0.3), "stream-hang")

    with pytest.raises(Exception):  # noqa: B017, PT011
        caller.run(body())
    attributes = expect_error(caller, telemetry, "APITimeoutError", names.UNPRICED)
    assert attributes["openrouter.provider"] == "OpenAI"


# --- cancellation ---
async def until(condition: Callable[[], object]) -> None:
    deadline = asyncio.get_running_loop().time() + 5
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)


def expect_cancelled(caller: Caller, telemetry: Telemetry) -> None:
    caller.collect()
    attributes = telemetry.the_only_call()
    assert attributes["openrouter.outcome"] == names.CANCELLED
    assert attributes["openrouter.cost_source"] == names.UNPRICED
    assert telemetry.points(names.ERRORS) == {}


def test_a_task_that_is_cancelled_while_it_waits_for_the_answer(
    async_caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    async def body() -> None:
        task = asyncio.ensure_future(async_caller.create("hang"))
        await until(lambda: openrouter.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async_caller.run(body())
    expect_cancelled(async_caller, telemetry)


@every_stream
def test_a_task_that_is_cancelled_while_it_reads(
    read: Reading, async_caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    async def body() -> None:
        task = asyncio.ensure_future(_coroutine(read(async_caller, f"stream-hang;{PRICED}")))
        await until(lambda: openrouter.book.entries)
        await asyncio.sleep(0.02)  # the chunks before the silence
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async_caller.run(body())
    expect_cancelled(async_caller, telemetry)


async def _coroutine(waiting: Awaitable[None]) -> None:
    await waiting


# --- the garbage collector at its worst ---
@pytest.fixture
def collecting_all_the_time() -> Any:
    before = gc.get_threshold()
    gc.set_threshold(1)
    yield
    gc.set_threshold(*before)


THREADS, STREAMS = 4, 12


@pytest.mark.usefixtures("collecting_all_the_time")
def test_streams_abandoned_in_threads_under_a_collection_storm_are_all_counted(measure: Measure) -> None:
    """A finalizer may run inside any lock that its thread holds, ours and OpenTelemetry's included: it takes none."""
    telemetry = measure(base_urls=[canned.BASE_URL])
    caller = Caller(canned.client(), None)
    done = threading.Event()

    def work() -> None:
        for number in range(STREAMS):
            if number % 3 == 0:
                caller.run(_abandon(caller))
            elif number % 3 == 1:
                caller.run(_typed_stream(caller, GOOD))
            else:
                caller.run(caller.create(GOOD))

    def scrape() -> None:
        while not done.is_set():
            telemetry.reader.get_metrics_data()

    workers = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
    scraper = threading.Thread(target=scrape, daemon=True)
    for thread in (scraper, *workers):
        thread.start()
    for thread in workers:
        thread.join(timeout=20)
        assert not thread.is_alive(), "deadlock"
    done.set()
    scraper.join(timeout=5)
    assert not scraper.is_alive(), "deadlock"

    gc.collect()
    calls = THREADS * STREAMS
    assert len(telemetry.spans) == calls
    assert telemetry.total(names.REQUESTS) == calls
    assert telemetry.total(names.REQUESTS, outcome=names.ABANDONED) == calls / 3
    assert telemetry.total(names.COST) == pytest.approx(canned.COST * calls * 2 / 3, abs=1e-12)
    assert sum(telemetry.points(names.DURATION).values()) == calls


async def _abandon(caller: Caller) -> None:
    async for _ in Each(await caller.create(OPEN, stream=True)):
        break


def test_a_thread_may_close_what_another_one_reads(sync_caller: Caller, telemetry: Telemetry) -> None:
    stream = sync_caller.run(begun(sync_caller))
    thread = threading.Thread(target=stream.close)
    thread.start()
    thread.join(timeout=5)
    with contextlib.suppress(Exception):
        next(stream)

    expect_abandoned(sync_caller, telemetry)


# --- the end of the program ---
Program = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def ended_program(_server: FakeOpenRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Programs that run beside the other tests; gives what one has told by its end."""
    folder, tests = tmp_path_factory.mktemp("programs"), Path(__file__).parents[1]

    def start(name: str) -> subprocess.Popen[str]:
        program = [sys.executable, "-m", "contract.programs", name, _server.base_url, str(folder / name)]
        return subprocess.Popen(program, cwd=tests, stderr=subprocess.PIPE, text=True)

    running = {name: start(name) for name in ("interrupted", "exiting")}

    def ended(name: str) -> dict[str, Any]:
        _, complaints = running[name].communicate(timeout=30)
        assert (running[name].returncode, complaints) == (0, "")
        told: dict[str, Any] = json.loads((folder / name).read_text())
        return told

    yield ended
    for process in running.values():
        process.kill()
        process.communicate()


def test_ctrl_c_cancels_a_call(ended_program: Program) -> None:
    """A real signal, once in the middle of a stream and once before the answer."""
    told = ended_program("interrupted")

    assert [span["openrouter.outcome"] for span in told["spans"]] == [names.CANCELLED] * 2
    assert {(row["outcome"], row["cost_source"]) for row in told["requests"]} == {(names.CANCELLED, names.UNPRICED)}
    assert sum(row["count"] for row in told["requests"]) == 2


def test_streams_that_are_open_when_the_interpreter_ends_are_abandoned(ended_program: Program) -> None:
    told = ended_program("exiting")

    assert [span["openrouter.outcome"] for span in told["spans"]] == [names.ABANDONED] * 2
    assert [(row["outcome"], row["count"]) for row in told["requests"]] == [(names.ABANDONED, 2)]
