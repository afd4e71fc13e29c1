"""Many chunks to one answer: the three shapes of a stream's end, and errors on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.response import NOTHING, Answer
from openrouter_otel.facts.stream import StreamFacts
from openrouter_otel.facts.usage import Usage

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost": 0.0000425}
TOLD = Usage(9, 2, (), Decimal("0.0000425"))
ERROR = {"code": 502, "message": "Provider disconnected", "metadata": {"error_type": "provider_unavailable"}}
UNAVAILABLE = Failure("provider_unavailable", "Provider disconnected", None, answered=True)


def chunk(content: str | None = None, finish: str | None = None, **members: Any) -> dict[str, Any]:
    """One event of a stream; `members` replace or add to its own."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish, "native_finish_reason": finish}
    head = {
        "id": "gen-2",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "openai/gpt-4o",
        "provider": "OpenAI",
    }
    return {**head, "choices": [choice], **members}


SHAPES = {
    "A: a chunk of its own without choices": [chunk("Hi"), chunk("", "stop"), chunk(choices=[], usage=USAGE)],
    "B: an extra chunk that repeats the reason": [chunk("Hi"), chunk("", "stop"), chunk("", "stop", usage=USAGE)],
    "B: an extra chunk without the reason": [chunk("Hi"), chunk("", "stop"), chunk("", usage=USAGE)],
    "C: on the finishing chunk": [chunk("Hi"), chunk("", "stop", usage=USAGE)],
}


def fold(chunks: list[dict[str, Any]], *, typed: bool = False) -> StreamFacts:
    stream = StreamFacts()
    for each in chunks:
        stream.saw(ChatCompletionChunk.construct(**each) if typed else each)
    return stream


@pytest.mark.parametrize("typed", [True, False], ids=["SDK models", "JSON"])
@pytest.mark.parametrize("chunks", SHAPES.values(), ids=SHAPES)
def test_the_three_shapes_of_an_end_fold_to_the_same_answer(chunks: list[dict[str, Any]], typed: bool) -> None:
    expected = Answer("gen-2", "openai/gpt-4o", "OpenAI", ("stop",), "stop", TOLD, None)

    assert expected == fold(chunks, typed=typed).answer()


def test_usage_is_the_last_one_told_and_never_summed() -> None:
    early = {"prompt_tokens": 9, "completion_tokens": 1, "cost": 0.00001}
    chunks = [
        chunk("a", usage=early),
        chunk("b", usage=None),
        chunk("", "stop", usage=USAGE),
        chunk(choices=[], usage=None),
    ]

    assert fold(chunks).answer().usage == TOLD


def test_a_stream_that_stops_early_has_what_it_had_shown() -> None:
    answer = fold([chunk("Hi"), chunk(" there", usage={"prompt_tokens": 9})]).answer()

    assert Answer("gen-2", "openai/gpt-4o", "OpenAI", (), None, Usage(9), None) == answer


def test_a_stream_that_nobody_read_told_nothing() -> None:
    assert StreamFacts().answer() == NOTHING
    assert not StreamFacts().has_content


def test_what_is_known_later_beats_what_was_unknown_and_nothing_is_overwritten() -> None:
    chunks = [
        chunk("a", id=None, model=None, provider=None),
        chunk("b", provider=None),
        chunk("c"),
        chunk(id="x", model="y", provider="z"),
    ]

    answer = fold(chunks).answer()

    assert (answer.id, answer.model, answer.provider) == ("gen-2", "openai/gpt-4o", "OpenAI")


def test_a_first_chunk_without_choices_is_read_over() -> None:
    debug = {"id": "gen-2", "choices": [], "debug": {"echo_upstream_body": {}}}

    assert fold([debug, *SHAPES["C: on the finishing chunk"]]).answer().finish_reasons == ("stop",)


def test_the_finish_reason_is_that_of_choice_0_whoever_finishes_first() -> None:
    second = {"index": 1, "delta": {}, "finish_reason": "length"}

    assert fold([chunk(choices=[second]), chunk("", "stop")]).answer().finish_reasons == ("stop",)


def test_the_finish_reason_is_taken_once() -> None:
    assert fold([chunk("", "stop"), chunk("", "length", usage=USAGE)]).answer().finish_reasons == ("stop",)


# --- errors ---
@pytest.mark.parametrize("typed", [True, False], ids=["SDK models", "JSON"])
@pytest.mark.parametrize(
    "last",
    [
        [chunk("", "error", error=ERROR)],
        [chunk(choices=[], error=ERROR)],
        [chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "error", "error": ERROR}])],
        [
            chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "error", "error": ERROR}]),
            chunk(choices=[], usage=USAGE),
        ],
        [chunk(choices=[{"index": 0, "delta": {}, "finish_reason": None, "error": ERROR}])],
        [chunk("", "stop"), chunk(choices=[], error=ERROR)],
        [chunk(choices=[{"index": 1, "delta": {}, "finish_reason": "error", "error": ERROR}]), chunk("", "stop")],
    ],
)
def test_a_mid_stream_error_is_found_in_each_of_its_places(last: list[dict[str, Any]], typed: bool) -> None:
    answer = fold([chunk("Hi"), *last], typed=typed).answer()

    assert answer.failure == UNAVAILABLE
    assert answer.provider == "OpenAI"


def test_finish_reason_error_alone_is_a_failure() -> None:
    answer = fold([chunk("Hi"), chunk("", "error")]).answer()

    assert Failure("http_200", answered=True) == answer.failure
    assert answer.finish_reasons == ("error",)


@pytest.mark.parametrize("typed", [True, False], ids=["SDK models", "JSON"])
def test_a_stream_whose_choices_are_null_answered_nothing(typed: bool) -> None:
    assert Failure("http_200", answered=True) == fold([chunk(choices=None)], typed=typed).answer().failure


def test_the_provider_of_a_failure_is_known_from_it_where_no_chunk_told() -> None:
    error = {**ERROR, "metadata": {"provider_name": "DeepInfra"}}

    assert fold([chunk("", "error", provider=None, error=error)]).answer().provider == "DeepInfra"


# --- the first token ---
def test_the_first_token_is_the_first_chunk_with_content() -> None:
    stream = StreamFacts()
    seen = []
    for each in [chunk(choices=[]), chunk(None), chunk(""), chunk("Hi"), chunk("")]:
        stream.saw(each)
        seen.append(stream.has_content)

    assert seen == [False, False, False, True, True]
