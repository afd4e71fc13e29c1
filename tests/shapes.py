"""The table of call shapes: a row is one way to call chat completions, and what is to be told about it.

``contract/test_shapes.py`` runs every row with a sync and an async client, bare and measured.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from contract.driving import GOOD, HTTPX, MODEL, PRICED, Caller, asking
from openrouter_otel import names

Call = Callable[[Caller, str], Awaitable[Any]]


@dataclass(frozen=True)
class Shape:
    """One way to call.

    Attributes:
        name: what is special about it.
        call: does it, and returns what the caller sees.
        scenario: how the stand-in answers.
        outcome: the expected one.
        cost_source: the expected one; None where nothing at all is to be counted.
        tokens: input and output; None is not told.
        cost: USD to OpenRouter; None is not told.
        bill: USD to the provider.
        model: the one that serves.
        requested: the requested one.
        provider: the upstream.
        finish: finish_reason of choice 0.
        error: `error.type`.
        stream: whether the request asks for a stream.
        first_token: whether a first token is seen.
        byok: what usage says about it; None where there is no usage.
        since: the first version of the client that has it, or parses where an answer's charge can still be noted.
    """

    name: str
    call: Call
    scenario: str = GOOD
    outcome: str = names.OK
    cost_source: str | None = names.REPORTED
    tokens: tuple[int | None, int | None] = (10, 20)
    cost: Decimal | None = Decimal("0.03")
    bill: Decimal | None = None
    model: str = MODEL
    requested: str | None = MODEL
    provider: str | None = "OpenAI"
    finish: str | None = "stop"
    error: str | None = None
    stream: bool = False
    byok: bool | None = False
    since: tuple[int, int] = (1, 40)

    @property
    def spent(self) -> Decimal | None:
        """USD to both payees."""
        known = [amount for amount in (self.cost, self.bill) if amount is not None]
        return sum(known, Decimal(0)) if known else None


class River(BaseModel):
    """What a structured answer is asked for."""

    name: str
    length: float


# --- plain answers ---
async def create(c: Caller, wanted: str) -> Any:
    return await c.create(wanted)


async def another_client(c: Caller, wanted: str) -> Any:
    return await c.given(c.make().chat.completions.create(**asking(wanted)))


class Mine(openai.OpenAI):
    """Somebody's own client."""


class AsyncMine(openai.AsyncOpenAI):
    """Somebody's own client."""


async def subclass(c: Caller, wanted: str) -> Any:
    mine = c.make(AsyncMine if c.asynchronous else Mine)
    return [mine, await c.given(mine.chat.completions.create(**asking(wanted)))]


async def with_options(c: Caller, wanted: str) -> Any:
    return await c.using(timeout=9).create(wanted)


async def copied(c: Caller, wanted: str) -> Any:
    return await c.given(c.client.copy().chat.completions.create(**asking(wanted)))


async def extra_body(c: Caller, wanted: str) -> Any:
    return await c.create(wanted, extra_body={"provider": {"sort": "price"}, "models": [MODEL, "openai/gpt-5"]})


async def model_in_extra_body(c: Caller, wanted: str) -> Any:
    return await c.create(wanted, model="ignored/model", extra_body={"model": MODEL})


async def parse(c: Caller, wanted: str) -> Any:
    return await c.given(c.structured.parse(**asking(wanted), response_format=River))


def _strict(c: Caller) -> Any:
    return c.make(_strict_response_validation=True)


async def strict(c: Caller, wanted: str) -> Any:
    return await c.given(_strict(c).chat.completions.create(**asking(wanted)))


# --- streams ---
async def stream(c: Caller, wanted: str) -> Any:
    chunks = await c.create(wanted, stream=True)
    return [chunks, *await c.read(chunks)]


async def stream_in_a_block(c: Caller, wanted: str) -> Any:
    async with c.entered(await c.create(wanted, stream=True)) as chunks:
        return [chunks, *await c.read(chunks)]


async def stream_by_next(c: Caller, wanted: str) -> Any:
    chunks = await c.create(wanted, stream=True)
    found = []
    with suppress(StopIteration, StopAsyncIteration):
        while True:
            found.append(await chunks.__anext__() if c.asynchronous else next(chunks))
    return found


