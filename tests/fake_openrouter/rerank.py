"""``POST /rerank``: charged by the search, told with a total of tokens alone.

Its documented usage has no word for BYOK, so under BYOK the client knows of the fee alone.
"""

from __future__ import annotations

from typing import Any, Final

from .generation import Generation, input_tokens
from .operation import Operation
from .usage import JSON, Flavour, Usage, cost_alone


def _body(generation: Generation, usage: Usage) -> JSON:
    documents = list(generation.ask.body.get("documents") or [])
    ranked = list(enumerate(documents))[: generation.ask.body.get("top_n") or len(documents)]
    return {
        "id": generation.id,
        "model": generation.model,
        "provider": generation.provider,
        "results": [
            {"index": index, "relevance_score": 1 / (index + 1), "document": _document(document)}
            for index, document in ranked
        ],
        **usage.under(),
    }


def _document(document: Any) -> Any:
    return {"text": document} if isinstance(document, str) else document


def _counted(generation: Generation) -> JSON:
    return {"search_units": 0 if generation.scenario.usage == "zero" else 1, "total_tokens": generation.tokens.total}


OPERATION: Final = Operation("rerank", _body, Flavour(_counted, cost_alone, says_byok=False), tokens=input_tokens)
