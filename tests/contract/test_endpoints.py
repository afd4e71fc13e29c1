"""Every endpoint of OpenRouter, in every way the client reaches it: counted once, priced as charged, unchanged."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import openai
import pytest
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel

from contract.driving import HTTPX, KEY, MODEL, PRICED, PROMPT, Caller, Each, Measure, Telemetry, described, seen_by
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names

Call = Callable[[Caller, str], Awaitable[Any]]
VERSION: Final = tuple(map(int, openai.__version__.split(".")[:2]))
EMBEDDER: Final = "openai/text-embedding-3-small"
SPEAKER: Final = "openai/gpt-4o-mini-tts"
LISTENER: Final = "openai/whisper-large-v3"
PAINTER: Final = "google/gemini-2.5-flash-image"
RANKER: Final = "cohere/rerank-v3.5"


@dataclass(frozen=True)
class Row:
    """One way to call an endpoint.

    Attributes:
        name: what it is.
        call: does it, and returns what the caller sees.
        operation: the contract's word.
        model: the requested one.
        scenario: how the stand-in answers.
        outcome: the expected one.
        cost_source: the expected one.
        error: `error.type`.
        finish: the first finish reason.
        served: whether the answer names the model and the id of its generation.
        upstream: whether it names its provider.
        stream: whether it asks for a stream, of which some content arrives.
        since: the first version of the client that has the method.
    """

    name: str
    call: Call
    operation: str
    model: str = MODEL
    scenario: str = f"good;{PRICED}"
    outcome: str = names.OK
    cost_source: str = names.REPORTED
    error: str | None = None
    finish: str | None = None
    served: bool = True
    upstream: bool = False
    stream: bool = False
    since: tuple[int, int] = (1, 40)


class River(BaseModel):
    """What a structured answer is asked for."""

    name: str
    length: float


def headers(wanted: str) -> dict[str, Any]:
    return {"extra_headers": {"x-scenario": wanted}}


def calling(path: str, *, read: str = "", **body: Any) -> Call:
    """A method by its path below the client; `read`: its stream is read to the end, or its attribute told."""

    async def call(c: Caller, wanted: str) -> Any:
        method: Any = c.client
        for name in path.split("."):
            method = getattr(method, name)
        answer = await c.given(method(**body, **headers(wanted)))
        if body.get("stream"):
            return [answer, *await c.read(answer)]
        return [answer, getattr(answer, read)] if read else answer

    return call


def posting(path: str, **body: Any) -> Call:
    """`client.post`, for what the client has no method."""

    async def call(c: Caller, wanted: str) -> Any:
        options = {"headers": {"x-scenario": wanted}}
        kind: Any = openai.AsyncStream if c.asynchronous else openai.Stream
        if not body.get("stream"):
            return await c.given(c.client.post(path, cast_to=object, body=body, options=options))
        streaming = {"cast_to": object, "stream": True, "stream_cls": kind[object]}
        events = await c.given(c.client.post(path, body=body, options=options, **streaming))
        return [events, *await c.read(events)]

    return call


# --- responses ---
ASKED: Final[dict[str, Any]] = {"model": MODEL, "input": PROMPT}


async def respond_by_helper(c: Caller, wanted: str) -> Any:
    async with c.entered(c.client.responses.stream(**ASKED, **headers(wanted))) as events:
        return [events, *await c.read(events)]


async def respond_by_helper_to_the_end(c: Caller, wanted: str) -> Any:
    async with c.entered(c.client.responses.stream(**ASKED, text_format=River, **headers(wanted))) as events:
        return await c.given(events.get_final_response())


async def respond_raw(c: Caller, wanted: str) -> Any:
    answer = await c.given(c.client.responses.with_raw_response.create(**ASKED, **headers(wanted)))
    return [answer, answer.parse()]


def respond_by_hand(**more: Any) -> Call:
    async def call(c: Caller, wanted: str) -> Any:
        streaming = c.client.responses.with_streaming_response
        async with c.entered(streaming.create(**ASKED, **more, **headers(wanted))) as response:
            return [response, await c.read(response.iter_lines())]

    return call


# --- sound ---
SPOKEN: Final[dict[str, Any]] = {"model": SPEAKER, "input": "Say this.", "voice": "alloy"}
HEARD: Final[dict[str, Any]] = {"model": LISTENER, "file": ("a.wav", b"RIFF0000WAVEfmt ", "audio/wav")}


async def speak_by_hand(c: Caller, wanted: str) -> Any:
    async with c.entered(c.client.audio.speech.with_streaming_response.create(**SPOKEN, **headers(wanted))) as response:
        return b"".join(await c.read(response.iter_bytes(100)))


async def speak_to_a_file(c: Caller, wanted: str) -> Any:
    async with c.entered(c.client.audio.speech.with_streaming_response.create(**SPOKEN, **headers(wanted))) as response:
        return await c.given(response.stream_to_file(os.devnull))


async def embed_by_hand(c: Caller, wanted: str) -> Any:
    streaming = c.client.embeddings.with_streaming_response
    async with c.entered(streaming.create(model=EMBEDDER, input=PROMPT, **headers(wanted))) as response:
        return b"".join(await c.read(response.iter_bytes(100)))


RESPONSES: Final[dict[str, Any]] = {"operation": "chat", "finish": "stop", "since": (1, 66)}
POSTED: Final[dict[str, Any]] = {"operation": "chat", "finish": "stop"}
FAILED: Final[dict[str, Any]] = {"outcome": names.ERROR, "error": "provider_unavailable", "finish": None}
FREE: Final = {"cost_source": names.FREE_FAILURE}
REFUSED: Final[dict[str, Any]] = {
    "outcome": names.ERROR, "error": "rate_limit_exceeded", "finish": None, "served": False, **FREE,
}  # fmt: skip
UNKNOWN: Final[dict[str, Any]] = {"cost_source": names.UNPRICED}
SPEECH: Final[dict[str, Any]] = {"operation": "speech", "model": SPEAKER, "served": False, **UNKNOWN}
EMBEDDINGS: Final[dict[str, Any]] = {"operation": "embeddings", "model": EMBEDDER}
HEARING: Final[dict[str, Any]] = {"operation": "transcription", "model": LISTENER, "served": False}
PICTURES: Final[dict[str, Any]] = {"operation": "image", "model": PAINTER, "served": False}
LEGACY: Final[dict[str, Any]] = {"operation": "text_completion", "finish": "stop", "upstream": True}
RAISED: Final[dict[str, Any]] = {"upstream": True, **FREE}
BLAMED: Final[dict[str, Any]] = {"upstream": True, "served": False, **FREE}
UNFIT: Final[dict[str, Any]] = {"outcome": names.ERROR, "error": "ValidationError"}
CODED: Final[dict[str, Any]] = {"error": "http_502"}
UNPARSABLE: Final = f"unparsable;{PRICED}"
SHORT: Final = f"incomplete;{PRICED}"
CHARGED: Final = f"failed;usage=full;{PRICED}"
RANKING: Final[dict[str, Any]] = {"operation": "rerank", "model": RANKER, "upstream": True}

respond = calling("responses.create", **ASKED)
respond_streamed = calling("responses.create", **ASKED, stream=True)
respond_posted = posting("/responses", **ASKED)
respond_posted_streamed = posting("/responses", **ASKED, stream=True)
complete = calling("completions.create", model=MODEL, prompt=PROMPT)
complete_streamed = calling("completions.create", model=MODEL, prompt=PROMPT, stream=True)
embed = calling("embeddings.create", model=EMBEDDER, input=PROMPT)
speak = calling("audio.speech.create", read="content", **SPOKEN)
respond_parsed = calling("responses.parse", **ASKED, text_format=River)
embed_in_base64 = calling("embeddings.create", model=EMBEDDER, input=PROMPT, encoding_format="base64")
embed_in_floats = calling("embeddings.create", model=EMBEDDER, input=["a", "b"], encoding_format="float")
embed_raw = calling("embeddings.with_raw_response.create", model=EMBEDDER, input=PROMPT)
transcribe_to_json = calling("audio.transcriptions.create", **HEARD, response_format="json")
transcribe_verbosely = calling("audio.transcriptions.create", **HEARD, response_format="verbose_json")
transcribe = calling("audio.transcriptions.create", **HEARD)
paint = posting("/images", model=PAINTER, prompt=PROMPT, n=2)
paint_streamed = posting("/images", model=PAINTER, prompt=PROMPT, stream=True)
rank = posting("/rerank", model=RANKER, query=PROMPT, documents=["a", "b", "c"])

ANSWERS: Final = (
    Row("responses", respond, **RESPONSES),
    Row("responses, a tool call", respond, **{**RESPONSES, "finish": "tool_calls"}, scenario=f"tool;{PRICED}"),
    Row("responses, raw", respond_raw, **RESPONSES),
    Row("responses, lines", respond_by_hand(), **RESPONSES),
    Row("responses, parse", respond_parsed, **RESPONSES),
    Row("responses, parse of what does not fit", respond_parsed, **{**RESPONSES, **UNFIT}, scenario=UNPARSABLE),
    Row("responses, incomplete", respond, **{**RESPONSES, "finish": "length"}, scenario=f"incomplete;{PRICED}"),
    Row("responses, failed", respond, **{**RESPONSES, **FAILED, **FREE}, scenario="failed"),
    Row("responses, failed and charged", respond, **{**RESPONSES, **FAILED}, scenario=f"failed;usage=full;{PRICED}"),
    Row("responses, an error in 200", respond, **{**RESPONSES, **FAILED, **BLAMED}, scenario="error-in-200"),
    Row("responses, refused", respond, **{**RESPONSES, **REFUSED}, scenario="error;status=429"),
    Row("responses, BYOK", respond, **RESPONSES, scenario=f"byok;fee=0.001;{PRICED}"),
    Row("responses, no cost", respond, **RESPONSES, **UNKNOWN, scenario=f"no-cost;{PRICED}"),
    Row("responses, posted", respond_posted, **POSTED),
    Row("responses, posted, failed", respond_posted, **{**POSTED, **FAILED, **FREE}, scenario="failed"),
    # legacy completions
    Row("completions", complete, **LEGACY),
    Row("completions, BYOK", complete, **LEGACY, scenario=f"byok;{PRICED}"),
    Row("completions, refused", complete, **{**LEGACY, **REFUSED}, scenario="error;status=429"),
    # embeddings
    Row("embeddings, as the client asks", embed, **EMBEDDINGS),
    Row("embeddings, base64", embed_in_base64, **EMBEDDINGS),
    Row("embeddings, floats", embed_in_floats, **EMBEDDINGS),
    Row("embeddings, raw", embed_raw, **EMBEDDINGS),
    Row("embeddings, by hand", embed_by_hand, **EMBEDDINGS),
    Row("embeddings, BYOK", embed, **EMBEDDINGS, scenario=f"byok;{PRICED}"),
    Row("embeddings, no usage", embed, **EMBEDDINGS, **UNKNOWN, scenario="no-usage"),
    Row("embeddings, refused", embed, **{**EMBEDDINGS, **REFUSED}, upstream=True, scenario="error;status=429"),
    Row("embeddings, an error in 200", embed, **{**EMBEDDINGS, **FAILED, **BLAMED}, scenario="error-in-200"),
    # sound
    Row("speech", speak, **SPEECH),
    Row("speech, by hand", speak_by_hand, **SPEECH),
    Row("speech, to a file", speak_to_a_file, **SPEECH),
    Row("speech, refused", speak, **{**SPEECH, **REFUSED}, upstream=True, scenario="error;status=429"),
    Row("transcriptions", transcribe, **HEARING),
    Row("transcriptions, json", transcribe_to_json, **HEARING),
    Row("transcriptions, verbose", transcribe_verbosely, **HEARING),
    Row("transcriptions, no usage", transcribe, **HEARING, **UNKNOWN, scenario="no-usage"),
    Row("transcriptions, refused", transcribe, **{**HEARING, **REFUSED}, upstream=True, scenario="error;status=429"),
    # pictures
    Row("images", paint, **PICTURES),
    Row("images, BYOK", paint, **PICTURES, scenario=f"byok;{PRICED}"),
    Row("images, refused", paint, **{**PICTURES, **REFUSED}, upstream=True, scenario="error;status=429"),
    # rerank
    Row("rerank", rank, **RANKING),
    Row("rerank, refused", rank, **{**RANKING, **REFUSED}, scenario="error;status=429"),
)
STREAMS: Final = (
    Row("responses, streamed", respond_streamed, **RESPONSES),
    Row("responses, named events", respond_streamed, **RESPONSES, scenario=f"good;named=true;{PRICED}"),
    Row("responses, stream()", respond_by_helper, **RESPONSES),
    Row("responses, stream() of a type", respond_by_helper_to_the_end, **RESPONSES),
    Row("responses, lines of a stream", respond_by_hand(stream=True), **RESPONSES),
    Row("responses, incomplete stream", respond_streamed, **{**RESPONSES, "finish": "length"}, scenario=SHORT),
    Row("responses, response.failed", respond_streamed, **{**RESPONSES, **FAILED, **FREE}, scenario="failed"),
    Row("responses, response.failed and charged", respond_streamed, **{**RESPONSES, **FAILED}, scenario=CHARGED),
    Row("responses, error event", respond_streamed, **{**RESPONSES, **FAILED, **FREE}, scenario="event-error"),
    Row("responses, raising event", respond_streamed, **{**RESPONSES, **FAILED, **RAISED}, scenario="stream-error"),
    Row("responses, posted and streamed", respond_posted_streamed, **POSTED),
    Row("responses, posted, named events", respond_posted_streamed, **POSTED, scenario=f"good;named=true;{PRICED}"),
    Row(
        "responses, posted, response.failed", respond_posted_streamed, **{**POSTED, **FAILED, **FREE}, scenario="failed"
    ),
    Row("completions, streamed", complete_streamed, **LEGACY),
    Row("images, streamed", paint_streamed, **PICTURES),
    Row("images, error event", paint_streamed, **{**PICTURES, **FAILED, **FREE, **CODED}, scenario="stream-error"),
)
KNOWN: Final = tuple(row for row in (*ANSWERS, *(replace(row, stream=True) for row in STREAMS)) if row.since <= VERSION)


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row.name.replace(" ", "-"))
def test_every_endpoint_is_counted_once_and_priced_as_charged(
    row: Row, caller: Caller, openrouter: FakeOpenRouter, measure: Measure
) -> None:
    bare = seen_by(caller, row.call(caller, row.scenario))  # type: ignore[arg-type]
    before = openrouter.book.totals()
    telemetry = measure()

    assert seen_by(caller, row.call(caller, row.scenario)) == bare  # type: ignore[arg-type]

    attributes = telemetry.the_only_call()
    expect_metrics(telemetry, row)
    expect_span(telemetry, row, attributes)
    openrouter.book.settle()
    now = openrouter.book.totals()
    told = now.told - before.told
    assert Decimal(str(telemetry.total(names.COST))) == told.charge + told.bill
    assert (telemetry.total(names.TOKENS, token_type="input"), telemetry.total(names.TOKENS, token_type="output")) == (
        told.input,
        told.output,
    )
    unpriced = now.untold_generations - before.untold_generations
    assert unpriced == (row.cost_source == names.UNPRICED), "the book agrees on what is unknown"


def expect_metrics(telemetry: Telemetry, row: Row) -> None:
    """One request of the right kind, and nothing that says otherwise."""
    told = {"operation": row.operation, "model": row.model, "outcome": row.outcome, "cost_source": row.cost_source}
    finish = {"finish_reason": row.finish} if row.finish else {}
    assert telemetry.total(names.REQUESTS, **told, **finish) == 1
    ((point, _),) = telemetry.points(names.REQUESTS).items()
    assert dict(point).get("finish_reason") == row.finish
    assert bool(dict(point).get("provider")) is row.upstream
    assert telemetry.total(names.ERRORS, **{"error.type": row.error or ""}) == bool(row.error)
    assert telemetry.total(names.DURATION, operation=row.operation, outcome=row.outcome) == 1
    assert telemetry.total(names.FIRST_TOKEN) == row.stream


def expect_span(telemetry: Telemetry, row: Row, attributes: dict[str, Any]) -> None:
    """A span by the names of the conventions."""
    span = telemetry.span
    assert (span.name, span.kind) == (f"{row.operation} {row.model}", SpanKind.CLIENT)
    assert span.status.status_code is (StatusCode.ERROR if row.error else StatusCode.UNSET)
    assert attributes["gen_ai.operation.name"] == row.operation
    assert attributes["gen_ai.request.model"] == row.model
    assert attributes.get("gen_ai.response.model") == (row.model if row.served else None)
    assert attributes.get("gen_ai.response.finish_reasons") == ((row.finish,) if row.finish else None)
    assert attributes.get("error.type") == row.error
    assert str(attributes.get("gen_ai.response.id", "")).startswith("gen-") or not row.served
    assert PROMPT not in span.to_json()


def test_the_generation_of_speech_is_on_its_span(
    caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    """Its body says nothing; by this id `openrouter-otel resolve` can ask what it cost."""
    caller.run(speak(caller, "good"))  # type: ignore[arg-type]

    openrouter.book.settle()
    (entry,) = openrouter.book.entries
    assert entry.spent.charge > 0
    attributes = telemetry.the_only_call()
    assert attributes["gen_ai.response.id"] == entry.id
    assert telemetry.points(names.COST) == telemetry.points(names.TOKENS) == {}
    assert "gen_ai.usage.cost" not in attributes


def test_who_asks_is_told_by_the_safety_identifier_of_responses_alone(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await posting("/responses", **ASKED, safety_identifier="safe")(caller, "good")
        await posting("/responses", **ASKED, safety_identifier="safe", user="named")(caller, "good")
        await posting("/chat/completions", model=MODEL, messages=[], safety_identifier="safe")(caller, "good")

    caller.run(body())
    assert [dict(span.attributes or {}).get("user.id") for span in telemetry.spans] == ["safe", "named", None]
    for user in ("safe", "named", names.ANONYMOUS):
        assert telemetry.total(names.REQUESTS, user=user) == 1


# --- a caller that stops reading ---
LEFT: Final = {
    "responses": ("/responses", {"model": MODEL, "input": PROMPT}, "chat"),
    "completions": ("/completions", {"model": MODEL, "prompt": PROMPT}, "text_completion"),
    "images": ("/images", {"model": PAINTER, "prompt": PROMPT}, "image"),
}


@pytest.mark.parametrize("where", LEFT)
def test_a_stream_of_any_endpoint_that_is_left_early_is_abandoned(
    where: str, caller: Caller, telemetry: Telemetry
) -> None:
    path, asked, operation = LEFT[where]
    kind: Any = openai.AsyncStream if caller.asynchronous else openai.Stream

    async def body() -> None:
        streaming = {"cast_to": object, "stream": True, "stream_cls": kind[object]}
        options = {"headers": {"x-scenario": f"endless;chunk_delay=0.001;{PRICED}"}}
        events = await caller.given(
            caller.client.post(path, body={**asked, "stream": True}, options=options, **streaming)
        )
        async with caller.entered(events):
            async for _ in Each(events):
                break
        assert len(telemetry.spans) == 1

    caller.run(body())
    attributes = telemetry.the_only_call()
    assert (attributes["openrouter.outcome"], attributes["gen_ai.operation.name"]) == (names.ABANDONED, operation)
    assert telemetry.points(names.COST) == {}


def test_speech_that_is_not_heard_to_its_end_is_abandoned(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        manager = caller.client.audio.speech.with_streaming_response.create(**SPOKEN)
        async with caller.entered(manager) as response:
            await Each(response.iter_bytes(10)).__anext__()

    caller.run(body())
    caller.collect()
    attributes = telemetry.the_only_call()
    assert (attributes["openrouter.outcome"], attributes["gen_ai.operation.name"]) == (names.ABANDONED, "speech")


# --- what generates nothing ---
async def upload(c: Caller, _: str) -> Any:
    return await c.given(c.client.files.create(file=("a.jsonl", b"{}"), purpose="batch"))


async def list_files(c: Caller, _: str) -> Any:
    return await c.read(await c.given(c.client.files.list()))


async def list_models(c: Caller, _: str) -> Any:
    if c.asynchronous:
        return [model async for model in c.client.models.list()]
    return list(c.client.models.list())


async def get_key(c: Caller, _: str) -> Any:
    return await c.given(c.client.get("/key", cast_to=object))


async def get_generation(c: Caller, _: str) -> Any:
    return await c.given(c.client.get("/generation?id=gen-1", cast_to=HTTPX.Response))


async def elsewhere_in_images(c: Caller, _: str) -> Any:
    return await c.given(c.client.images.generate(prompt=PROMPT, model=PAINTER))


async def moderate(c: Caller, _: str) -> Any:
    return await c.given(c.client.moderations.create(input=PROMPT))


async def get_of_a_known_path(c: Caller, _: str) -> Any:
    return await c.given(c.client.get("/chat/completions", cast_to=object))


@pytest.mark.parametrize(
    "call",
    [
        list_models, upload, list_files, get_key, get_generation, elsewhere_in_images, moderate, get_of_a_known_path,
    ],
)  # fmt: skip
def test_what_generates_nothing_makes_no_span_and_no_count(
    call: Call, caller: Caller, openrouter: FakeOpenRouter, measure: Measure
) -> None:
    bare = seen_by(caller, call(caller, ""))  # type: ignore[arg-type]
    telemetry = measure()

    assert seen_by(caller, call(caller, "")) == bare  # type: ignore[arg-type]
    assert len(openrouter.requests) == 2, "it was a real request"
    assert telemetry.spans == ()
    assert telemetry.points(names.REQUESTS) == {}


def test_the_list_of_models_is_what_it_was(sync_caller: Caller, telemetry: Telemetry) -> None:
    listed = sync_caller.client.models.list()

    assert described(listed.data[0])[0] is openai.types.Model
    assert KEY not in str(listed)
    assert telemetry.spans == ()
