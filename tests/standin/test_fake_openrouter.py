"""The stand-in is the ground truth of every exactness test, so it is held against the facts sheet itself."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from fake_openrouter import MODELS, PRESETS, SECRETS, Amounts, Book, FakeOpenRouter, scenario
from fake_openrouter.errors import FAILURES

MODEL = "openai/gpt-4o-mini"
SOON = "retry_after=0.01"


@pytest.fixture
def openrouter() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as server:
        yield server


@pytest.fixture(scope="module")
def transport() -> Iterator[OpenAI]:
    """Building a client is slow, its copies are quick."""
    with OpenAI(base_url="http://127.0.0.1:1", api_key="sk-or-v1-test", max_retries=0, timeout=5) as one:
        yield one


@pytest.fixture
def client(transport: OpenAI, openrouter: FakeOpenRouter) -> OpenAI:
    return transport.with_options(base_url=openrouter.base_url)


def ask(client: OpenAI, wanted: str = "good", **more: Any) -> Any:
    arguments = {"model": MODEL, "messages": [{"role": "user", "content": "Hello there"}], **more}
    return client.chat.completions.create(**arguments, extra_headers={"x-scenario": wanted})


def stream(client: OpenAI, wanted: str = "good", **more: Any) -> list[Any]:
    with ask(client, wanted, stream=True, **more) as chunks:
        return list(chunks)


def money(value: object) -> Decimal:
    return Decimal(repr(value))


def test_a_plain_answer_has_openrouters_extras(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    answer = ask(client, "details", user="alice")
    (entry,) = openrouter.book.entries
    usage = answer.usage
    assert answer.id == entry.id
    assert answer.id.startswith("gen-")
    assert (answer.model, answer.provider, answer.system_fingerprint) == (MODEL, "OpenAI", None)
    assert (answer.choices[0].finish_reason, answer.choices[0].native_finish_reason) == ("stop", "stop")
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (4096, 512, 4608)
    told = usage.to_dict()  # openai 1.40 knows no details of prompt tokens and leaves a plain dict
    assert told["prompt_tokens_details"] == {
        "cached_tokens": 1024, "cache_write_tokens": 512, "audio_tokens": 64, "video_tokens": 32,
    }  # fmt: skip
    assert told["completion_tokens_details"] == {"reasoning_tokens": 128, "image_tokens": 16, "audio_tokens": 8}
    assert usage.is_byok is False
    assert money(usage.cost_details["upstream_inference_cost"]) == money(usage.cost)
    assert (entry.user, entry.operation, entry.streamed, entry.byok) == ("alice", "chat", False, False)
    assert len(entry.key_hash) == 64
    assert entry.complete


def test_the_generation_id_is_also_a_header(client: OpenAI) -> None:
    arguments = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    raw = client.chat.completions.with_raw_response.create(**arguments)  # type: ignore[arg-type, call-overload, unused-ignore]
    assert raw.headers["x-generation-id"] == raw.parse().id


@pytest.mark.parametrize("model", MODELS)
def test_a_cost_comes_back_through_a_float_as_the_same_decimal(
    openrouter: FakeOpenRouter, client: OpenAI, model: str
) -> None:
    answers = [ask(client, f"good;prompt_tokens={n};completion_tokens={n * 7}", model=model) for n in (1, 333, 98765)]
    assert sum(money(answer.usage.cost) for answer in answers) == openrouter.book.totals().told.charge


@pytest.mark.parametrize(("shape", "choices", "finish"), [("A", 0, None), ("B", 1, "stop"), ("C", 1, "stop")])
def test_a_streams_usage_rides_in_one_of_three_shapes(
    openrouter: FakeOpenRouter, client: OpenAI, shape: str, choices: int, finish: str | None
) -> None:
    chunks = stream(client, f"good;shape={shape};comments=3")
    first, last = chunks[0], chunks[-1]
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert len(last.choices) == choices
    assert [choice.finish_reason for choice in last.choices] == [finish] * choices
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert money(last.usage.cost) == openrouter.book.totals().told.charge
    assert {chunk.provider for chunk in chunks} == {"OpenAI"}


def test_a_usage_may_be_told_twice_and_is_charged_once(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    told = [chunk.usage.cost for chunk in stream(client, "good;shape=CA") if chunk.usage]
    assert len(told) == 2
    assert money(told[0]) == money(told[1]) == openrouter.book.totals().told.charge


def test_reasoning_and_tool_calls_can_come_first(client: OpenAI) -> None:
    tool = {
        "type": "function",
        "function": {"name": "weather", "parameters": {"properties": {"city": {"type": "string"}}}},
    }
    assert stream(client, "reasoning")[1].choices[0].delta.reasoning
    call = stream(client, "tool", tools=[tool])[1].choices[0].delta.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "text"})
    assert ask(client, "tool", tools=[tool]).choices[0].message.tool_calls[0].function.name == "weather"


class River(BaseModel):
    """A schema with a list, a choice and an inner model."""

    name: str
    length: float
    mouths: list[Mouth]


class Mouth(BaseModel):
    sea: str


River.model_rebuild()


def test_a_structured_answer_is_valid_for_its_schema_unless_asked_otherwise(
    openrouter: FakeOpenRouter, client: OpenAI
) -> None:
    def parse(wanted: str) -> River | None:
        completions: Any = client.chat.completions
        if not hasattr(completions, "parse"):  # openai before 1.92
            completions = client.beta.chat.completions
        parsed: River | None = (
            completions.parse(
                model=MODEL,
                messages=[{"role": "user", "content": "A river"}],
                response_format=River,
                extra_headers={"x-scenario": wanted},
            )
            .choices[0]
            .message.parsed
        )
        return parsed

    assert parse("good") == River(name="text", length=1.5, mouths=[Mouth(sea="text")])
    with pytest.raises(ValueError, match="River"):
        parse("unparsable")
    assert openrouter.book.totals().untold_generations == 0  # charged and told, both of them


# scenario, what the client is told of 10 tokens in and 20 out at a price of 0.03, and whether that is everything
TOLD = [
    ("good", Amounts(Decimal("0.03"), Decimal(0), 10, 20), True),
    ("byok", Amounts(Decimal(0), Decimal("0.03"), 10, 20), True),
    ("byok;fee=0.0015", Amounts(Decimal("0.0015"), Decimal("0.03"), 10, 20), True),
    ("byok-silent;fee=0.0015", Amounts(Decimal("0.0015"), Decimal(0), 10, 20), False),
    ("good;upstream=null", Amounts(Decimal("0.03"), Decimal(0), 10, 20), True),
    ("total-only", Amounts(Decimal("0.03"), Decimal(0), 30, 0), True),
    ("bare-total", Amounts(Decimal(0), Decimal(0), 30, 0), False),
    ("no-cost", Amounts(Decimal(0), Decimal(0), 10, 20), False),
    ("no-usage", Amounts(), False),
    ("null-usage", Amounts(), False),
    ("choice-error", Amounts(Decimal("0.03"), Decimal(0), 10, 20), True),
]


def read(answer: Any) -> Amounts:
    """What an attentive client knows: the rule of the facts sheet's section 1.2."""
    usage = (
        next((part.usage for part in reversed(answer) if part.usage), None)
        if isinstance(answer, list)
        else answer.usage
    )
    known = usage.to_dict() if usage else {}
    total, tokens_out = known.get("total_tokens", 0), known.get("completion_tokens", 0)
    upstream = (known.get("cost_details") or {}).get("upstream_inference_cost") or 0
    bill = money(upstream) if known.get("is_byok") else Decimal(0)
    return Amounts(money(known.get("cost", 0)), bill, known.get("prompt_tokens", total), tokens_out)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("wanted", "told", "complete"), TOLD)
