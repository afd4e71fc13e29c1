"""Every endpoint that is measured: its operation, and how its answers and streams are read. A new one is a row here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, Protocol

from openrouter_otel.facts.events import EventFacts, event_facts, read_response, response_facts
from openrouter_otel.facts.reading import field, items
from openrouter_otel.facts.response import Answer, read_binary, read_choices, read_result
from openrouter_otel.facts.stream import StreamFacts


class Folding(Protocol):
    """Folds the parts of a stream into one answer."""

    has_content: bool

    def saw(self, part: object, /) -> None:
        """Take in one part."""

    def answer(self) -> Answer:
        """What has been told so far."""


class Endpoint(NamedTuple):
    """One endpoint.

    Attributes:
        operation: `gen_ai.operation.name` and our `operation`.
        read: a whole answer's facts.
        fold: makes what folds a stream of it.
    """

    operation: str
    read: Callable[[object], Answer]
    fold: Callable[[], Folding]


_EVENTS: Final = partial(EventFacts, event_facts)
CHAT: Final = "/chat/completions"
RESPONSES: Final = "/responses"
# By path below /api/v1; https://openrouter.ai/docs/api-reference.
ENDPOINTS: Final = {
    CHAT: Endpoint("chat", read_choices, StreamFacts),
    RESPONSES: Endpoint("chat", read_response, partial(EventFacts, response_facts)),
    "/completions": Endpoint("text_completion", read_choices, StreamFacts),
    "/embeddings": Endpoint("embeddings", read_result, _EVENTS),
    "/audio/speech": Endpoint("speech", read_binary, _EVENTS),
    "/audio/transcriptions": Endpoint("transcription", read_result, _EVENTS),
    "/images": Endpoint("image", read_result, _EVENTS),
    "/rerank": Endpoint("rerank", read_result, _EVENTS),
}


def endpoint_of(body: object) -> str:
    """The path that a given answer must have come from, as far as its shape tells: for `record()`."""
    return next((path for path, tells in _SHAPES if tells(body)), CHAT)


def _is(kind: str) -> Callable[[object], bool]:
    return lambda body: field(body, "object") == kind


def _has(name: str) -> Callable[[object], bool]:
    return lambda body: field(body, name) is not None


def _lists(name: str) -> Callable[[object], bool]:
    return lambda body: any(field(item, name) is not None for item in items(field(body, "data")))


# What only answers of one endpoint have; the first that fits tells.
_SHAPES: Final[tuple[tuple[str, Callable[[object], bool]], ...]] = (
    ("/completions", _is("text_completion")),
    (CHAT, _has("choices")),
    (RESPONSES, _is("response")),
    (RESPONSES, _has("output")),
    ("/embeddings", _lists("embedding")),
    ("/images", _lists("b64_json")),
    ("/images", _lists("url")),
    ("/rerank", _has("results")),
    ("/audio/transcriptions", _has("text")),
)
