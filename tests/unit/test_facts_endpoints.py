"""The table of endpoints: the contract's words, and an answer of each read by its row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fake_openrouter.operations import OPERATIONS
from openrouter_otel.facts.endpoints import CHAT, ENDPOINTS, RESPONSES, endpoint_of
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.response import Answer
from openrouter_otel.facts.usage import Usage

USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "cost": 0.03}
USED = Usage(10, 20, (), Decimal("0.03"))
ID = {"id": "gen-1-x", "model": "a/b"}
NESTED = {"code": 502, "message": "Gone", "metadata": {"error_type": "provider_unavailable"}}
GONE = Failure("provider_unavailable", "Gone", answered=True)
NOTHING_ANSWERED = Failure("http_200", answered=True)

# One answer of each endpoint, without its usage: path, answer, and what it tells.
ANSWERS: list[tuple[str, dict[str, Any], Answer]] = [
    (
        CHAT,
        {**ID, "provider": "Novita", "choices": [{"finish_reason": "stop", "message": {"content": "hi"}}]},
        Answer("gen-1-x", "a/b", "Novita", ("stop",)),
    ),
    (
        "/completions",
        {**ID, "object": "text_completion", "choices": [{"finish_reason": "length", "text": "hi"}]},
        Answer("gen-1-x", "a/b", None, ("length",)),
    ),
    (
        RESPONSES,
        {**ID, "object": "response", "status": "completed", "output": [{"type": "message"}]},
        Answer("gen-1-x", "a/b", None, ("stop",)),
    ),
    (
        "/embeddings",
        {**ID, "object": "list", "data": [{"object": "embedding", "embedding": [0.1], "index": 0}]},
        Answer("gen-1-x", "a/b"),
    ),
    ("/audio/transcriptions", {"text": "hello"}, Answer()),
    ("/images", {"created": 1, "data": [{"b64_json": "aGk=", "media_type": "image/png"}]}, Answer()),
    (
        "/rerank",
        {**ID, "provider": "Cohere", "results": [{"index": 0, "relevance_score": 1.0}]},
        Answer("gen-1-x", "a/b", "Cohere"),
    ),
]
each_answer = pytest.mark.parametrize(("path", "body", "told"), ANSWERS, ids=[path for path, _, _ in ANSWERS])


def test_every_endpoint_has_the_contracts_word_for_its_operation() -> None:
    assert {path: endpoint.operation for path, endpoint in ENDPOINTS.items()} == {
        "/chat/completions": "chat",
        "/responses": "chat",
        "/completions": "text_completion",
        "/embeddings": "embeddings",
        "/audio/speech": "speech",
        "/audio/transcriptions": "transcription",
        "/images": "image",
        "/rerank": "rerank",
    }


def test_the_stand_in_serves_every_endpoint_under_the_same_word() -> None:
    assert {path: operation.name for path, operation in OPERATIONS.items()} == {
        path: endpoint.operation for path, endpoint in ENDPOINTS.items()
    }


@each_answer
def test_each_endpoints_answer_is_read(path: str, body: dict[str, Any], told: Answer) -> None:
    read = ENDPOINTS[path].read

    assert read({**body, "usage": USAGE}) == told._replace(usage=USED)
    assert read(body) == told
    assert read({"error": NESTED}) == Answer(failure=GONE)


@each_answer
def test_an_empty_answer_is_a_failure(path: str, body: dict[str, Any], told: Answer) -> None:
    nothings: tuple[object, ...] = ({}, None)
    for nothing in nothings:
        assert ENDPOINTS[path].read(nothing) == Answer(failure=NOTHING_ANSWERED)


def test_sound_says_nothing_of_itself_and_is_no_failure() -> None:
    read = ENDPOINTS["/audio/speech"].read

    assert read(None) == Answer()
    assert read(b"ID3") == Answer()
    assert read({"error": NESTED}) == Answer(failure=GONE)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_each_endpoints_stream_is_folded(path: str) -> None:
    facts = ENDPOINTS[path].fold()
    assert not facts.has_content

    if path == RESPONSES:
        facts.saw({"type": "response.completed", "response": {**ID, "status": "completed", "usage": USAGE}})
    else:
        facts.saw({**ID, "choices": [], "usage": USAGE})
    told = facts.answer()
    assert (told.id, told.model, told.usage, told.failure) == ("gen-1-x", "a/b", USED, None)


# --- record() is not told the path ---
@each_answer
def test_an_answers_shape_tells_its_endpoint(path: str, body: dict[str, Any], told: Answer) -> None:
    assert endpoint_of(body) == path


@pytest.mark.parametrize(
    "body", [{}, None, 7, [], "text", {"error": NESTED}, {"choices": None}, {"data": []}, {"data": 5}, {"text": None}]
)
def test_what_has_no_shape_is_taken_for_chat(body: object) -> None:
    assert endpoint_of(body) == CHAT
