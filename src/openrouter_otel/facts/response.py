"""One answer or chunk to facts: who served it, how it finished, what it used, and the error it may hide."""

from __future__ import annotations

from typing import Final, NamedTuple

from openrouter_otel.facts.errors import Failure, answered_failure
from openrouter_otel.facts.reading import field, items, text
from openrouter_otel.facts.usage import Usage, read_usage

# What makes a delta the first token; a delta with only a role or an empty string is not.
CONTENT: Final = (
    "content",
    "reasoning",
    "tool_calls",
    "reasoning_details",
    "reasoning_content",
    "refusal",
    "audio",
    "images",
)
ANSWERED_NOTHING: Final = "http_200"  # an HTTP 200 that is no answer


class Answer(NamedTuple):
    """What an answer told; None is "not told".

    Attributes:
        id: the generation id.
        model: the model that served.
        provider: the upstream that served, by display name.
        finish_reasons: normalised, one a choice.
        native_finish_reason: of choice 0, in the provider's words.
        usage: tokens and money.
        failure: an error inside the answer, which the client may not have raised.
    """

    id: str | None = None
    model: str | None = None
    provider: str | None = None
    finish_reasons: tuple[str, ...] = ()
    native_finish_reason: str | None = None
    usage: Usage | None = None
    failure: Failure | None = None


NOTHING: Final = Answer()


def read_answer(body: object) -> Answer:
    """The facts of a whole answer, as an SDK model or as parsed JSON."""
    choices = items(field(body, "choices"))
    failure = hidden_failure(body)
    if failure is None and not choices:
        failure = Failure(ANSWERED_NOTHING, answered=True)
    return Answer(
        text(field(body, "id")),
        text(field(body, "model")),
        text(field(body, "provider")) or (failure.provider if failure else None),
        tuple(reason for choice in choices if (reason := text(field(choice, "finish_reason")))),
        text(field(choices[0], "native_finish_reason")) if choices else None,
        read_usage(field(body, "usage")),
        failure,
    )


def hidden_failure(body: object) -> Failure | None:
    """The error inside an HTTP 200 body or chunk: at the top, in a choice, or as ``finish_reason: "error"``."""
    error = field(body, "error")
    if error:
        return answered_failure(error, None, ANSWERED_NOTHING)
    for choice in items(field(body, "choices")):
        error = field(choice, "error")
        if error or field(choice, "finish_reason") == "error":
            return answered_failure(error, None, ANSWERED_NOTHING)
    return None


def has_content(chunk: object) -> bool:
    """Whether a chunk carries content, reasoning or a tool call."""
    return any(field(field(choice, "delta"), name) for choice in items(field(chunk, "choices")) for name in CONTENT)
