"""``GET`` endpoints: what the account knows of itself, and the book for other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from .book import Book
from .catalogue import MODELS, Model

JSON = dict[str, Any]
_LIMIT: Final = Decimal(100)
_MILLION: Final = Decimal(1_000_000)


def _key(book: Book) -> JSON:
    """``GET /key``: usage comes from the book, so it moves with every call."""
    totals = book.totals()
    usage = totals.told.charge + totals.untold.charge
    byok = totals.told.bill + totals.untold.bill
    spans = ("", "_daily", "_weekly", "_monthly")
    return {
        "data": {
            "label": "sk-or-v1-au7...890",
            "limit": _LIMIT,
            "limit_remaining": _LIMIT - usage,
            "limit_reset": "monthly",
            "include_byok_in_limit": False,
            **{f"usage{span}": usage for span in spans},
            **{f"byok_usage{span}": byok for span in spans},
            "is_free_tier": False,
            "is_management_key": False,
            "is_provisioning_key": False,
            "creator_user_id": "user_2abcDEFghi",
            "expires_at": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
        }
    }


def _models(_: Book) -> JSON:
    """``GET /models``: prices are decimal strings per token."""
    return {"data": [_listed(model) for model in MODELS.values()]}


def _listed(model: Model) -> JSON:
    prices = {
        "prompt": model.prompt,
        "completion": model.completion,
        "input_cache_read": model.cache_read,
        "input_cache_write": model.cache_write,
    }
    pricing = {name: f"{price / _MILLION:f}" for name, price in prices.items()}
    return {"id": model.slug, "canonical_slug": model.slug, "name": model.slug, "created": 0, "pricing": pricing}


ACCOUNTS: Final[Mapping[str, Callable[[Book], JSON]]] = {
    "/key": _key,
    "/models": _models,
    "/__book": Book.as_json,
}
