"""A whole answer, and the places in an HTTP 200 where an error hides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.response import Answer, has_content, hidden_failure, read_choices
from openrouter_otel.facts.usage import Usage

GOOD: dict[str, Any] = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "anthropic/claude-sonnet-4.5",
    "provider": "Amazon Bedrock",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "native_finish_reason": "end_turn",
            "message": {"role": "assistant", "content": "Paris."},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.01},
}
ERROR = {"code": 502, "message": "Provider disconnected", "metadata": {"error_type": "provider_unavailable"}}
UNAVAILABLE = Failure("provider_unavailable", "Provider disconnected", None, answered=True)
NOTHING_SAID = Failure("http_200", answered=True)


@pytest.mark.parametrize("body", [GOOD, ChatCompletion.model_construct(**GOOD), ChatCompletion.model_validate(GOOD)])
def test_an_answer_is_read_alike_from_json_and_from_the_sdks_model(body: object) -> None:
    expected = Answer(
        "gen-1",
        "anthropic/claude-sonnet-4.5",
        "Amazon Bedrock",
        ("stop",),
        "end_turn",
        Usage(3, 2, (), Decimal("0.01")),
        None,
    )

    assert expected == read_choices(body)


def test_every_choice_has_its_finish_reason_and_the_first_ones_comes_first() -> None:
    choices = [{"finish_reason": "length"}, {"finish_reason": None}, {"finish_reason": "stop"}]

    assert read_choices({"choices": choices}).finish_reasons == ("length", "stop")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": ERROR, "user_id": "user_2abc"}, UNAVAILABLE),
        ({**GOOD, "error": ERROR}, UNAVAILABLE),
        ({"id": "gen-1", "choices": None, "usage": None}, NOTHING_SAID),
        ({"id": "gen-1", "choices": []}, NOTHING_SAID),
        ({}, NOTHING_SAID),
        (None, NOTHING_SAID),
        ("<html>", NOTHING_SAID),
        ({**GOOD, "choices": [{**GOOD["choices"][0], "error": ERROR, "finish_reason": "error"}]}, UNAVAILABLE),
        ({**GOOD, "choices": [{**GOOD["choices"][0], "error": ERROR}]}, UNAVAILABLE),
        ({**GOOD, "choices": [{**GOOD["choices"][0], "finish_reason": "error"}]}, NOTHING_SAID),
        ({**GOOD, "choices": [*GOOD["choices"], {"finish_reason": "error", "error": ERROR}]}, UNAVAILABLE),
        ({**GOOD, "error": None}, None),
        ({**GOOD, "error": {"code": 429}}, Failure("http_429", answered=True)),
        ({**GOOD, "error": {"code": "429"}}, Failure("http_429", answered=True)),
        ({**GOOD, "error": {"code": "server_error", "message": "m"}}, Failure("http_200", "m", answered=True)),
        ({**GOOD, "error": "overloaded"}, NOTHING_SAID),
    ],
)
def test_an_error_is_found_wherever_it_hides_in_a_200(body: object, expected: Failure | None) -> None:
    assert expected == read_choices(body).failure


@pytest.mark.parametrize("body", [{"error": ERROR}, {"choices": [{"error": ERROR}]}])
def test_an_sdk_model_hides_its_errors_in_the_same_places(body: dict[str, Any]) -> None:
    assert read_choices(ChatCompletion.construct(**body)).failure == UNAVAILABLE


def test_a_failure_inside_an_answer_keeps_what_the_answer_used() -> None:
    answer = read_choices({**GOOD, "choices": [{"finish_reason": "error", "error": ERROR}]})

    assert Usage(3, 2, (), Decimal("0.01")) == answer.usage
    assert "Amazon Bedrock" == answer.provider  # noqa: SIM300  # expected == actual


def test_a_failures_provider_is_known_where_the_answers_is_not() -> None:
    error = {**ERROR, "metadata": {"provider_name": "DeepInfra"}}

    assert read_choices({"error": error}).provider == "DeepInfra"


def test_a_chunk_without_choices_hides_no_failure() -> None:
    assert hidden_failure({"choices": [], "usage": {}}) is None
    assert hidden_failure(None) is None


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"role": "assistant"}, False),
        ({"role": "assistant", "content": ""}, False),
        ({"content": None}, False),
        ({}, False),
        (None, False),
        ({"content": "P"}, True),
        ({"content": " "}, True),
        ({"reasoning": "Hm"}, True),
        ({"reasoning_details": [{"type": "reasoning.text"}]}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"tool_calls": []}, False),
        ({"refusal": "No"}, True),
        ({"images": [{}]}, True),
        ({"audio": {"data": "x"}}, True),
    ],
)
def test_the_first_token_is_content_reasoning_or_a_tool_call(delta: object, expected: bool) -> None:
    assert expected is has_content({"choices": [{"delta": delta}]})
    if isinstance(delta, dict):
        assert expected is has_content(ChatCompletionChunk.construct(choices=[{"delta": delta, "index": 0}]))


@pytest.mark.parametrize("chunk", [{}, {"choices": []}, {"choices": None}, None, {"choices": [None]}])
def test_a_chunk_without_a_delta_is_no_first_token(chunk: object) -> None:
    assert not has_content(chunk)
