"""What a program and OpenRouter see is what they would see without us: objects, errors, laziness, bytes on the wire."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from contract.driving import GOOD, HTTPX, MODEL, Caller, Each, Telemetry, asking, described, seen_by
from fake_openrouter import FakeOpenRouter
from fake_openrouter.server import Received
from openrouter_otel import names

METHODS = [
    (owner, name)
    for owner in (openai.OpenAI, openai.AsyncOpenAI)
    for name in ("request", "_prepare_request", "post", "with_options", "copy", "__init__")
]


# --- the client ---
def test_signatures_of_the_clients_methods_are_unchanged(sync_caller: Caller, telemetry: Telemetry) -> None:
    def looked_at() -> list[Any]:
        found: list[Any] = []
        for owner, name in METHODS:
            method = getattr(owner, name)
            found += [inspect.signature(method), method.__name__, method.__doc__, method.__qualname__]
            found += [inspect.iscoroutinefunction(method), inspect.isfunction(method)]
        bound = sync_caller.client.request
        return [*found, inspect.signature(bound), inspect.ismethod(bound), bound.__self__ is sync_caller.client]

    measured = looked_at()
    with telemetry.asleep():
        assert looked_at() == measured
    assert inspect.iscoroutinefunction(openai.AsyncOpenAI.request)
    assert not inspect.iscoroutinefunction(openai.OpenAI.request)


def test_a_call_that_is_not_awaited_has_not_begun(
    async_caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    waiting = async_caller.chat.create(**asking())
    assert inspect.iscoroutine(waiting)
    waiting.close()

    assert (telemetry.spans, list(openrouter.requests)) == ((), [])


# --- what it hands out ---
def test_an_answer_is_exactly_of_its_type_and_survives_pickle_and_copy(caller: Caller, telemetry: Telemetry) -> None:
    answer = caller.run(caller.create())

    assert type(answer) is ChatCompletion
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert copy.copy(answer) == copy.deepcopy(answer) == answer
    assert telemetry.the_only_call()["gen_ai.response.id"] == answer.id


def test_a_stream_is_the_sdks_own(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await caller.create(GOOD, stream=True)
        assert type(stream) is (openai.AsyncStream if caller.asynchronous else openai.Stream)
        assert isinstance(stream.response, type((await raw()).http_response))
        assert vars(stream).keys() == bare
        await caller.close(stream)

    async def raw() -> Any:
        return await caller.given(caller.chat.with_raw_response.create(**asking()))

    async def members() -> Any:
        stream = await caller.create(GOOD, stream=True)
        await caller.close(stream)
        return vars(stream).keys()

    with telemetry.asleep():
        bare = caller.run(members())
    caller.run(body())


def test_nothing_is_read_before_the_caller_reads(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        stream = await caller.create("endless;chunk_delay=0.001", stream=True)
        assert not stream.response.is_stream_consumed
        assert stream.response.num_bytes_downloaded == 0
        assert telemetry.exporter.get_finished_spans() == ()
        await Each(stream).__anext__()
        assert not stream.response.is_closed
        await caller.close(stream)
        assert stream.response.is_closed

        manager = caller.chat.with_streaming_response.create(**asking("endless", stream=True))
        async with caller.entered(manager) as response:
            assert response.http_response.num_bytes_downloaded == 0
            assert not response.http_response.is_stream_consumed

    caller.run(body())
    assert telemetry.total(names.REQUESTS, outcome=names.ABANDONED) == 2


def test_a_chunk_is_handed_on_before_the_next_one_exists(caller: Caller, telemetry: Telemetry) -> None:
    """The stand-in falls silent after its second chunk with content: whoever reads ahead would hang."""

    async def body() -> list[str]:
        async with caller.entered(await caller.create("stream-hang;at=2", stream=True)) as stream:
            chunks = Each(stream)
            return [(await chunks.__anext__()).choices[0].delta.content for _ in range(3)]

    role, *content = caller.run(body())
    assert role == ""
    assert len(content) == 2
    assert telemetry.total(names.REQUESTS, outcome=names.ABANDONED) == 1


@pytest.mark.parametrize("streamed", [False, True])
def test_elapsed_of_a_raw_response_works(streamed: bool, caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> float:
        answer = await caller.given(caller.chat.with_raw_response.create(**asking(GOOD, stream=streamed)))
        if streamed:
            await caller.read(answer.parse())
        return float(answer.elapsed.total_seconds())

    assert caller.run(body()) > 0
    assert telemetry.the_only_call()["openrouter.outcome"] == names.OK


def test_the_span_is_current_while_the_client_works_and_not_between_chunks(
    sync_caller: Caller, telemetry: Telemetry
) -> None:
    """So a span of an HTTP instrumentation becomes its child, and the caller's own spans do not."""
    seen: list[str] = []

    class Looking(openai.OpenAI):
        def _prepare_request(self, request: Any) -> None:
            seen.append(trace.get_current_span().name)  # type: ignore[attr-defined]

    stream = sync_caller.make(Looking).chat.completions.create(**asking(GOOD), stream=True)
    for _ in stream:
        assert trace.get_current_span() is trace.INVALID_SPAN
    assert seen == [f"chat {MODEL}"]
    assert telemetry.the_only_call()["openrouter.outcome"] == names.OK