async def stream_helper(c: Caller, wanted: str) -> Any:
    async with c.entered(c.structured.stream(**asking(wanted))) as events:
        return [events, *await c.read(events)]


async def stream_helper_final(c: Caller, wanted: str) -> Any:
    async with c.entered(c.structured.stream(**asking(wanted), response_format=River)) as events:
        return await c.given(events.get_final_completion())


# --- raw responses, read by the SDK ---
async def raw(c: Caller, wanted: str) -> Any:
    answer = await c.given(c.chat.with_raw_response.create(**asking(wanted)))
    return [answer, answer.parse()]


async def raw_unparsed(c: Caller, wanted: str) -> Any:
    answer = await c.given(c.chat.with_raw_response.create(**asking(wanted)))
    return [answer, answer.text, answer.http_response]


async def raw_structured(c: Caller, wanted: str) -> Any:
    resource = c.client.beta.chat.completions if not hasattr(c.chat, "parse") else c.chat
    answer = await c.given(resource.with_raw_response.parse(**asking(wanted), response_format=River))
    return [answer, answer.parse()]


async def raw_stream(c: Caller, wanted: str) -> Any:
    answer = await c.given(c.chat.with_raw_response.create(**asking(wanted), stream=True))
    chunks = answer.parse()
    return [answer, chunks, *await c.read(chunks)]


async def raw_stream_of_a_type(c: Caller, wanted: str) -> Any:
    answer = await c.given(c.chat.with_raw_response.create(**asking(wanted), stream=True))
    chunks = answer.parse(to=_stream_class(c)[ChatCompletionChunk])
    return [answer, chunks, *await c.read(chunks)]


# --- bodies read by hand ---
def _by_hand(read: Callable[[Caller, Any], Awaitable[Any]], **more: Any) -> Call:
    async def call(c: Caller, wanted: str) -> Any:
        async with c.entered(c.chat.with_streaming_response.create(**asking(wanted, **more))) as response:
            return [response, await read(c, response)]

    return call


async def _parsed(c: Caller, response: Any) -> Any:
    return await c.given(response.parse())


async def _parsed_stream(c: Caller, response: Any) -> Any:
    chunks = await c.given(response.parse())
    return [chunks, *await c.read(chunks)]


async def _read(c: Caller, response: Any) -> Any:
    return await c.given(response.read())


async def _json(c: Caller, response: Any) -> Any:
    return await c.given(response.json())


async def _text(c: Caller, response: Any) -> Any:
    return await c.given(response.text())


async def _lines(c: Caller, response: Any) -> Any:
    return await c.read(response.iter_lines())


async def _bytes(c: Caller, response: Any) -> Any:
    return b"".join(await c.read(response.iter_bytes(64)))


async def _text_pieces(c: Caller, response: Any) -> Any:
    return "".join(await c.read(response.iter_text(64)))


async def _raw_bytes(c: Caller, response: Any) -> Any:
    http = response.http_response
    return b"".join(await c.read(http.aiter_raw() if c.asynchronous else http.iter_raw()))


async def stream_read_below_itself(c: Caller, wanted: str) -> Any:
    chunks = await c.create(wanted, stream=True)
    return [chunks, *await c.read(chunks.response.aiter_lines() if c.asynchronous else chunks.response.iter_lines())]


async def raw_of_the_whole_client(c: Caller, wanted: str) -> Any:
    answer = await c.given(c.client.with_raw_response.chat.completions.create(**asking(wanted)))
    return [answer, answer.parse()]


async def streaming_of_the_whole_client(c: Caller, wanted: str) -> Any:
    everything = c.client.with_streaming_response
    async with c.entered(everything.chat.completions.create(**asking(wanted, stream=True))) as response:
        return [response, await c.read(response.iter_lines())]


# --- past the resources ---
def _posted(cast_to: Any, **more: Any) -> Call:
    async def call(c: Caller, wanted: str) -> Any:
        body = asking(wanted, **more)
        headers = body.pop("extra_headers")
        return await c.given(
            c.client.post("/chat/completions", cast_to=cast_to, body=body, options={"headers": headers})
        )

    return call