def test_the_book_knows_what_was_told(
    openrouter: FakeOpenRouter, client: OpenAI, wanted: str, told: Amounts, complete: bool, streamed: bool
) -> None:
    wanted = wanted.replace(";", ";cost=0.03;prompt_tokens=10;completion_tokens=20;", 1)
    wanted = wanted if "cost=" in wanted else f"{wanted};cost=0.03;prompt_tokens=10;completion_tokens=20"
    answer = (stream if streamed else ask)(client, wanted)
    totals = openrouter.book.totals()
    assert read(answer) == told == totals.told
    assert totals.untold_generations == (not complete)


@pytest.mark.parametrize("wanted", ["cache-hit", "free", "good;model=mistralai/mistral-small-3.2-24b-instruct:free"])
def test_what_is_free_is_told_as_zero(openrouter: FakeOpenRouter, client: OpenAI, wanted: str) -> None:
    assert ask(client, wanted).usage.cost == 0
    totals = openrouter.book.totals()
    assert not totals.told.charge
    assert (totals.generations, totals.untold_generations) == (1, 0)


def test_a_cache_hit_counts_nothing_and_says_so_in_a_header(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    arguments: Any = {"model": MODEL, "messages": [], "extra_headers": {"x-scenario": "cache-hit"}}
    raw = client.chat.completions.with_raw_response.create(**arguments)
    assert raw.headers["x-openrouter-cache-status"] == "HIT"
    assert raw.parse().usage.total_tokens == 0


@pytest.mark.parametrize(
    ("requested", "fallbacks", "wanted", "served"),
    [
        ("openrouter/auto", [], "good", "google/gemini-2.5-flash"),
        (MODEL, [MODEL, "openai/gpt-5"], "fallback", "openai/gpt-5"),
        (MODEL, [], "good;model=anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("acme/unheard-of", [], "good", "acme/unheard-of"),
    ],
)
def test_the_model_that_serves_may_be_another_one(
    openrouter: FakeOpenRouter, client: OpenAI, requested: str, fallbacks: list[str], wanted: str, served: str
) -> None:
    answer = ask(client, wanted, model=requested, extra_body={"models": fallbacks} if fallbacks else None)
    (entry,) = openrouter.book.entries
    assert answer.model == served == entry.model
    assert entry.requested_model == requested


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize("streamed", [False, True])
def test_each_status_has_its_error_body(
    openrouter: FakeOpenRouter, client: OpenAI, status: int, streamed: bool
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, f"error;status={status}", stream=streamed)
    body: Any = caught.value.body
    assert (caught.value.status_code, body["code"]) == (status, status)
    assert body["metadata"].get("error_type") == FAILURES[status].word
    totals = openrouter.book.totals()
    assert (totals.generations, totals.errors, totals.requests) == (0, 1, 1)


def test_the_error_bodies_carry_secrets_for_others_to_find(client: OpenAI) -> None:
    bodies = []
    for status in FAILURES:
        with pytest.raises(openai.APIStatusError) as caught:
            ask(client, f"error;status={status}")
        bodies.append(caught.value.response.text)
    assert [any(secret in body for body in bodies) for secret in SECRETS] == [True, True, True]


def test_an_error_may_be_flat_or_not_json_at_all(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as flat:
        ask(client, "flat-error;status=429;error_type=quota_of_a_new_kind")
    assert flat.value.body["error_type"] == "quota_of_a_new_kind"  # type: ignore[index]
    with pytest.raises(openai.InternalServerError) as edge:
        ask(client, "edge-error")
    assert isinstance(edge.value.body, str)
    assert "<html>" in edge.value.body


def test_an_error_inside_a_200_is_not_raised(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    hidden = ask(client, "error-in-200")
    assert (hidden.choices, hidden.usage, hidden.error["code"]) == (None, None, 502)
    assert ask(client, "choices-null").choices is None
    partial = ask(client, "choice-error").choices[0]
    assert (partial.finish_reason, partial.error["metadata"]["error_type"]) == ("error", "provider_unavailable")
    assert partial.message.content
    totals = openrouter.book.totals()
    assert (totals.errors, totals.generations, totals.untold_generations) == (3, 1, 0)


def test_an_error_in_the_middle_of_a_stream(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    with pytest.raises(openai.APIError, match="Provider disconnected"):
        stream(client, "stream-error;at=1")
    with pytest.raises(openai.APIError) as worded:
        stream(client, "stream-error;code=server_error")
    assert worded.value.code == "server_error"
    chunks = stream(client, "stream-choice-error;at=1")
    assert len(chunks) == 3  # the role, one with content, the error
    assert (chunks[-1].choices[0].finish_reason, chunks[-1].choices[0].error["code"]) == ("error", 502)
    assert (openrouter.book.totals().errors, openrouter.book.totals().generations) == (3, 0)


@pytest.mark.parametrize("wanted", ["good", "stream-error", "stream-choice-error", "choices-null"])
def test_a_stream_leaves_its_connection_fit_for_the_next_call(
    openrouter: FakeOpenRouter, client: OpenAI, wanted: str
) -> None:
    for _ in range(3):
        with contextlib.suppress(openai.APIError):
            stream(client, wanted)
        ask(client)
    assert openrouter.book.totals().requests == 6


# What is lost on the way is charged all the same.
LOST = [
    ("drop", False, "drop"),
    ("drop", True, "drop"),
    ("stream-drop", False, "cut"),
    ("stream-drop", True, "cut"),
    ("hang", False, "client gone"),
    ("hang", True, "client gone"),
    ("stream-hang", True, "client gone"),
    ("good;latency=5", False, "client gone"),
    ("good;latency=5", True, "client gone"),
    ("good;chunk_delay=5", True, "client gone"),
]


@pytest.mark.parametrize(("wanted", "streamed", "outcome"), LOST)
def test_an_answer_that_never_arrives_is_charged_and_untold(
    openrouter: FakeOpenRouter, client: OpenAI, wanted: str, streamed: bool, outcome: str
) -> None:
    # openai before 3.x lets the transport's own exceptions out of a stream that has begun.
    with pytest.raises(Exception, match=r"(?i)connection|timed out|peer closed|incomplete"):
        (stream if streamed else ask)(client.with_options(timeout=0.2), wanted)
    openrouter.book.settle()
    (entry,) = openrouter.book.entries
    assert (entry.outcome, entry.complete, entry.told) == (outcome, False, Amounts())
    assert openrouter.book.totals().untold == entry.spent != Amounts()


@pytest.mark.parametrize("wanted", ["endless", "good;chunk_delay=0.05;chunks=40"])
def test_a_stream_that_is_left_is_charged_and_untold(openrouter: FakeOpenRouter, client: OpenAI, wanted: str) -> None:
    with ask(client, wanted, stream=True) as chunks:
        for _ in zip(range(3), chunks, strict=False):
            pass
    openrouter.book.settle()
    assert [(entry.outcome, entry.complete) for entry in openrouter.book.entries] == [("client gone", False)]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("fault", "failures"), [("flaky", 2), ("flaky;status=429", 2), ("drop;failures=1", 1)])
def test_a_flaky_call_fails_and_then_succeeds(
    openrouter: FakeOpenRouter, client: OpenAI, fault: str, failures: int, streamed: bool
) -> None:
    patient = client.with_options(max_retries=2)
    for _ in range(2):  # the second call fails afresh
        (stream if streamed else ask)(patient, f"{fault};{SOON}")
    totals = openrouter.book.totals()
    assert (totals.retries, totals.requests) == (2 * failures, 2 + 2 * failures)
    assert (totals.generations, totals.untold_generations) == (2, 0)


def test_a_client_that_does_not_count_its_attempts_is_counted(openrouter: FakeOpenRouter) -> None:
    def post() -> int:
        request = urllib.request.Request(
            f"{openrouter.base_url}/chat/completions",
            data=b'{"model": "openai/gpt-5"}',
            headers={"Authorization": "Bearer sk-or-v1-x", "x-scenario": "flaky;failures=1"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert [post() for _ in range(4)] == [503, 200, 503, 200]
    assert openrouter.book.totals().retries == 2


def test_requests_are_kept_as_they_came(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    ask(client, user="alice")
    (received,) = openrouter.requests
    assert (received.method, received.path, received.body["user"]) == ("POST", "/chat/completions", "alice")
    assert received.headers["x-scenario"] == "good"


def test_a_default_lies_under_every_request(client: OpenAI, openrouter: FakeOpenRouter) -> None:
    openrouter.default = scenario("byok;fee=0.25")
    answer = ask(client, "good;prompt_tokens=7")
    assert (answer.usage.is_byok, answer.usage.cost, answer.usage.prompt_tokens) == (True, 0.25, 7)


@pytest.mark.parametrize("wrong", ["no-such-thing", "good;no_such=1", "good;chunks=many"])
def test_a_wrong_scenario_is_refused_aloud(client: OpenAI, wrong: str) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client, wrong)


def test_without_a_key_or_a_path_there_is_no_answer(openrouter: FakeOpenRouter) -> None:
    for path, status in (("/chat/completions", 401), ("/nowhere", 404)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{openrouter.base_url}{path}", data=b"{}")
        with caught.value as error:
            assert error.code == status


def test_other_processes_read_the_book_as_json(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    ask(client, "good;cost=0.000000000001")
    with urllib.request.urlopen(openrouter.book_url) as answer:
        book = json.load(answer)
    assert Decimal(book["totals"]["told"]["charge"]) == Decimal("1e-12")
    assert len(book["entries"]) == 1
    assert client.models.list().data[0].id in MODELS
    page = urllib.request.Request(f"{openrouter.base_url}/key", headers={"Authorization": "Bearer sk-or-v1-test"})
    with urllib.request.urlopen(page) as answer:
        assert json.load(answer)["data"]["usage"] == 1e-12


def test_many_callers_at_once_add_up(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    threads = [threading.Thread(target=lambda: [ask(client) for _ in range(20)]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    totals = openrouter.book.totals()
    assert (totals.requests, totals.generations, totals.untold_generations) == (200, 200, 0)
    assert totals.told.charge == openrouter.book.entries[0].spent.charge * 200


def test_stopping_hangs_up_and_leaves_no_thread_behind(transport: OpenAI) -> None:
    before = threading.active_count()
    openrouter = FakeOpenRouter()
    client = transport.with_options(base_url=openrouter.base_url)
    ask(client)  # leaves a kept-alive connection
    stopping = threading.Timer(0.1, openrouter.stop)
    stopping.start()
    with pytest.raises(openai.APIConnectionError):
        ask(client, "hang")
    stopping.join()
    assert threading.active_count() == before


def test_a_book_refuses_to_settle_while_something_is_open(openrouter: FakeOpenRouter, client: OpenAI) -> None:
    ask(client)
    openrouter.book.settle()
    (entry,) = openrouter.book.entries
    book = Book()
    book.open(replace(entry, outcome="open"))
    with pytest.raises(TimeoutError, match=entry.id):
        book.settle(timeout=0.01)


def test_every_preset_is_a_scenario() -> None:
    assert [scenario(name) for name in PRESETS]