# --- errors ---
def frames(error: BaseException) -> list[tuple[str, str]]:
    return [(frame.filename, frame.name) for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize(
    ("wanted", "streamed"),
    [
        ("error;status=402", False),
        ("error;status=503", True),
        ("drop", False),
        ("stream-error", True),
        ("stream-drop", True),
    ],
)
def test_an_error_is_the_one_that_the_client_would_raise_with_the_same_last_frames(
    wanted: str, streamed: bool, caller: Caller, telemetry: Telemetry
) -> None:
    async def body() -> None:
        answer = await caller.create(wanted, stream=streamed)
        await caller.read(answer)

    def raised() -> BaseException:
        # Before openai 3 the transport's own error comes out of a stream that breaks off.
        with pytest.raises((openai.APIError, HTTPX.TransportError)) as caught:
            caller.run(body())
        error: BaseException = caught.value
        return error

    with telemetry.asleep():
        bare = raised()
    ours = raised()

    assert described(ours) == described(bare)
    assert frames(ours)[-1] == frames(bare)[-1]
    assert described(ours.__cause__) == described(bare.__cause__)
    assert described(ours.__context__) == described(bare.__context__)
    assert [f for f in frames(ours) if "openrouter_otel" not in f[0] and "wrapt" not in f[0]] == frames(bare)
    assert not hasattr(ours, "__notes__")


def test_a_wrong_argument_is_the_clients_own_complaint(caller: Caller, telemetry: Telemetry) -> None:
    with pytest.raises(TypeError, match="unexpected keyword"):
        caller.run(caller.create(no_such_parameter=1))
    with pytest.raises(TypeError, match="Missing required arguments"):
        caller.run(_nothing(caller))
    assert telemetry.spans == ()


async def _nothing(caller: Caller) -> None:
    await caller.given(caller.chat.create())


class Broken(SpanProcessor):
    """Somebody's processor that fails when a span starts, or when it ends."""

    def __init__(self, when: str) -> None:
        self._when = when

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self._when == "start":
            raise ZeroDivisionError

    def on_end(self, span: ReadableSpan) -> None:
        if self._when == "end":
            raise ZeroDivisionError


@pytest.mark.parametrize("when", ["start", "end"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_span_processor_that_fails_reaches_neither_the_caller_nor_the_counts(
    when: str, streamed: bool, caller: Caller, telemetry: Telemetry, faults: set[str]
) -> None:
    async def body() -> Any:
        answer = await caller.create(GOOD, stream=streamed)
        return await caller.read(answer) if streamed else answer

    with telemetry.asleep():
        bare = seen_by(caller, body())
    telemetry.tracer_provider.add_span_processor(Broken(when))

    assert seen_by(caller, body()) == bare
    assert telemetry.total(names.REQUESTS) == 1
    assert telemetry.total(names.COST) == 0.03
    faults.clear()


# --- the wire ---
def on_the_wire(received: Received) -> Any:
    headers = {name: value for name, value in received.headers.items() if name != "idempotency-key"}
    return received.method, received.path, headers, list(headers), received.content


EVERYTHING: dict[str, Any] = {
    "user": "alice",
    "temperature": 0.5,
    "extra_body": {
        "session_id": "s-1",
        "metadata": {"team": "search"},
        "provider": {"sort": "price"},
        "usage": {"include": True},
    },
    "extra_headers": {"x-session-id": "s-2", "X-Title": "My app"},
    "extra_query": {"q": "1"},
}


@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["little", "everything"])
@pytest.mark.parametrize("streamed", [False, True])
def test_the_request_on_the_wire_is_the_same_to_the_byte(
    streamed: bool, more: dict[str, Any], caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    async def body() -> None:
        answer = await caller.create(GOOD, stream=streamed, **copy.deepcopy(more))
        if streamed:
            await caller.read(answer)

    with telemetry.asleep():
        caller.run(body())
    caller.run(body())

    bare, ours = openrouter.requests
    assert on_the_wire(ours) == on_the_wire(bare)
    assert len(telemetry.spans) == 1


def test_what_the_caller_passes_is_not_changed(caller: Caller, telemetry: Telemetry) -> None:
    passed = copy.deepcopy(EVERYTHING)
    messages = [{"role": "user", "content": "hi"}]

    async def body() -> None:
        await caller.given(caller.chat.create(model=MODEL, messages=messages, **passed))

    caller.run(body())
    assert passed == EVERYTHING
    assert messages == [{"role": "user", "content": "hi"}]
    assert len(telemetry.spans) == 1


def test_messages_from_a_generator_are_sent_and_not_drained_by_us(
    caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    taken = []

    def messages() -> Iterator[dict[str, str]]:
        for number in range(3):
            taken.append(number)
            yield {"role": "user", "content": f"message {number}"}

    async def body() -> None:
        await caller.given(caller.chat.create(model=MODEL, messages=messages()))

    caller.run(body())
    (received,) = openrouter.requests
    assert [message["content"] for message in received.body["messages"]] == [f"message {n}" for n in range(3)]
    assert taken == [0, 1, 2]
    assert len(telemetry.spans) == 1