async def posted_stream(c: Caller, wanted: str, path: str = "/chat/completions", **more: Any) -> Any:
    body = asking(wanted, stream=True, **more)
    headers = body.pop("extra_headers")
    chunk: Any = object if more else ChatCompletionChunk
    arguments = {"cast_to": chunk, "stream": True, "stream_cls": _stream_class(c)[chunk]}
    chunks = await c.given(c.client.post(path, body=body, options={"headers": headers}, **arguments))
    return [chunks, *await c.read(chunks)]


def _stream_class(c: Caller) -> Any:
    return openai.AsyncStream if c.asynchronous else openai.Stream


# --- not for us ---
async def elsewhere(c: Caller, wanted: str) -> Any:
    other = c.make(base_url=str(c.client.base_url).replace("127.0.0.1", "localhost"))
    return await c.given(other.chat.completions.create(**asking(wanted)))


async def azure(c: Caller, wanted: str) -> Any:
    address = str(c.client.base_url).replace("127.0.0.1", "localhost") + "deployments/mine"
    kind = openai.AsyncAzureOpenAI if c.asynchronous else openai.AzureOpenAI
    client = c.make(kind, base_url=address, api_version="2024-06-01")
    return await c.given(client.chat.completions.create(**asking(wanted)))


async def models(c: Caller, wanted: str) -> Any:
    return await c.given(c.client.get("/nothing-here", cast_to=object))


BYOK: Final = f"{PRICED};fee=0.001"
NOTHING: Final[dict[str, Any]] = {"tokens": (None, None), "cost": None, "byok": None}
STREAM: Final[dict[str, Any]] = {"stream": True}
UNPARSED: Final[dict[str, Any]] = {"outcome": names.ERROR}
UNSEEN: Final[dict[str, Any]] = {"cost_source": None}

