"""``POST /embeddings``: tokens in, none out; the client asks for base64 unless told otherwise."""

from __future__ import annotations

import base64
import struct
from typing import Final

from .generation import Generation, input_tokens
from .operation import Operation
from .usage import JSON, Flavour, Usage, priced


def _body(generation: Generation, usage: Usage) -> JSON:
    said = generation.ask.body.get("input")
    # A list of numbers is one text, already cut into tokens.
    count = len(said) if isinstance(said, list) and said and not isinstance(said[0], int) else 1
    return {
        "id": generation.id,
        "object": "list",
        "model": generation.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(generation, index)} for index in range(count)
        ],
        **usage.under(),
    }


def _vector(generation: Generation, index: int) -> list[float] | str:
    size = int(generation.ask.body.get("dimensions") or 8)
    vector = [(index + number) % 16 / 16 for number in range(size)]  # a float32 holds each of them exactly
    if generation.ask.body.get("encoding_format") == "base64":
        return base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
    return vector


def _counted(generation: Generation) -> JSON:
    return {"prompt_tokens": generation.tokens.input, "total_tokens": generation.tokens.total}


OPERATION: Final = Operation(
    "embeddings", _body, Flavour(_counted, priced("prompt", "completions")), tokens=input_tokens
)
