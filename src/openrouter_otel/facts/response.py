"""One answer or chunk to facts: who served it, how it finished, what it used, and the error it may hide.

Chat and legacy completions answer in choices; embeddings, images, transcriptions and rerank in a list or a text of
their own; speech in sound, of which nothing can be told. The Responses API has a file of its own.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from openrouter_otel.facts.errors import Failure, answered_failure
from openrouter_otel.facts.reading import field, items, members, path, text
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
PAYLOADS: Final = ("data", "results", "text")
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


def read_choices(body: object) -> Answer:
    """A chat or legacy completion, as an SDK model or as parsed JSON."""
    told = members(body)
    choices = items(told.get("choices"))
    failure = hidden_failure(told)
    if failure is None and not choices:
        failure = Failure(ANSWERED_NOTHING, answered=True)
    return Answer(
        text(told.get("id")),
        text(told.get("model")),
        served_by(told) or (failure.provider if failure else None),
        tuple([reason for choice in choices if (reason := text(field(choice, "finish_reason")))]),
        text(field(choices[0], "native_finish_reason")) if choices else None,
        read_usage(told.get("usage")),
        failure,
    )


def read_result(body: object) -> Answer:
    """An answer whose payload is of no interest: embeddings, images, transcription, rerank."""
    failure = hidden_failure(body)
    if failure is None and all(field(body, payload) is None for payload in PAYLOADS):
        failure = Failure(ANSWERED_NOTHING, answered=True)
    return Answer(
        id=text(field(body, "id")),
        model=text(field(body, "model")),
        provider=served_by(body),
        usage=read_usage(field(body, "usage")),
        failure=failure,
    )


def read_binary(body: object) -> Answer:
    """Sound: it says nothing of its usage, which is unknown and not zero; only an error would be JSON."""
    return Answer(failure=hidden_failure(body))


def served_by(body: object) -> str | None:
    """The upstream that served: told outright, or by the router's metadata where the caller has asked for that."""
    told = text(field(body, "provider"))
    if told is None and (metadata := field(body, "openrouter_metadata")) is not None:
        tried = items(path(metadata, "endpoints.available"))
        told = next((text(field(one, "provider")) for one in tried if field(one, "selected") is True), None)
    return told


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
    """Whether a chunk carries content, reasoning or a tool call; legacy completions have the text in the choice."""
    return any(
        field(choice, "text") or any(field(field(choice, "delta"), name) for name in CONTENT)
        for choice in items(field(chunk, "choices"))
    )
