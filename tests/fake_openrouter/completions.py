"""``POST /completions``: the legacy flavour of chat, with `text` where chat has a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .choices import UNFINISHED, closing, finish, head, hidden, hidden_in_stream
from .generation import THOUGHT, Generation
from .operation import Operation, Streaming
from .usage import JSON, Usage


def _body(generation: Generation, usage: Usage) -> JSON:
    thought = {"reasoning": THOUGHT} if generation.scenario.first == "reasoning" else {}
    return {**_chunk(generation, generation.text, {**finish(generation), **thought}), **usage.under()}


def _opening(_: Generation) -> Iterator[JSON]:
    yield from ()


def _deltas(generation: Generation) -> Iterator[JSON]:
    if generation.scenario.first == "reasoning":
        yield _chunk(generation, "", {**UNFINISHED, "reasoning": THOUGHT})
    for piece in generation.pieces():
        yield _chunk(generation, piece)


def _closing(generation: Generation, usage: Usage) -> Iterator[JSON]:
    return closing(generation, usage, _end(generation, finish(generation)))


def _end(generation: Generation, end: Mapping[str, Any]) -> JSON:
    return _chunk(generation, "", end)


def _chunk(generation: Generation, text: str, end: Mapping[str, Any] = UNFINISHED) -> JSON:
    choice = {"index": 0, "text": text, "logprobs": None, **end}
    return {**head(generation, "text_completion"), "choices": [choice]}


OPERATION: Final = Operation(
    "text_completion",
    _body,
    streaming=Streaming(_opening, _deltas, _closing, hidden_in_stream(_end)),
    hiding=hidden(_body),
)
