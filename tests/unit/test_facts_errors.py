"""`error.type` and messages: the contract's order, and what must never leave the process."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import openai
import pytest

from openrouter_otel.facts.errors import Failure, answered_failure, error_type, raised_failure, shown

httpx = import_module("httpx2" if openai.__version__.startswith("3.") else "httpx")
REQUEST = httpx.Request("POST", "https://openrouter.ai/api/v1/chat/completions")
KEY = "sk-or-v1-5ec2e75ec2e75ec2e75ec2e75ec2e7"
CLIENT = openai.OpenAI(api_key=KEY, base_url="https://openrouter.ai/api/v1")


def refused(status: int, body: object) -> openai.APIStatusError:
    """What the client raises for a status; `body` is the error object, or the page's text."""
    response = httpx.Response(status, request=REQUEST)
    return CLIENT._make_status_error(
        "Error code", body={"error": body} if isinstance(body, dict) else body, response=response
    )


def body(**members: Any) -> dict[str, Any]:
    return {"code": 429, "message": "Provider returned error", **members}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        # --- OpenRouter's word beats the status ---
        (
            refused(
                429, body(metadata={"error_type": "rate_limit_exceeded", "provider_name": "DeepInfra", "raw": "x"})
            ),
            Failure("rate_limit_exceeded", "Provider returned error", "DeepInfra", answered=True),
        ),
        (
            refused(503, body(error_type="provider_overloaded")),
            Failure("provider_overloaded", "Provider returned error", answered=True),
        ),
        # --- the status beats the class ---
        (refused(402, body(metadata=None)), Failure("http_402", "Provider returned error", answered=True)),
        (
            refused(524, body(metadata={"error_type": ""})),
            Failure("http_524", "Provider returned error", answered=True),
        ),
        (refused(502, "<!DOCTYPE html>"), Failure("http_502", answered=True)),
        (refused(500, None), Failure("http_500", answered=True)),
        (
            refused(400, body(metadata={"error_type": "a b/c-d"})),
            Failure("a_b_c_d", "Provider returned error", answered=True),
        ),
        # --- a chunk's error has no status of its own ---
        (
            openai.APIError(
                "x", REQUEST, body={"code": 502, "message": "gone", "metadata": {"error_type": "provider_unavailable"}}
            ),
            Failure("provider_unavailable", "gone", answered=True),
        ),
        (openai.APIError("x", REQUEST, body={"code": 502}), Failure("http_502", answered=True)),
        (openai.APIError("x", REQUEST, body={"code": "server_error"}), Failure("APIError", answered=True)),
        # --- the transport: nobody answered, a charge may exist ---
        (openai.APITimeoutError(REQUEST), Failure("APITimeoutError")),
        (openai.APIConnectionError(request=REQUEST), Failure("APIConnectionError")),
        (openai.APIError("x", REQUEST, body=None), Failure("APIError")),
        # --- anything else ---
        (ValueError("prompt: my secret"), Failure("ValueError")),
        (openai.ContentFilterFinishReasonError(), Failure("ContentFilterFinishReasonError")),
        # A good answer that a strict client refuses: OpenRouter answered no error.
        (
            openai.APIResponseValidationError(httpx.Response(200, request=REQUEST), {"id": "gen-1", "choices": []}),
            Failure("APIResponseValidationError"),
        ),
    ],
)
def test_a_raised_error_is_named_by_word_then_status_then_class(error: BaseException, expected: Failure) -> None:
    assert expected == raised_failure(error)


@pytest.mark.parametrize("kind", ["content_policy_violation", "refusal", "invalid_prompt"])
def test_a_message_that_may_quote_the_prompt_is_dropped(kind: str) -> None:
    error = body(message="You said: my secret", metadata={"error_type": kind, "flagged_input": "my secret"})

    assert Failure(kind, None, None, answered=True) == answered_failure(error, 400, "x")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"{KEY} is not valid", "[redacted] is not valid"),
        (f"key={KEY}, and sk-proj-abcdef123", "key=[redacted], and [redacted]"),
        ("Authorization: Bearer abc.def.ghi failed", "Authorization: [redacted] failed"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: [redacted]"),
        (f"b'x-key\\n{KEY}'", "b'x-key\\n[redacted]'"),  # a quoted header: no word boundary before the key
        (f"API_KEY_{KEY}", "API_KEY_[redacted]"),
        ("task-manager and disk-or-memory are words", "task-manager and disk-or-memory are words"),
        ("line one\r\nline\ttwo\x00\x1b[31m", "line one line two [31m"),
        ("a\u2028b\u0085c", "a b c"),
        ("  padded  ", "padded"),
        ("é" * 300, "é" * 200),
        (None, None),
        ("", None),
        (7, None),
        ({"text": "x"}, None),
    ],
)
def test_a_message_is_redacted_cleaned_and_cut(message: object, expected: str | None) -> None:
    assert expected == shown(message)


def test_a_key_across_the_cut_is_gone_too() -> None:
    for before in range(150, 210):
        told = shown("x" * before + " " + KEY)
        assert told is not None
        assert "5ec2" not in told
        assert len(told) <= 200


def test_many_keys_in_front_do_not_let_a_later_one_through() -> None:
    assert "5ec2" not in str(shown((KEY + " ") * 100))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("rate_limit", "rate_limit"), ("a.b.C9", "a.b.C9"), ("größe x", "gr__e_x"), ("x" * 100, "x" * 64)],
)
def test_an_error_type_is_64_characters_of_a_label(word: str, expected: str) -> None:
    assert expected == error_type(word)
