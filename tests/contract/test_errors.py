"""Errors, wherever OpenRouter puts them: what they are called, what of them is shown, and what they cost."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from contract.driving import MODEL, PRICED, PROMPT, Caller, Telemetry, asking
from fake_openrouter import SECRETS, FakeOpenRouter
from fake_openrouter.errors import FAILURES
from openrouter_otel import names

EVERY_STATUS = sorted(FAILURES)
QUOTING = ("content_policy_violation", "refusal", "invalid_prompt")


def failed(caller: Caller, wanted: str, **more: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as raised:
        caller.run(caller.create(wanted, **more))
    return raised.value


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_every_status_is_named_by_openrouters_word_or_by_its_number(
    status: int, caller: Caller, telemetry: Telemetry
) -> None:
    row = FAILURES[status]
    blamed = row.body("OpenAI")["metadata"].get("provider_name")

    error = failed(caller, f"error;status={status}")

    attributes = telemetry.the_only_call()
    kind = row.word or f"http_{status}"
    assert error.status_code == status
    assert attributes["error.type"] == kind
    assert attributes["openrouter.cost_source"] == names.FREE_FAILURE
    assert attributes.get("openrouter.provider") == blamed
    assert "gen_ai.usage.cost" not in attributes
    expected = {("model", MODEL), ("operation", "chat"), ("user", names.ANONYMOUS), ("error.type", kind)}
    assert telemetry.points(names.ERRORS) == {frozenset(expected | ({("provider", blamed)} if blamed else set())): 1}
    assert telemetry.points(names.COST) == telemetry.points(names.TOKENS) == {}
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.status.description == row.message.replace(SECRETS[-1], "[redacted]")


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_the_flavour_without_metadata_is_read_as_well(status: int, caller: Caller, telemetry: Telemetry) -> None:
    failed(caller, f"flat-error;status={status}")

    assert telemetry.the_only_call()["error.type"] == FAILURES[status].word or f"http_{status}"


def test_a_page_from_the_edge_is_named_by_its_status(caller: Caller, telemetry: Telemetry) -> None:
    failed(caller, "edge-error;status=524")

    assert telemetry.the_only_call()["error.type"] == "http_524"
    assert telemetry.span.status.description is None, "it is no message of OpenRouter's"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_key_in_a_message_is_redacted(streamed: bool, caller: Caller, telemetry: Telemetry) -> None:
    failed(caller, "error;status=400", stream=streamed)

    assert telemetry.span.status.description == "[redacted] is not a valid model parameter"


def test_a_message_is_cut_and_cleaned(caller: Caller, telemetry: Telemetry) -> None:
    """The stand-in repeats the name of a scenario that it does not know."""
    error = failed(caller, "x%0a" + "sk-or-v1-abcdefabcdef" + "y" * 500)

    description = str(telemetry.span.status.description)
    assert len(description) == 200
    assert len(str(error)) > 500
    assert "abcdef" not in description


@pytest.mark.parametrize("word", QUOTING)
@pytest.mark.parametrize("preset", ["error", "flat-error"])
def test_a_message_that_may_quote_the_prompt_is_dropped(
    word: str, preset: str, caller: Caller, telemetry: Telemetry
) -> None:
    failed(caller, f"{preset};status=400;error_type={word}")

    assert telemetry.the_only_call()["error.type"] == word
    assert telemetry.span.status.description is None


def test_a_word_is_made_fit_for_a_label(caller: Caller, telemetry: Telemetry) -> None:
    failed(caller, "error;status=400;error_type=a%20b%2F" + "c" * 100)

    assert telemetry.the_only_call()["error.type"] == "a_b_" + "c" * 60


# --- errors that the client does not raise ---
@pytest.mark.parametrize(
    ("wanted", "kind", "cost_source", "message"),
    [
        ("error-in-200;status=502", "provider_unavailable", names.FREE_FAILURE, "Provider disconnected"),
        ("error-in-200;status=524", "http_524", names.FREE_FAILURE, "A timeout occurred"),
        ("choices-null", "http_200", names.FREE_FAILURE, None),
        (f"choice-error;status=429;{PRICED}", "rate_limit_exceeded", names.REPORTED, "Provider returned error"),
        ("choice-error;status=429;usage=none", "rate_limit_exceeded", names.FREE_FAILURE, "Provider returned error"),
        (f"good;finish=error;{PRICED}", "http_200", names.REPORTED, None),
    ],
)
def test_an_error_inside_a_200_is_an_error(
    wanted: str, kind: str, cost_source: str, message: str | None, caller: Caller, telemetry: Telemetry
) -> None:
    caller.run(caller.create(wanted))

    attributes = telemetry.the_only_call()
    assert attributes["openrouter.outcome"] == names.ERROR
    assert (attributes["error.type"], attributes["openrouter.cost_source"]) == (kind, cost_source)
    assert telemetry.span.status.description == message
    charged = cost_source == names.REPORTED
    assert telemetry.total(names.COST, outcome=names.ERROR) == (0.03 if charged else 0)
    assert telemetry.total(names.TOKENS) == (30 if charged else 0)


def test_a_stream_without_choices_is_an_error(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await caller.read(await caller.create("choices-null", stream=True))

    caller.run(body())
    assert telemetry.the_only_call()["error.type"] == "http_200"


def test_an_error_in_a_200_names_the_upstream_that_failed(caller: Caller, telemetry: Telemetry) -> None:
    caller.run(caller.create("error-in-200;status=502;provider=DeepInfra"))

    assert telemetry.the_only_call()["openrouter.provider"] == "DeepInfra"
    assert telemetry.total(names.ERRORS, provider="DeepInfra") == 1


def test_parsing_an_error_in_a_200_tells_the_error_rather_than_how_parsing_failed(
    caller: Caller, telemetry: Telemetry
) -> None:
    class Answer(openai.BaseModel):
        name: str

    async def body() -> None:
        await caller.given(caller.structured.parse(**asking("error-in-200;status=502"), response_format=Answer))

    with pytest.raises(TypeError):
        caller.run(body())
    attributes = telemetry.the_only_call()
    assert (attributes["error.type"], attributes["openrouter.cost_source"]) == (
        "provider_unavailable",
        names.FREE_FAILURE,
    )


# --- retries ---
SOON = "retry_after=0.01"


@pytest.mark.parametrize("streamed", [False, True])
def test_retries_before_a_success_are_the_clients_own_count(
    streamed: bool, caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    async def body() -> int:
        patient = caller.using(max_retries=3)
        arguments = asking(f"flaky;failures=2;{SOON}", stream=streamed)
        answer = await caller.given(patient.chat.with_raw_response.create(**arguments))
        parsed = answer.parse()
        if streamed:
            await caller.read(parsed)
        return int(answer.retries_taken)

    assert caller.run(body()) == 2
    attributes = telemetry.the_only_call()
    assert attributes["openrouter.retries"] == telemetry.total(names.RETRIES) == 2
    assert attributes["openrouter.outcome"] == names.OK
    assert openrouter.book.totals().retries == 2
    assert telemetry.points(names.ERRORS) == {}


@pytest.mark.parametrize("max_retries", [0, 1, 2])
def test_retries_before_a_failure_are_counted_too(
    max_retries: int, caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    failed(caller.using(max_retries=max_retries), f"error;status=429;{SOON}")

    attributes = telemetry.the_only_call()
    assert attributes.get("openrouter.retries") == (max_retries or None)
    assert telemetry.total(names.RETRIES) == max_retries == openrouter.book.totals().requests - 1
    assert telemetry.total(names.ERRORS) == 1, "one call, one error"


def test_the_wait_between_attempts_counts_in_the_duration(caller: Caller, telemetry: Telemetry) -> None:
    caller.run(caller.using(max_retries=1).create("flaky;failures=1;retry_after=0.1"))

    span = telemetry.span
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time - span.start_time >= 0.1e9


def test_what_a_failed_request_says_stays_out_of_its_status(caller: Caller, telemetry: Telemetry) -> None:
    failed(caller, "error;status=403")

    assert PROMPT not in str(telemetry.span.status.description)
    assert telemetry.span.status.description == "Your input was flagged by moderation"
