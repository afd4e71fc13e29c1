"""The Responses API's objects, and streams of typed events, from JSON and from what the client makes of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.events import EventFacts, event_facts, read_response, response_facts
from openrouter_otel.facts.response import NOTHING, Answer
from openrouter_otel.facts.usage import Usage

USAGE: dict[str, Any] = {
    "input_tokens": 120,
    "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": None},
    "output_tokens": 45,
    "output_tokens_details": {"reasoning_tokens": 32},
    "total_tokens": 165,
    "cost": 0.00031,
    "is_byok": False,
    "cost_details": {"upstream_inference_cost": 0.00031},
}
USED = Usage(120, 45, (("cache_read", 64), ("reasoning", 32)), Decimal("0.00031"))
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
WORDS = {"code": "server_error", "message": "Provider disconnected"}
FAILED = Failure("provider_unavailable", "Provider disconnected", None, answered=True)
NESTED = {"code": 502, "message": "Gone", "metadata": {"error_type": "provider_unavailable", "provider_name": "Novita"}}
NESTED_FAILED = Failure("provider_unavailable", "Gone", "Novita", answered=True)

Shape = Callable[[dict[str, Any]], Any]
each_shape = pytest.mark.parametrize(
    "shape", [dict, lambda body: openai.BaseModel.construct(**body)], ids=["JSON", "SDK model"]
)


def response(status: str | None, **more: Any) -> dict[str, Any]:
    """A Responses object."""
    known: dict[str, Any] = {
        "id": "gen-1-x",
        "object": "response",
        "model": "openai/o4-mini",
        "error": None,
        "output": [],
    }
    return {**known, **({"status": status} if status else {}), **more}


# --- whole objects ---
@each_shape
def test_a_completed_response_tells_everything(shape: Shape) -> None:
    body = response("completed", output=[MESSAGE], usage=USAGE, provider="OpenAI")

    assert read_response(shape(body)) == Answer("gen-1-x", "openai/o4-mini", "OpenAI", ("stop",), None, USED)


@each_shape
@pytest.mark.parametrize(
    ("body", "reasons", "failure"),
    [
        (response("completed", output=[MESSAGE]), ("stop",), None),
        (response("completed", output=[MESSAGE, CALL]), ("tool_calls",), None),
        (response("completed", output=None), ("stop",), None),
        (response("incomplete", incomplete_details={"reason": "max_output_tokens"}), ("length",), None),
        (response("incomplete", incomplete_details={"reason": "content_filter"}), ("content_filter",), None),
        (response("incomplete", incomplete_details={"reason": "new_reason"}), ("new_reason",), None),
        (response("incomplete", incomplete_details=None), (), None),
        (response("in_progress"), (), None),
        (response("cancelled"), (), None),
        (response(None, output=[MESSAGE]), (), None),
        (response("failed", error=WORDS, error_type="provider_unavailable"), (), FAILED),
        (response("failed", error=WORDS), (), FAILED._replace(type="server_error")),
        (response("failed"), (), Failure("http_200", answered=True)),
        (response(None), (), Failure("http_200", answered=True)),
        (response(None, output=None), (), Failure("http_200", answered=True)),
        ({"error": NESTED}, (), NESTED_FAILED),
        ({"error": "overloaded"}, (), Failure("http_200", answered=True)),
    ],
)
def test_how_a_response_ended(
    body: dict[str, Any], reasons: tuple[str, ...], failure: Failure | None, shape: Shape
) -> None:
    facts = read_response(shape(body))

    assert (facts.finish_reasons, facts.failure) == (reasons, failure)


def test_a_message_that_may_quote_the_prompt_is_left_out() -> None:
    quoting = response("failed", error={"code": "invalid_prompt", "message": "You said: SECRET"})

    assert read_response(quoting).failure == Failure("invalid_prompt", None, None, answered=True)


def test_a_failure_that_was_charged_keeps_its_usage() -> None:
    facts = read_response(response("failed", error=WORDS, error_type="provider_unavailable", usage=USAGE))

    assert (facts.usage, facts.failure) == (USED, FAILED)


def test_the_routers_metadata_tells_the_upstream_where_nothing_else_does() -> None:
    tried = [{"provider": "Azure", "selected": False}, {"provider": "OpenAI", "selected": True}]

    facts = read_response(response("completed", openrouter_metadata={"endpoints": {"available": tried}}))
    assert facts.provider == "OpenAI"


@pytest.mark.parametrize("nonsense", [None, 7, "text", [], {}, {"status": 5, "output": 7, "usage": "free"}, object()])
def test_nonsense_is_an_answer_without_facts(nonsense: object) -> None:
    facts = read_response(nonsense)

    assert facts._replace(failure=None) == NOTHING
    assert facts.failure in (None, Failure("http_200", answered=True))


# --- streams ---
def folded(*events: Any, read: Callable[[object], Answer] = response_facts) -> EventFacts:
    """A stream of Responses events, read to its end."""
    facts = EventFacts(read)
    for event in events:
        facts.saw(event)
    return facts


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


CREATED = event("response.created", response=response("in_progress", usage=None))
DELTA = event("response.output_text.delta", delta="hel")
COMPLETED = event("response.completed", response=response("completed", output=[MESSAGE], usage=USAGE))


@each_shape
def test_a_streams_last_object_tells_most(shape: Shape) -> None:
    seen = folded(*map(shape, [CREATED, event("response.in_progress", response=response("in_progress")), DELTA]))
    assert seen.answer() == Answer("gen-1-x", "openai/o4-mini")

    seen.saw(shape(COMPLETED))
    assert seen.answer() == Answer("gen-1-x", "openai/o4-mini", None, ("stop",), None, USED)


@each_shape
@pytest.mark.parametrize(
    ("last", "reasons", "failure"),
    [
        (
            event(
                "response.incomplete",
                response=response("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USAGE),
            ),
            ("length",),
            None,
        ),
        (
            event("response.completed", response=response("completed", output=[CALL], usage=USAGE)),
            ("tool_calls",),
            None,
        ),
        (
            event(
                "response.failed",
                response=response("failed", error=WORDS, error_type="provider_unavailable", usage=USAGE),
            ),
            (),
            FAILED,
        ),
    ],
)
def test_how_a_stream_ended(
    last: dict[str, Any], reasons: tuple[str, ...], failure: Failure | None, shape: Shape
) -> None:
    facts = folded(*map(shape, [CREATED, DELTA, last])).answer()

    assert (facts.finish_reasons, facts.failure, facts.usage) == (reasons, failure, USED)


@each_shape
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (event("error", **WORDS, param=None, error_type="provider_unavailable"), FAILED),
        (event("error", **WORDS, param=None), FAILED._replace(type="server_error")),
        (event("error", message="What?"), Failure("http_200", "What?", answered=True)),
        (event("error", error=NESTED), NESTED_FAILED),
        (event("response.error", error=NESTED), NESTED_FAILED),
        ({"error": NESTED}, NESTED_FAILED),
        (
            event("error", error={"code": "502", "message": "Gone", "type": "provider_unavailable"}),
            Failure("http_502", "Gone", answered=True),
        ),
    ],
)
def test_an_error_event_of_any_shape_fails_the_stream(error: dict[str, Any], failure: Failure, shape: Shape) -> None:
    facts = folded(*map(shape, [CREATED, DELTA, error])).answer()

    assert facts == Answer("gen-1-x", "openai/o4-mini", failure=failure)
    assert folded(shape(error)).answer() == Answer(failure=failure), "also as the first and only event"


@pytest.mark.parametrize(
    ("first", "has_content"),
    [
        (CREATED, False),
        (event("response.output_item.added", item=MESSAGE), False),
        (event("response.output_text.delta", delta=""), False),
        (DELTA, True),
        (event("response.reasoning_text.delta", delta="so"), True),
        (event("response.function_call_arguments.delta", delta="{"), True),
        (event("response.refusal.delta", delta="no"), True),
        (event("response.image_generation_call.partial_image", partial_image_b64="aGk="), True),
        (event("image_generation.partial_image", b64_json="aGk="), True),
        (event("transcript.text.delta", delta="hi"), True),
        (COMPLETED, False),
    ],
)
def test_the_first_token_is_the_first_delta_or_picture(first: dict[str, Any], has_content: bool) -> None:
    assert folded(first).has_content is has_content
    assert folded(first, DELTA).has_content


@each_shape
def test_an_older_clients_wrapping_changes_nothing(shape: Shape) -> None:
    def wrapped(one: dict[str, Any]) -> Any:
        return shape({"event": one["type"], "data": one})

    seen = folded(*map(wrapped, [CREATED, DELTA, COMPLETED]))
    assert seen.answer() == folded(CREATED, DELTA, COMPLETED).answer()
    assert seen.has_content
    assert folded(wrapped(event("error", error=NESTED))).answer().failure == NESTED_FAILED


@each_shape
def test_events_of_images_and_sound_tell_their_usage_at_the_end(shape: Shape) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1290, "total_tokens": 1295, "cost": "0.0387"}
    partial = event("image_generation.partial_image", partial_image_index=0, b64_json="aGk=")
    done = event("image_generation.completed", b64_json="aGk=", usage=usage)

    seen = folded(*map(shape, [partial, done]), read=event_facts)
    assert seen.answer() == Answer(usage=Usage(5, 1290, (), Decimal("0.0387")))


def test_a_stream_that_said_nothing_told_nothing() -> None:
    assert folded().answer() == NOTHING
    assert folded(event("response.debug", info=1), {}, "junk", None).answer() == NOTHING
