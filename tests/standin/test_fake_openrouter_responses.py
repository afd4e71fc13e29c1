"""The stand-in's ``POST /responses``, read by the real client."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai import OpenAI, Stream
from pydantic import BaseModel

from fake_openrouter import Amounts, FakeOpenRouter
from fake_openrouter.errors import FAILURES

MODEL = "openai/gpt-5"
PRICED = "cost=0.03;prompt_tokens=10;completion_tokens=20"
TOOL = {"type": "function", "name": "weather", "parameters": {"properties": {"city": {"type": "string"}}}}
has_responses = pytest.mark.skipif(not hasattr(OpenAI, "responses"), reason="openai before 1.66 has no responses")


@pytest.fixture
def client(_client: OpenAI, openrouter: FakeOpenRouter) -> OpenAI:
    return _client


def post(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    """By hand, which every version of the client can."""
    body = {"model": MODEL, "input": [{"role": "user", "content": "Hello there"}], **more}
    return client.post("/responses", cast_to=object, body=body, options={"headers": {"x-scenario": wanted}})


def stream(client: OpenAI, wanted: str = "good", **more: Any) -> list[Any]:
    body = {"model": MODEL, "input": "Hello there", "stream": True, **more}
    options: Any = {"headers": {"x-scenario": wanted}}
    with client.post(
        "/responses", cast_to=object, body=body, options=options, stream=True, stream_cls=Stream[object]
    ) as events:
        return list(events)


def money(value: object) -> Decimal:
    return Decimal(repr(value))


def told(answer: Any) -> Amounts:
    usage = (answer[-1].get("response", {}) if isinstance(answer, list) else answer).get("usage") or {}
    upstream = (usage.get("cost_details") or {}).get("upstream_inference_cost") or 0
    bill = money(upstream) if usage.get("is_byok") else Decimal(0)
    tokens_in = usage.get("input_tokens", usage.get("total_tokens", 0))
    return Amounts(money(usage.get("cost", 0)), bill, tokens_in, usage.get("output_tokens", 0))


@has_responses
def test_the_client_finds_text_cost_and_details(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    arguments: Any = {"model": MODEL, "input": "Hello", "safety_identifier": "alice"}
    answer: Any = client.responses.create(**arguments, extra_headers={"x-scenario": "details"})
    (entry,) = openrouter.book.entries
    assert (answer.id, answer.status, answer.object) == (entry.id, "completed", "response")
    assert answer.output_text
    assert (entry.operation, entry.user, entry.streamed, entry.complete) == ("chat", "alice", False, True)
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (4096, 512, 4608)
    assert answer.usage.input_tokens_details.cached_tokens == 1024
    assert answer.usage.output_tokens_details.reasoning_tokens == 128
    details = answer.usage.cost_details
    assert money(answer.usage.cost) == entry.spent.charge == openrouter.book.totals().told.charge
    assert set(details) == {
        "upstream_inference_cost", "upstream_inference_input_cost", "upstream_inference_output_cost",
    }  # fmt: skip
    assert answer.usage.is_byok is False
    assert not hasattr(answer, "provider")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("wanted", "amounts", "complete"),
    [
        ("good", Amounts(Decimal("0.03"), Decimal(0), 10, 20), True),
        ("byok;fee=0.0015", Amounts(Decimal("0.0015"), Decimal("0.03"), 10, 20), True),
        ("byok-silent", Amounts(Decimal(0), Decimal(0), 10, 20), False),
        ("incomplete", Amounts(Decimal("0.03"), Decimal(0), 10, 20), True),
        ("total-only", Amounts(Decimal("0.03"), Decimal(0), 30, 0), True),
        ("no-cost", Amounts(Decimal(0), Decimal(0), 10, 20), False),
        ("null-usage", Amounts(), False),
        ("no-usage", Amounts(), False),
        ("failed;usage=full", Amounts(Decimal("0.03"), Decimal(0), 10, 20), True),
    ],
)
def test_the_book_knows_what_was_told(
    openrouter: FakeOpenRouter, client: OpenAI, wanted: str, amounts: Amounts, complete: bool, streamed: bool
) -> None:
    answer = (stream if streamed else post)(client, f"{wanted};{PRICED}")
    totals = openrouter.book.totals()
    assert told(answer) == amounts == totals.told
    assert (totals.generations, totals.untold_generations) == (1, not complete)


def test_a_stream_has_openais_events_in_their_order(client: OpenAI) -> None:
    events = stream(client, "good;chunks=2")
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert events[0]["response"]["usage"] is None
    assert "".join(event.get("delta", "") for event in events) == events[6]["text"]


def test_reasoning_comes_before_text_and_a_tool_instead_of_it(client: OpenAI) -> None:
    def deltas(events: list[Any]) -> list[str]:
        kinds = [event["type"].removeprefix("response.") for event in events]
        return list(dict.fromkeys(kind for kind in kinds if kind.endswith(".delta")))

    assert deltas(stream(client, "reasoning")) == ["reasoning_text.delta", "output_text.delta"]
    assert [item["type"] for item in post(client, "reasoning")["output"]] == ["reasoning", "message"]
    called = stream(client, "tool", tools=[TOOL])
    assert deltas(called) == ["function_call_arguments.delta"]
    (call,) = called[-1]["response"]["output"]
    assert (call["name"], json.loads(call["arguments"])) == ("weather", {"city": "text"})
    assert "".join(event.get("delta", "") for event in called) == call["arguments"]


class River(BaseModel):
    name: str
    length: float


@has_responses
@pytest.mark.parametrize("wanted", ["good", "reasoning", "good;named=true"])
def test_the_clients_own_helpers_follow(openrouter: FakeOpenRouter, client: OpenAI, wanted: str) -> None:
    arguments: Any = {"model": MODEL, "input": "A river", "extra_headers": {"x-scenario": wanted}}
    parsed = client.responses.parse(**arguments, text_format=River)
    assert parsed.output_parsed == River(name="text", length=1.5)
    with client.responses.stream(**arguments, text_format=River) as events:
        final: Any = events.get_final_response()
    assert final.output_parsed == parsed.output_parsed
    assert money(final.usage.cost) == openrouter.book.entries[-1].spent.charge


@has_responses
def test_an_incomplete_answer_says_why(client: OpenAI) -> None:
    arguments: Any = {"model": MODEL, "input": "A river", "extra_headers": {"x-scenario": "incomplete"}}
    answer: Any = client.responses.create(**arguments)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    last = list(client.responses.create(**arguments, stream=True))[-1]
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")
    assert money(last.response.usage.cost)


@has_responses
def test_a_failed_answer_is_returned_and_a_failed_event_yielded(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    arguments: Any = {"model": MODEL, "input": "A river", "extra_headers": {"x-scenario": "failed;status=503"}}
    answer: Any = client.responses.create(**arguments)
    last = list(client.responses.create(**arguments, stream=True))[-1]
    assert last.type == "response.failed"
    for response in (answer, last.response):
        assert (response.status, response.error.code, response.usage) == ("failed", "server_error", None)
        assert response.error_type == "provider_overloaded"
    totals = openrouter.book.totals()
    assert (totals.errors, totals.generations) == (2, 0)


@has_responses
def test_an_error_event_is_yielded_when_flat_and_raised_when_nested(client: OpenAI) -> None:
    arguments: Any = {"model": MODEL, "input": "A river", "stream": True}
    flat: Any = list(client.responses.create(**arguments, extra_headers={"x-scenario": "event-error;at=1"}))
    assert (flat[-1].type, flat[-1].code, flat[-1].error_type) == ("error", "server_error", "provider_unavailable")
    assert [event.type for event in flat].count("response.output_text.delta") == 1
    with pytest.raises(openai.APIError, match="Provider disconnected") as raised:
        list(client.responses.create(**arguments, extra_headers={"x-scenario": "stream-error"}))
    body: Any = raised.value.body
    assert (body["code"], body["metadata"]["error_type"]) == (502, "provider_unavailable")


def test_an_error_before_the_first_byte_has_a_code_in_words(client: OpenAI) -> None:
    for status, code in ((400, "invalid_prompt"), (429, "rate_limit_exceeded"), (503, "server_error")):
        with pytest.raises(openai.APIStatusError) as raised:
            post(client, f"error;status={status}")
        body: Any = raised.value.body
        assert (raised.value.status_code, body["code"], set(body)) == (status, code, {"code", "message"})
        beside = raised.value.response.json()
        assert beside["error_type"] == FAILURES[status].word
        assert beside["metadata"] is None
    assert post(client, "error-in-200")["error"]["code"] == 502
    with pytest.raises(openai.BadRequestError, match="choices-null"):
        post(client, "choices-null")


@pytest.mark.parametrize(("wanted", "outcome"), [("stream-drop", "cut"), ("stream-hang", "client gone")])
def test_a_stream_that_breaks_is_charged_and_untold(
    openrouter: FakeOpenRouter, client: OpenAI, wanted: str, outcome: str
) -> None:
    with pytest.raises(Exception, match=r"(?i)connection|timed out|peer closed|incomplete"):
        stream(client.with_options(timeout=0.2), wanted)
    openrouter.book.settle()
    assert [(entry.outcome, entry.complete) for entry in openrouter.book.entries] == [(outcome, False)]


def test_a_flaky_stream_succeeds_after_retries(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    stream(client.with_options(max_retries=2), "flaky;retry_after=0.01")
    totals = openrouter.book.totals()
    assert (totals.requests, totals.retries, totals.untold_generations) == (3, 2, 0)
