"""``GET`` endpoints: what the account knows of itself, and the book for other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from . import listing, lookups
from .book import Book
from .errors import ACCOUNT

JSON = dict[str, Any]
MANAGEMENT_KEY: Final = "sk-or-v1-management"  # the only one that may see the whole account
_LIMIT: Final = Decimal(100)


@dataclass(frozen=True)
class Visit:
    """A request for a page.

    Attributes:
        key: the API key; empty for none.
        query: the URL's parameters.
        now: the server's clock.
        ingestion: seconds until a generation can be looked up.
    """

    path: str
    key: str
    query: Mapping[str, str]
    book: Book
    now: float
    ingestion: float


class RefusedError(Exception):
    """A page is not for this visitor."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _anybody(_: Visit) -> None:
    """Public."""


def _with_key(visit: Visit) -> None:
    if not visit.key:
        raise RefusedError(401)


def _with_management_key(visit: Visit) -> None:
    _with_key(visit)
    if visit.key != MANAGEMENT_KEY:
        raise RefusedError(403)


def _key(visit: Visit) -> JSON:
    """``GET /key``: usage comes from the book, so it moves with every call."""
    totals = visit.book.totals()
    usage = totals.told.charge + totals.untold.charge
    byok = totals.told.bill + totals.untold.bill
    spans = ("", "_daily", "_weekly", "_monthly")
    management = visit.key == MANAGEMENT_KEY
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
            "is_management_key": management,
            "is_provisioning_key": management,
            "creator_user_id": ACCOUNT,
            "expires_at": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
        }
    }


def _credits(visit: Visit) -> JSON:
    """``GET /credits``: what was bought, and what of it is gone."""
    totals = visit.book.totals()
    return {"data": {"total_credits": _LIMIT, "total_usage": totals.told.charge + totals.untold.charge}}


def _generation(visit: Visit) -> JSON:
    """``GET /generation?id=``: not there until it is ingested."""
    entry = visit.book.entry(visit.query.get("id", ""))
    if entry is None or visit.now < entry.time + visit.ingestion:
        raise RefusedError(404)
    return {"data": lookups.generation(entry)}


def _activity(visit: Visit) -> JSON:
    return {"data": lookups.activity(visit.book.entries, visit.now, visit.query)}


def _models(visit: Visit) -> JSON:
    return {"data": listing.models(visit.query.get("output_modalities", "text"))}


def _model(visit: Visit) -> JSON:
    """``GET /models/{id}``: undocumented; the openai client's `models.retrieve` asks for it."""
    row = listing.find(visit.path.removeprefix("/models/"))
    if row is None:
        raise RefusedError(404)
    return row


def _documented_model(visit: Visit) -> JSON:
    """``GET /model/{author}/{slug}``."""
    row = listing.find(visit.path.removeprefix("/model/"))
    if row is None:
        raise RefusedError(404)
    return {"data": row}


def _files(_: Visit) -> JSON:
    return {"data": [], "first_id": None, "last_id": None, "has_more": False, "cursor": None}


Page = tuple[Callable[[Visit], None], Callable[[Visit], JSON]]
_PAGES: Final[Mapping[str, Page]] = {
    "/key": (_with_key, _key),
    "/credits": (_with_management_key, _credits),
    "/activity": (_with_management_key, _activity),
    "/generation": (_with_key, _generation),
    "/files": (_with_key, _files),
    "/models": (_anybody, _models),
    "/__book": (_anybody, lambda visit: visit.book.as_json()),
}
_BELOW: Final[Mapping[str, Page]] = {"/models/": (_anybody, _model), "/model/": (_anybody, _documented_model)}


def page(visit: Visit) -> JSON:
    """What a visitor gets to see; `RefusedError` where that is nothing."""
    below = next((below for start, below in _BELOW.items() if visit.path.startswith(start)), None)
    found = _PAGES.get(visit.path) or below
    if found is None:
        raise RefusedError(404)
    allow, show = found
    allow(visit)
    return show(visit)