VERSION: Final = tuple(map(int, openai.__version__.split(".")[:2]))
_ALL: Final = (
    Shape("create", create),
    Shape("a client made after instrument()", another_client),
    Shape("a subclass of the client", subclass),
    Shape("with_options", with_options),
    Shape("copy()", copied),
    Shape("extra_body", extra_body),
    Shape("the model in extra_body", model_in_extra_body),
    # structured answers
    Shape("parse", parse),
    Shape(
        "parse of what does not fit",
        parse,
        f"unparsable;{PRICED}",
        **UNPARSED,
        error="ValidationError",
        since=(1, 50),
    ),
    Shape(
        "parse of what was cut short",
        parse,
        f"length;{PRICED}",
        **UNPARSED,
        error="LengthFinishReasonError",
        finish="length",
        since=(1, 50),
    ),
    Shape(
        "a client that validates strictly",
        strict,
        f"total-only;{PRICED}",
        **UNPARSED,
        error="APIResponseValidationError",
        tokens=(30, None),
    ),
    # streams
    Shape("stream, usage in a chunk of its own", stream, f"{GOOD};shape=A", **STREAM),
    Shape("stream, usage beside a repeated finish", stream, f"{GOOD};shape=B", **STREAM),
    Shape("stream, usage on the finishing chunk", stream, f"{GOOD};shape=C", **STREAM),
    Shape("stream, usage told twice", stream, f"{GOOD};shape=CA", **STREAM),
    Shape("stream in a with block", stream_in_a_block, **STREAM),
    Shape("stream by next()", stream_by_next, **STREAM),
    Shape(
        "stream that begins with reasoning",
        stream,
        f"reasoning;{PRICED};completion_tokens=24",
        tokens=(10, 24),
        **STREAM,
    ),
    Shape("stream that begins with a tool call", stream, f"tool;{PRICED}", finish="tool_calls", **STREAM),
    Shape("stream()", stream_helper, **STREAM),
    Shape("stream() of a type, only its end", stream_helper_final, **STREAM),
    # raw and by hand
    Shape("raw", raw),
    Shape("raw, unparsed", raw_unparsed),
    Shape("raw parse", raw_structured, since=(1, 50)),
    Shape("raw stream", raw_stream, **STREAM),
    Shape("raw stream of a type", raw_stream_of_a_type, **STREAM),
    Shape("streaming response, parse", _by_hand(_parsed)),
    Shape("streaming response, read", _by_hand(_read)),
    Shape("streaming response, json", _by_hand(_json)),
    Shape("streaming response, text", _by_hand(_text)),
    Shape("streaming response, lines", _by_hand(_lines)),
    Shape("streaming response, bytes", _by_hand(_bytes)),
    Shape("streaming response of a stream, parse", _by_hand(_parsed_stream, stream=True), **STREAM),
    Shape("streaming response of a stream, read", _by_hand(_read, stream=True), **STREAM),
    Shape("streaming response of a stream, lines", _by_hand(_lines, stream=True), **STREAM),
    Shape("streaming response of a stream, bytes", _by_hand(_bytes, stream=True), **STREAM),
    Shape("streaming response, pieces of text", _by_hand(_text_pieces)),
    Shape("streaming response, undecoded bytes", _by_hand(_raw_bytes)),
    Shape("streaming response of a stream, pieces of text", _by_hand(_text_pieces, stream=True), **STREAM),
    Shape("streaming response of a stream, undecoded bytes", _by_hand(_raw_bytes, stream=True), **STREAM),
    Shape("stream, whose response is read instead", stream_read_below_itself, **STREAM),
    Shape("raw, by the whole client", raw_of_the_whole_client),
    Shape("streaming response, by the whole client", streaming_of_the_whole_client, **STREAM),
    Shape("post, as object", _posted(object)),
    Shape("post, as dict", _posted(dict[str, object])),
    Shape("post, as text", _posted(str)),
    Shape("post, as bytes", _posted(bytes)),
    Shape("post, as a model", _posted(ChatCompletion)),
    Shape("post, as an HTTP response", _posted(HTTPX.Response)),
    Shape("post of a stream", posted_stream, **STREAM),
    Shape("post without a model", _posted(object, model=None), requested=None),
    # models
    Shape("a fallback that served", extra_body, f"fallback;{PRICED}", model="openai/gpt-5"),
    Shape(
        "a model nobody knows",
        create,
        f"{GOOD};model=acme/unheard-of;provider=Acme",
        model="acme/unheard-of",
        provider="Acme",
    ),
    # money
    Shape("BYOK", create, f"byok;{BYOK}", cost=Decimal("0.001"), bill=Decimal("0.03"), byok=True),
    Shape("BYOK, streamed", stream, f"byok;{BYOK}", cost=Decimal("0.001"), bill=Decimal("0.03"), byok=True, **STREAM),
    Shape(
        "BYOK without the provider's figure",
        create,
        f"byok-silent;{BYOK}",
        cost=Decimal("0.001"),
        byok=True,
        cost_source=names.UNPRICED,
    ),
    Shape(
        "BYOK with a null figure",
        create,
        f"byok;{BYOK};upstream=null",
        cost=Decimal("0.001"),
        byok=True,
        cost_source=names.UNPRICED,
    ),
    Shape("a cache hit", create, "cache-hit", cost=Decimal(0), tokens=(0, 0)),
    Shape("a free model", create, "free;prompt_tokens=10;completion_tokens=20", cost=Decimal(0)),
    Shape("only a total", create, f"total-only;{PRICED}", tokens=(30, None)),
    Shape(
        "only a total and no price",
        create,
        f"bare-total;{PRICED}",
        tokens=(30, None),
        cost=None,
        cost_source=names.UNPRICED,
    ),
    Shape("usage without a cost", create, f"no-cost;{PRICED}", cost=None, cost_source=names.UNPRICED),
    Shape(
        "usage without a cost, streamed", stream, f"no-cost;{PRICED}", cost=None, cost_source=names.UNPRICED, **STREAM
    ),
    Shape("no usage", create, f"no-usage;{PRICED}", cost_source=names.UNPRICED, **NOTHING),
    Shape("null usage", create, f"null-usage;{PRICED}", cost_source=names.UNPRICED, **NOTHING),
    Shape("no usage, streamed", stream, f"no-usage;{PRICED}", cost_source=names.UNPRICED, **NOTHING, **STREAM),
    # not for us
    Shape("another host", elsewhere, **UNSEEN),
    Shape("Azure", azure, **UNSEEN),
    Shape("another endpoint", models, **UNSEEN),
)
SHAPES: Final = tuple(shape for shape in _ALL if shape.since <= VERSION)
