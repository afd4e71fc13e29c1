"""``POST /audio/transcriptions``: a multipart form in, text out, with neither id nor model in the body.

Its documented usage has no word for BYOK, so under BYOK the client knows of the fee alone.
"""

from __future__ import annotations

from typing import Final

from .generation import Generation
from .operation import Operation
from .usage import JSON, Flavour, Usage, cost_alone


def _body(generation: Generation, usage: Usage) -> JSON:
    verbose = generation.ask.body.get("response_format") == "verbose_json"
    return {"text": generation.text, **(_details(generation) if verbose else {}), **usage.under()}


def _details(generation: Generation) -> JSON:
    end = _seconds(generation)
    return {
        "task": "transcribe",
        "language": "english",
        "duration": end,
        "segments": [{"id": 0, "start": 0.0, "end": end, "text": generation.text}],
    }


def _seconds(generation: Generation) -> float:
    return generation.tokens.input / 8


def _counted(generation: Generation) -> JSON:
    tokens = generation.tokens
    return {
        "seconds": _seconds(generation),
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "total_tokens": tokens.total,
    }


OPERATION: Final = Operation("transcription", _body, Flavour(_counted, cost_alone, says_byok=False))
