"""The output items of ``POST /responses`` and the stream events that build them up."""

from __future__ import annotations

from collections.abc import Iterator

from . import structured
from .generation import THOUGHT, Generation, cut
from .usage import JSON


def finished(generation: Generation) -> list[JSON]:
    """Everything the answer consists of."""
    return [*_thought(generation), _main(generation, done=True)]


def opening(generation: Generation) -> Iterator[JSON]:
    """The events that announce the first item; nothing is in it yet."""
    if _thinks(generation):
        yield _added(0, {**_reasoning_item(generation), "content": [], "status": "in_progress"})
    else:
        yield from _announced(generation)


def deltas(generation: Generation) -> Iterator[JSON]:
    """The events with content; between reasoning and text, those that end the one and announce the other."""
    if _thinks(generation):
        item = _reasoning_item(generation)
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        for piece in cut(THOUGHT, 2):
            yield {"type": "response.reasoning_text.delta", **place, "delta": piece}
        yield {"type": "response.reasoning_text.done", **place, "text": THOUGHT}
        yield _done(0, item)
        yield from _announced(generation)
    if generation.scenario.first == "tool":
        place = {"item_id": _main(generation)["id"], "output_index": 0}
        arguments = structured.call(generation.ask.body)["arguments"]
        for start in range(0, len(arguments), 8):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": arguments[start : start + 8]}
        return
    for piece in generation.pieces():
        yield {"type": "response.output_text.delta", **_text_place(generation), "delta": piece, "logprobs": []}


def closing(generation: Generation) -> Iterator[JSON]:
    """The events that end the last item."""
    item, index = _main(generation, done=True), _index(generation)
    if generation.scenario.first == "tool":
        whole = {"name": item["name"], "arguments": item["arguments"]}
        place = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.function_call_arguments.done", **place, **whole}
    else:
        place = _text_place(generation)
        yield {"type": "response.output_text.done", **place, "text": generation.text, "logprobs": []}
        yield {"type": "response.content_part.done", **place, "part": _part(generation.text)}
    yield _done(index, item)


def _announced(generation: Generation) -> Iterator[JSON]:
    yield _added(_index(generation), _main(generation))
    if generation.scenario.first != "tool":
        yield {"type": "response.content_part.added", **_text_place(generation), "part": _part("")}


def _main(generation: Generation, *, done: bool = False) -> JSON:
    """The message, or the call of a tool."""
    status = "completed" if done else "in_progress"
    number = generation.id[-8:]
    if generation.scenario.first == "tool":
        call = structured.call(generation.ask.body)
        arguments = call["arguments"] if done else ""
        named = {"call_id": f"call_{number}", "name": call["name"], "arguments": arguments}
        return {"id": f"fc_{number}", "type": "function_call", "status": status, **named}
    content = [_part(generation.text)] if done else []
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": status, "content": content}


def _thought(generation: Generation) -> list[JSON]:
    return [_reasoning_item(generation)] if _thinks(generation) else []


def _reasoning_item(generation: Generation) -> JSON:
    content = [{"type": "reasoning_text", "text": THOUGHT}]
    return {"id": f"rs_{generation.id[-8:]}", "type": "reasoning", "summary": [], "content": content}


def _part(text: str) -> JSON:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _text_place(generation: Generation) -> JSON:
    return {"item_id": f"msg_{generation.id[-8:]}", "output_index": _index(generation), "content_index": 0}


def _added(index: int, item: JSON) -> JSON:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _done(index: int, item: JSON) -> JSON:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _thinks(generation: Generation) -> bool:
    return generation.scenario.first == "reasoning"


def _index(generation: Generation) -> int:
    return 1 if _thinks(generation) else 0
