"""The stand-in's other endpoints: legacy completions, embeddings, audio, images and rerank, read by the real client."""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai import OpenAI, Stream

from fake_openrouter import Amounts, FakeOpenRouter

SOUND = ("speech.mp3", b"\xff\xfb" + bytes(2000), "audio/mpeg")
PRICED = "cost=0.03;prompt_tokens=10;completion_tokens=20"


@pytest.fixture
def client(_client: OpenAI, openrouter: FakeOpenRouter) -> OpenAI:
    return _client


def scenario(wanted: str) -> dict[str, str]:
    return {"x-scenario": wanted}


def complete(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    model = "openai/gpt-4o-mini"
    return client.completions.create(model=model, prompt="Once upon", extra_headers=scenario(wanted), **more)


def embed(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    arguments: Any = {
        "model": "openai/text-embedding-3-small",
        "input": ["one", "two"],
        "encoding_format": "float",
        **more,
    }
    return client.embeddings.create(**arguments, extra_headers=scenario(wanted))


def speak(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    arguments: Any = {"model": "openai/gpt-4o-mini-tts", "voice": "alloy", "input": "Hello there", **more}
    return client.audio.speech.create(**arguments, extra_headers=scenario(wanted))


def transcribe(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    model = "openai/whisper-large-v3"
    return client.audio.transcriptions.create(model=model, file=SOUND, extra_headers=scenario(wanted), **more)


def post(client: OpenAI, path: str, wanted: str, body: dict[str, Any], **more: Any) -> Any:
    options: Any = {"headers": scenario(wanted)}
    return client.post(path, cast_to=object, body=body, options=options, **more)


def paint(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    return post(client, "/images", wanted, {"model": "google/gemini-2.5-flash-image", "prompt": "A river", **more})


def painted(client: OpenAI, wanted: str = "good") -> list[Any]:
    body = {"model": "google/gemini-2.5-flash-image", "prompt": "A river", "stream": True}
    with post(client, "/images", wanted, body, stream=True, stream_cls=Stream[object]) as events:
        return list(events)


def rank(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    body = {"model": "cohere/rerank-v3.5", "query": "river", "documents": ["sea", "river", "lake"], **more}
    return post(client, "/rerank", wanted, body)


def money(value: object) -> Decimal:
    return Decimal(repr(value))


def known(answer: Any) -> dict[str, Any]:
    """An answer as JSON, whatever the client made of it."""
    told: dict[str, Any] = answer if isinstance(answer, dict) else answer.to_dict()
    return told


CALLS: dict[str, Callable[..., Any]] = {
    "text_completion": complete,
    "embeddings": embed,
    "transcription": transcribe,
    "image": paint,
    "rerank": rank,
}
every_call = pytest.mark.parametrize("operation", CALLS)


@every_call
def test_a_usage_has_a_cost_and_the_book_adds_up(openrouter: FakeOpenRouter, client: OpenAI, operation: str) -> None:
    told = [known(CALLS[operation](client))["usage"]["cost"] for _ in range(3)]
    totals = openrouter.book.totals()
    assert sum(map(money, told)) == totals.told.charge > 0
    assert (totals.generations, totals.untold_generations, totals.untold) == (3, 0, Amounts())
    assert {entry.operation for entry in openrouter.book.entries} == {operation}


@every_call
@pytest.mark.parametrize(
    ("wanted", "charge", "complete"),
    [("free", 0, True), ("no-cost", None, False), ("no-usage", None, False), ("null-usage", None, False)],
)
def test_a_usage_may_be_free_or_incomplete(
    openrouter: FakeOpenRouter, client: OpenAI, operation: str, wanted: str, charge: int | None, complete: bool
) -> None:
    usage = known(CALLS[operation](client, wanted)).get("usage") or {}
    assert usage.get("cost") == charge
    totals = openrouter.book.totals()
    assert not totals.told.charge
    assert totals.untold_generations == (not complete)


@every_call
def test_an_error_is_an_error_everywhere(openrouter: FakeOpenRouter, client: OpenAI, operation: str) -> None:
    call = CALLS[operation]
    with pytest.raises(openai.RateLimitError):
        call(client, "error;status=429")
    with pytest.raises(openai.BadRequestError, match="no answer of this endpoint has a 'failed'"):
        call(client, "failed")
    assert known(call(client, "error-in-200"))["error"]["code"] == 502
    call(client.with_options(max_retries=2), "flaky;retry_after=0.01")
    totals = openrouter.book.totals()
    assert (totals.errors, totals.retries, totals.generations) == (4, 2, 1)


@every_call
@pytest.mark.parametrize("wanted", ["drop", "stream-drop", "hang", "good;latency=5"])
def test_an_answer_that_never_arrives_is_charged_and_untold(
    openrouter: FakeOpenRouter, client: OpenAI, operation: str, wanted: str
) -> None:
    with pytest.raises(openai.APIConnectionError):
        CALLS[operation](client.with_options(timeout=0.2), wanted)
    openrouter.book.settle()
    (entry,) = openrouter.book.entries
    assert (entry.complete, entry.told) == (False, Amounts())


def test_byok_is_told_where_there_are_words_for_it(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    for operation, call in CALLS.items():
        usage = known(call(client, f"byok;fee=0.0015;{PRICED}"))["usage"]
        entry = openrouter.book.entries[-1]
        worded = operation not in {"transcription", "rerank"}
        assert usage["cost"] == 0.0015
        assert usage.get("is_byok", False) is worded
        assert entry.complete is worded
        assert entry.told.bill == (Decimal("0.03") if worded else 0)
        assert entry.spent.bill == Decimal("0.03")


def test_a_legacy_completion_has_text(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    answer = complete(client, "good;content=in a land")
    assert (answer.id, answer.provider) == (openrouter.book.entries[0].id, "OpenAI")
    (choice,) = answer.choices
    assert (choice.text, choice.finish_reason, choice.native_finish_reason) == ("in a land", "stop", "stop")


@pytest.mark.parametrize(("shape", "choices"), [("A", 0), ("B", 1), ("C", 1)])
def test_a_legacy_completion_streams(openrouter: FakeOpenRouter, client: OpenAI, shape: str, choices: int) -> None:
    chunks = list(complete(client, f"good;shape={shape};content=in a land", stream=True))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == "in a land"
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert len(chunks[-1].choices) == choices
    assert money(chunks[-1].usage.cost) == openrouter.book.totals().told.charge


def test_a_legacy_completion_fails_where_chat_does(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    assert complete(client, "choice-error").choices[0].error["code"] == 502
    assert complete(client, "choices-null").choices is None
    with pytest.raises(openai.APIError, match="Provider disconnected"):
        list(complete(client, "stream-error", stream=True))
    assert list(complete(client, "stream-choice-error", stream=True))[-1].choices[0].finish_reason == "error"
    assert openrouter.book.totals().errors == 4


def test_embeddings_are_the_same_in_both_encodings(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    floats = embed(client, encoding_format="float", dimensions=3)
    assert [row.embedding for row in floats.data] == [[0, 1 / 16, 2 / 16], [1 / 16, 2 / 16, 3 / 16]]
    raw = embed(client, encoding_format="base64", dimensions=3)
    assert len(base64.b64decode(raw.data[0].embedding)) == 12
    usual = embed(client, dimensions=3, encoding_format=openai.NOT_GIVEN)  # whatever this version asks for by default
    assert [list(row.embedding) for row in usual.data] == [row.embedding for row in floats.data]
    assert floats.id == openrouter.book.entries[0].id
    assert floats.usage.prompt_tokens == floats.usage.total_tokens
    assert len(embed(client, input=[1, 2, 3]).data) == 1


def test_the_client_stumbles_over_a_hidden_error_where_it_would_decode(client: OpenAI) -> None:
    """The parsing of its own that follows the answer finds nothing to decode, so the program never sees the error."""
    with pytest.raises((ValueError, TypeError)):
        embed(client, "error-in-200", encoding_format=openai.NOT_GIVEN)


def test_a_cache_hit_of_an_embedding_counts_nothing(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    assert (embed(client, "cache-hit").usage.total_tokens, openrouter.book.totals().untold_generations) == (0, 0)


def test_speech_is_sound_and_tells_nothing(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    sound = speak(client)
    (entry,) = openrouter.book.entries
    assert sound.content.startswith(b"ID3")
    assert sound.response.headers["content-type"] == "audio/mpeg"
    assert sound.response.headers["x-generation-id"] == entry.id
    assert (entry.operation, entry.tokens.input, entry.complete) == ("speech", 11, False)
    totals = openrouter.book.totals()
    assert (totals.told, totals.untold.charge) == (Amounts(), Decimal("0.000165"))


def test_speech_comes_in_pieces_and_can_be_left(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    arguments: Any = {"model": "openai/gpt-4o-mini-tts", "voice": "alloy", "input": "Hello there, " * 20}
    late = scenario("good;chunk_delay=0.2;chunks=50")
    with client.audio.speech.with_streaming_response.create(**arguments, extra_headers=late) as response:
        assert next(iter(response.iter_bytes(64))).startswith(b"ID3")
    openrouter.book.settle()
    assert openrouter.book.entries[0].outcome == "client gone"


def test_speech_fails_as_the_others_do(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="Insufficient credits"):
        speak(client, "error;status=402")
    assert speak(client, "error-in-200").response.json()["error"]["code"] == 502
    with pytest.raises(Exception, match=r"(?i)connection|peer closed|incomplete"):
        speak(client, "stream-drop")
    totals = openrouter.book.totals()
    assert (totals.errors, totals.generations) == (2, 1)


def test_a_transcription_is_a_form_and_comes_in_two_formats(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    answer = transcribe(client, f"good;{PRICED}", response_format="json", extra_body={"user": "alice"})
    received, entry = openrouter.requests[-1], openrouter.book.entries[-1]
    assert received.body["file"] == SOUND[1]
    assert (entry.user, entry.requested_model) == ("alice", "openai/whisper-large-v3")
    expected = {"seconds": 1.25, "input_tokens": 10, "output_tokens": 20, "total_tokens": 30, "cost": 0.03}
    assert known(answer)["usage"] == expected
    verbose = known(transcribe(client, response_format="verbose_json"))
    (segment,) = verbose["segments"]
    assert (verbose["text"], verbose["duration"]) == (segment["text"], segment["end"])


def test_images_have_neither_id_nor_model(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    answer = paint(client, n=2)
    assert set(answer) == {"created", "data", "usage"}
    assert [base64.b64decode(picture["b64_json"])[1:4] for picture in answer["data"]] == [b"PNG", b"PNG"]
    assert answer["usage"]["completion_tokens_details"]["image_tokens"] == 1290
    assert "server_tool_use" in answer["usage"]


def test_a_stream_of_images_ends_with_its_usage(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    events = painted(client, "good;chunks=2")
    assert [event["type"].removeprefix("image_generation.") for event in events] == ["partial_image"] * 2 + [
        "completed"
    ]
    assert money(events[-1]["usage"]["cost"]) == openrouter.book.totals().told.charge
    with pytest.raises(openai.APIError, match="Provider disconnected"):
        painted(client, "stream-error")


def test_rerank_is_charged_by_the_search(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    answer = rank(client, top_n=2)
    (entry,) = openrouter.book.entries
    assert (answer["id"], answer["provider"]) == (entry.id, "Cohere")
    assert [(row["index"], row["document"]["text"]) for row in answer["results"]] == [(0, "sea"), (1, "river")]
    assert answer["usage"] == {"search_units": 1, "total_tokens": entry.tokens.input, "cost": 0.002}
    assert entry.told == Amounts(Decimal("0.002"), Decimal(0), entry.tokens.input, 0)
