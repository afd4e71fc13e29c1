"""``POST /images``: pictures in base64, with neither id nor model in the body; a stream shows unfinished ones first.

It is not the ``/images/generations`` of the openai client's own method, which OpenRouter does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .book import Tokens
from .generation import Ask, Generation, text_tokens
from .operation import Operation, Streaming
from .scenario import Scenario
from .usage import CHAT, JSON, SERVER_TOOLS, Flavour, Usage

_PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_TOKENS: Final = 1290  # what a picture of a usual size comes to


def _body(generation: Generation, usage: Usage) -> JSON:
    count = int(generation.ask.body.get("n") or 1)
    return {"created": generation.created, "data": [dict(_picture()) for _ in range(count)], **usage.under()}


def _picture() -> JSON:
    return {"b64_json": _PIXEL, "media_type": "image/png"}


def _opening(_: Generation) -> Iterator[JSON]:
    yield from ()


def _deltas(generation: Generation) -> Iterator[JSON]:
    for index in range(max(1, generation.scenario.chunks)):
        yield {"type": "image_generation.partial_image", "partial_image_index": index, "b64_json": _PIXEL}


def _closing(generation: Generation, usage: Usage) -> Iterator[JSON]:
    completed = {"type": "image_generation.completed", "created": generation.created, **_picture()}
    yield {**completed, **usage.under()}


def _failing(_: Generation, __: Usage, error: JSON) -> JSON:
    metadata = error.get("metadata") or {}
    words = {"code": str(error["code"]), "param": None, "type": metadata.get("error_type")}
    return {"type": "error", "error": {"message": error["message"], **words}}


def _tokens(ask: Ask, scenario: Scenario) -> Tokens:
    counted = text_tokens(ask, scenario)
    if scenario.usage == "zero":
        return counted
    output = scenario.completion_tokens if scenario.completion_tokens >= 0 else _TOKENS
    return replace(counted, output=output, image_output=output)


def _counted(generation: Generation) -> JSON:
    words = CHAT.counted(generation)
    del words["server_tool_use_details"]
    return {**words, "server_tool_use": dict(SERVER_TOOLS)}  # this endpoint has kept the older key


OPERATION: Final = Operation(
    "image",
    _body,
    Flavour(_counted, CHAT.priced),
    Streaming(_opening, _deltas, _closing, {"body-error": _failing}),
    _tokens,
)
