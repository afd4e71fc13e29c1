"""``POST /chat/completions``: the body and the chunks, as section 1 and 2 of the facts sheet have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from . import structured
from .generation import Generation
from .usage import JSON, Usage


def body(generation: Generation, usage: Usage) -> JSON:
    """A plain answer."""
    message = {"role": "assistant", "content": generation.text, "refusal": None, "reasoning": None}
    return {
        **_head(generation, "chat.completion"),
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "logprobs": None,
                **_finish(generation),
                "message": {**message, **_FIRST[generation.scenario.first](generation)},
            }
        ],
        **usage.under(),
    }


def opening(generation: Generation) -> JSON:
    """The first chunk: only the role."""
    return _chunk(generation, {"role": "assistant", "content": ""})


def deltas(generation: Generation) -> Iterator[JSON]:
    """The chunks that carry something."""
    scenario = generation.scenario
    words = generation.text.split(" ")
    first = _FIRST_DELTA[scenario.first](generation)
    if first:
        yield _chunk(generation, first)
    if scenario.first == "tool":
        return
    size = max(1, -(-len(words) // max(1, scenario.chunks)))
    for start in range(0, len(words), size):
        lead = " " if start else ""
        yield _chunk(generation, {"content": lead + " ".join(words[start : start + size])})


def closing(generation: Generation, usage: Usage) -> Iterator[JSON]:
    """The chunks after the last content; the last of them is the one with usage."""
    return _SHAPES[generation.scenario.shape](generation, usage)


def failing(generation: Generation, usage: Usage, top: JSON, choice: JSON) -> JSON:
    """The chunk of an error in the middle of a stream."""
    end = {"finish_reason": "error", "native_finish_reason": "error", **choice}
    return {**_chunk(generation, {"content": ""}, end), **top, **usage.under()}


def _shape_a(generation: Generation, usage: Usage) -> Iterator[JSON]:
    yield _chunk(generation, {"content": ""}, _finish(generation))
    yield {**_chunk(generation, {}), "choices": [], **usage.under()}


def _shape_c_then_a(generation: Generation, usage: Usage) -> Iterator[JSON]:
    yield from _shape_c(generation, usage)
    yield {**_chunk(generation, {}), "choices": [], **usage.under()}


def _shape_b(generation: Generation, usage: Usage) -> Iterator[JSON]:
    yield _chunk(generation, {"content": ""}, _finish(generation))
    yield {**_chunk(generation, {"content": ""}, _finish(generation)), **usage.under()}


def _shape_c(generation: Generation, usage: Usage) -> Iterator[JSON]:
    yield {**_chunk(generation, {"content": ""}, _finish(generation)), **usage.under()}


_SHAPES: Final[Mapping[str, Callable[[Generation, Usage], Iterator[JSON]]]] = {
    "A": _shape_a,
    "B": _shape_b,
    "C": _shape_c,
    "CA": _shape_c_then_a,
}


def _head(generation: Generation, kind: str) -> JSON:
    return {
        "id": generation.id,
        "object": kind,
        "created": generation.created,
        "model": generation.model,
        "provider": generation.provider,
        "system_fingerprint": None,
    }


def _chunk(generation: Generation, delta: Mapping[str, Any], end: JSON | None = None) -> JSON:
    end = end or {"finish_reason": None, "native_finish_reason": None}
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "logprobs": None, **end}
    return {**_head(generation, "chat.completion.chunk"), "choices": [choice]}


def _finish(generation: Generation) -> JSON:
    return {"finish_reason": generation.scenario.finish, "native_finish_reason": generation.native_finish}


def _tool_calls(generation: Generation) -> list[JSON]:
    tools = generation.ask.body.get("tools") or [{"function": {"name": "lookup"}}]
    function = {"name": tools[0]["function"]["name"], "arguments": structured.arguments(tools[0])}
    return [{"id": f"call_{generation.id[-8:]}", "type": "function", "function": function}]


def _reasoning(text: str) -> JSON:
    detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
    return {"reasoning": text, "reasoning_details": [detail]}


_THOUGHT: Final = "They want to know, so let me think."

# What an answer begins with: in a message, and as a stream's first chunk with something in it.
_FIRST: Final[Mapping[str, Callable[[Generation], JSON]]] = {
    "content": lambda generation: {},
    "reasoning": lambda generation: _reasoning(_THOUGHT),
    "tool": lambda generation: {"content": None, "tool_calls": _tool_calls(generation)},
}
_FIRST_DELTA: Final[Mapping[str, Callable[[Generation], JSON]]] = {
    "content": lambda generation: {},
    "reasoning": lambda generation: {"content": "", **_reasoning(_THOUGHT)},
    "tool": lambda generation: {
        "content": None,
        "tool_calls": [{"index": index, **call} for index, call in enumerate(_tool_calls(generation))],
    },
}
