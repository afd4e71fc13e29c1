"""``POST /chat/completions``: the body and the chunks, as section 1 and 2 of the facts sheet have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from . import structured
from .choices import UNFINISHED, closing, finish, head, hidden, hidden_in_stream
from .generation import THOUGHT, Generation
from .operation import Operation, Streaming
from .usage import JSON, Usage


def _body(generation: Generation, usage: Usage) -> JSON:
    message = {"role": "assistant", "content": generation.text, "refusal": None, "reasoning": None}
    return {
        **head(generation, "chat.completion"),
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "logprobs": None,
                **finish(generation),
                "message": {**message, **_FIRST[generation.scenario.first](generation)},
            }
        ],
        **usage.under(),
    }


def _opening(generation: Generation) -> Iterator[JSON]:
    """The first chunk: only the role."""
    yield _chunk(generation, {"role": "assistant", "content": ""})


def _deltas(generation: Generation) -> Iterator[JSON]:
    first = _FIRST_DELTA[generation.scenario.first](generation)
    if first:
        yield _chunk(generation, first)
    if generation.scenario.first != "tool":
        for piece in generation.pieces():
            yield _chunk(generation, {"content": piece})


def _closing(generation: Generation, usage: Usage) -> Iterator[JSON]:
    return closing(generation, usage, _end(generation, finish(generation)))


def _end(generation: Generation, end: Mapping[str, Any]) -> JSON:
    return _chunk(generation, {"content": ""}, end)


def _chunk(generation: Generation, delta: Mapping[str, Any], end: Mapping[str, Any] = UNFINISHED) -> JSON:
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "logprobs": None, **end}
    return {**head(generation, "chat.completion.chunk"), "choices": [choice]}


def _tool_calls(generation: Generation) -> list[JSON]:
    function = structured.call(generation.ask.body)
    return [{"id": f"call_{generation.id[-8:]}", "type": "function", "function": function}]


def _reasoning(text: str) -> JSON:
    detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
    return {"reasoning": text, "reasoning_details": [detail]}


# What an answer begins with: in a message, and as a stream's first chunk with something in it.
_FIRST: Final[Mapping[str, Callable[[Generation], JSON]]] = {
    "content": lambda generation: {},
    "reasoning": lambda generation: _reasoning(THOUGHT),
    "tool": lambda generation: {"content": None, "tool_calls": _tool_calls(generation)},
}
_FIRST_DELTA: Final[Mapping[str, Callable[[Generation], JSON]]] = {
    "content": lambda generation: {},
    "reasoning": lambda generation: {"content": "", **_reasoning(THOUGHT)},
    "tool": lambda generation: {
        "content": None,
        "tool_calls": [{"index": index, **call} for index, call in enumerate(_tool_calls(generation))],
    },
}

OPERATION: Final = Operation(
    "chat",
    _body,
    streaming=Streaming(_opening, _deltas, _closing, hidden_in_stream(_end)),
    hiding=hidden(_body),
)
