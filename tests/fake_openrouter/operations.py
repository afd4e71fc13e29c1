"""The endpoints that generate something: one row each, one file each.

A new endpoint is a module with an `Operation` and a row in `OPERATIONS`; faults, latency and the book come free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import chat, completions, embeddings, images, rerank, responses, speech, transcriptions
from .operation import Operation

OPERATIONS: Final[Mapping[str, Operation]] = {
    "/chat/completions": chat.OPERATION,
    "/responses": responses.OPERATION,
    "/completions": completions.OPERATION,
    "/embeddings": embeddings.OPERATION,
    "/audio/speech": speech.OPERATION,
    "/audio/transcriptions": transcriptions.OPERATION,
    "/images": images.OPERATION,
    "/rerank": rerank.OPERATION,
}
