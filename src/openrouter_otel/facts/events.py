"""Streams of typed events and the Responses API: what its objects and its events tell.

Sources: https://openrouter.ai/docs/api-reference/responses-api, and OpenAI's event types for images and audio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from openrouter_otel.facts.errors import Failure, answered_failure
from openrouter_otel.facts.reading import field, items, path, text
from openrouter_otel.facts.response import ANSWERED_NOTHING, NOTHING, Answer, served_by
from openrouter_otel.facts.usage import read_usage

# `incomplete_details.reason` in the words of `finish_reason`.
CUT_SHORT: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
TOOL_CALL: Final = "function_call"
PARTIAL_IMAGE: Final = ".partial_image"


def read_response(body: object) -> Answer:
    """A whole Responses object."""
    facts = response_facts(body)
    if facts.failure is None and field(body, "status") is None and not items(field(body, "output")):
        return facts._replace(failure=Failure(ANSWERED_NOTHING, answered=True))
    return facts


def response_facts(body: object) -> Answer:
    """What a Responses object tells, also while it is in progress."""
    failure = _failure(body)
    reason = _finish_reason(body)
    return Answer(
        id=text(field(body, "id")),
        model=text(field(body, "model")),
        provider=served_by(body) or (failure.provider if failure else None),
        finish_reasons=(reason,) if reason else (),
        usage=read_usage(field(body, "usage")),
        failure=failure,
    )


def _failure(body: object) -> Failure | None:
    error = field(body, "error")
    if not error and field(body, "status") != "failed":
        return None
    word = text(field(body, "error_type"))
    return answered_failure(error, None, text(field(error, "code")) or ANSWERED_NOTHING, word)


def _finish_reason(body: object) -> str | None:
    status = field(body, "status")
    if status == "incomplete":
        reason = text(path(body, "incomplete_details.reason"))
        return CUT_SHORT.get(reason or "", reason)
    if status != "completed":
        return None
    calls = any(field(item, "type") == TOOL_CALL for item in items(field(body, "output")))
    return "tool_calls" if calls else "stop"


class EventFacts:
    """Folds typed events: the last object they carry tells most, and an error event tells the failure.

    Args:
        read: reads the object that events carry.

    Attributes:
        has_content: the first token (or partial image) has been seen.
    """

    __slots__ = ("_body", "_failure", "_read", "has_content")

    def __init__(self, read: Callable[[object], Answer]) -> None:
        self.has_content = False
        self._read = read
        self._body: object = None
        self._failure: Failure | None = None

    def saw(self, event: object) -> None:
        """Take in one event, an SDK model or parsed JSON; openai before 1.66 wraps a named one once more."""
        event = field(event, "data") or event
        kind = text(field(event, "type")) or ""
        if not self.has_content:
            self.has_content = (kind.endswith(".delta") and bool(field(event, "delta"))) or kind.endswith(PARTIAL_IMAGE)
        response = field(event, "response")
        if response is not None:
            self._body = response
        elif field(event, "usage") is not None:
            self._body = event
        if kind in ("error", "response.error") or (field(event, "error") and not kind):
            error = field(event, "error") or event
            otherwise = text(field(error, "code")) or ANSWERED_NOTHING
            self._failure = answered_failure(error, None, otherwise, text(field(event, "error_type")))

    def answer(self) -> Answer:
        """What the events have told so far."""
        facts = NOTHING if self._body is None else self._read(self._body)
        return facts._replace(failure=self._failure) if self._failure else facts


def event_facts(body: object) -> Answer:
    """What a closing event of images or audio tells: its usage."""
    return Answer(id=text(field(body, "id")), model=text(field(body, "model")), usage=read_usage(field(body, "usage")))
