"""The catalogue as ``GET /models`` shows it: prices are decimal strings, in USD per token."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from .catalogue import MODELS, OTHERS, Model

JSON = dict[str, Any]
_MILLION: Final = Decimal(1_000_000)
# Reasoning is billed as output here; this one is listed with the price of it all the same.
_LISTS_REASONING: Final = "google/gemini-2.5-flash"


def models(modalities: str) -> list[JSON]:
    """The rows with an output of one of these kinds, comma separated; ``all`` for every one."""
    wanted = set(modalities.split(","))
    return [_listed(model) for model in (MODELS | OTHERS).values() if wanted & {"all", model.output}]


def find(slug: str) -> JSON | None:
    """One row."""
    model = (MODELS | OTHERS).get(slug)
    return _listed(model) if model else None


def pricing(model: Model) -> dict[str, str]:
    """What `Model.price` computes with; a cache price that is the prompt's is left out."""
    prices = {"prompt": model.prompt, "completion": model.completion}
    cached = {"input_cache_read": model.cache_read, "input_cache_write": model.cache_write}
    prices.update({name: price for name, price in cached.items() if price != model.prompt})
    if model.slug == _LISTS_REASONING:
        prices["internal_reasoning"] = model.completion
    listed = {name: _decimal(price / _MILLION) for name, price in prices.items()}
    return {**listed, "request": _decimal(model.request), "image": "0", "web_search": "0"}


def _decimal(price: Decimal) -> str:
    return f"{price.normalize():f}"


def _listed(model: Model) -> JSON:
    return {
        "id": model.slug,
        "canonical_slug": model.slug,
        "name": model.slug,
        "created": 1_760_000_000,
        "description": "",
        "context_length": 128_000,
        "architecture": {
            "modality": f"text->{model.output}",
            "input_modalities": ["text"],
            "output_modalities": [model.output],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": pricing(model),
        "top_provider": {"context_length": 128_000, "max_completion_tokens": None, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": ["max_tokens", "temperature", "tools"],
        "default_parameters": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/{model.slug}/endpoints"},
    }
