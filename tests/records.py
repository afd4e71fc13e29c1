"""Records for tests: a call that went well, by nobody in particular, with any part of it replaced."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.response import Answer
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import Attribution, Record, cost_source

USAGE = Usage(10, 5, (), Decimal("0.001"))


def request(model: str | None = "openai/gpt-5", *, stream: bool = False) -> Request:
    """What was asked."""
    return Request("chat", model, stream, "openrouter.ai", None)


def ended(
    *,
    model: str | None = "openai/gpt-5",
    requested: str | None = "openai/gpt-5",
    provider: str | None = "OpenAI",
    user: str | None = None,
    tags: Mapping[str, str] | None = None,
    finish: str | None = "stop",
    usage: Usage | None = USAGE,
    outcome: str = "ok",
    failure: Failure | None = None,
    started_at: int = 0,
    duration: float | None = 1.0,
    first_token: float | None = None,
    retries: int = 0,
) -> Record:
    """A call that has ended."""
    reasons = () if finish is None else (finish,)
    return Record(
        request(requested, stream=first_token is not None),
        Attribution(user, None, tags or {}),
        Answer("gen-1", model, provider, reasons, None, usage, failure),
        outcome,
        cost_source(usage, outcome, failure),
        failure,
        started_at,
        duration,
        first_token,
        retries,
    )
