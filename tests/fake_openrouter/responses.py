"""``POST /responses``: section 4 of the facts sheet. What an answer consists of is in ``items.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from . import items
from .errors import Failure
from .generation import Generation
from .operation import BARE_ERROR, Operation, Streaming
from .scenario import Scenario
from .usage import JSON, Flavour, Usage, priced

# Many of OpenRouter's words collapse into few codes; the word itself is in `error_type`.
_CODES: Final = {
    "content_policy_violation": "image_content_policy_violation",
    "rate_limit_exceeded": "rate_limit_exceeded",
}
_STATUSES: Final = {400: "invalid_prompt", 422: "invalid_prompt", 429: "rate_limit_exceeded"}
# Chat's reasons to finish that make an answer incomplete here.
_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}


def _body(generation: Generation, usage: Usage) -> JSON:
    reason = _INCOMPLETE.get(generation.scenario.finish)
    return {
        **_response(generation, "incomplete" if reason else "completed", items.finished(generation)),
        "incomplete_details": {"reason": reason} if reason else None,
        "completed_at": None if reason else generation.created,
        **usage.under(),
    }


def _response(generation: Generation, status: str, output: list[JSON]) -> JSON:
    asked = generation.ask.body
    return {
        "id": generation.id,
        "object": "response",
        "created_at": generation.created,
        "completed_at": None,
        "model": generation.model,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": output,
        "service_tier": "default",
        "parallel_tool_calls": True,
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools") or [],
        **{name: asked.get(name) for name in _ECHOED},
        "store": False,
        "usage": None,
    }


_ECHOED: Final = (
    "instructions", "max_output_tokens", "metadata", "previous_response_id", "safety_identifier", "temperature",
    "top_p", "user",
)  # fmt: skip


def _opening(generation: Generation) -> Iterator[JSON]:
    response = _response(generation, "in_progress", [])
    yield {"type": "response.created", "response": response}
    yield {"type": "response.in_progress", "response": response}
    yield from items.opening(generation)


def _closing(generation: Generation, usage: Usage) -> Iterator[JSON]:
    yield from items.closing(generation)
    response = _body(generation, usage)
    yield {"type": f"response.{response['status']}", "response": response}


def _failed(generation: Generation, usage: Usage, error: JSON) -> JSON:
    """A whole answer that failed; what is left of its output is only in a stream's events."""
    failure = {"code": _code(error), "message": error["message"]}
    response = {**_response(generation, "failed", []), "error": failure, **usage.under()}
    return {**response, **_error_type(error)}


def _failed_event(generation: Generation, usage: Usage, error: JSON) -> JSON:
    return {"type": "response.failed", "response": _failed(generation, usage, error)}


def _flat_event(_: Generation, __: Usage, error: JSON) -> JSON:
    """The documented flavour, which the client hands on as an event."""
    return {"type": "error", "code": _code(error), "message": error["message"], "param": None, **_error_type(error)}


def _nested_event(_: Generation, __: Usage, error: JSON) -> JSON:
    """The observed flavour, which the client raises."""
    return {"type": "error", "error": error}


def _refusal(failure: Failure, provider: str, scenario: Scenario) -> JSON:
    """The body under an HTTP status: a code in words, and the precise word beside ``error``."""
    error = failure.body(provider, scenario.error_type)
    code = scenario.code or _code(error)
    return {"error": {"code": code, "message": error["message"]}, **_error_type(error), "metadata": None}


def _code(error: JSON) -> str:
    code: Any = error["code"]
    if isinstance(code, str):
        return code
    return _CODES.get(error["metadata"].get("error_type", "")) or _STATUSES.get(code, "server_error")


def _error_type(error: JSON) -> JSON:
    word = error["metadata"].get("error_type")
    return {"error_type": word} if word else {}


def _counted(generation: Generation) -> JSON:
    tokens = generation.tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.total,
    }


OPERATION: Final = Operation(
    "chat",
    _body,
    Flavour(_counted, priced("input", "output")),
    Streaming(
        _opening,
        items.deltas,
        _closing,
        {"body-error": _nested_event, "event-error": _flat_event, "failed": _failed_event},
        numbered=True,
    ),
    hiding={**BARE_ERROR, "failed": _failed},
    refusal=_refusal,
)
