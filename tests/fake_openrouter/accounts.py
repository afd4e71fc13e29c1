"""What the account knows of itself, and the book for other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from . import analytics, listing, lookups
from .book import NOTHING, Book, key_hash
from .errors import ACCOUNT

JSON = dict[str, Any]
MANAGEMENT_KEY: Final = "sk-or-v1-management"  # the only one that may see the whole account
DAY: Final = 86_400


@dataclass
class Terms:
    """What the account is like; a test changes it as it goes.

    Attributes:
        bought: USD of credit.
        limit: of every inference key, in USD; None for none.
        free_requests: calls of free models left today; None: the key's statistics do not say.
        free_tier: whether nothing was ever bought.
        label: how the key is shown.
        trouble: a status that everything about the account answers with; 0 for none.
        lenient: an inference key gets zeros for the credit, as has been observed, instead of the documented 403.
        dated: model -> the dated name that the books have besides.
    """

    bought: Decimal = Decimal(100)
    limit: Decimal | None = Decimal(100)
    free_requests: int | None = 988
    free_tier: bool = False
    label: str = "sk-or-v1-au7...890"
    trouble: int = 0
    lenient: bool = False
    dated: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """A request for a page.

    Attributes:
        key: the API key; empty for none.
        query: the URL's parameters.
        body: the JSON that came with it.
        now: the server's clock.
        ingestion: seconds until a generation can be looked up.
    """

    path: str
    key: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    book: Book
    terms: Terms
    now: float
    ingestion: float


class RefusedError(Exception):
    """A page is not for this visitor."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.message = message


def _anybody(_: Visit) -> None:
    """Public."""


def _with_key(visit: Visit) -> None:
    if visit.terms.trouble:
        raise RefusedError(visit.terms.trouble)
    if not visit.key:
        raise RefusedError(401)


def _with_management_key(visit: Visit) -> None:
    _with_key(visit)
    if visit.key != MANAGEMENT_KEY:
        raise RefusedError(403, "Only management keys can perform this operation")


def _with_lenience(visit: Visit) -> None:
    (_with_key if visit.terms.lenient else _with_management_key)(visit)


def _key(visit: Visit) -> JSON:
    """``GET /key``: usage comes from the book, so it moves with every call; windows are UTC, weeks begin on Monday."""
    own = [entry for entry in visit.book.entries if entry.key_hash == key_hash(visit.key)]
    today = datetime.fromtimestamp(visit.now, timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    begun = {
        "": 0.0,
        "_daily": today.timestamp(),
        "_weekly": today.timestamp() - today.weekday() * DAY,
        "_monthly": today.replace(day=1).timestamp(),
    }
    spent = {span: sum((entry.spent for entry in own if entry.time >= since), NOTHING) for span, since in begun.items()}
    usage = {span: amounts.charge for span, amounts in spent.items()}
    byok = {span: amounts.bill for span, amounts in spent.items()}
    management = visit.key == MANAGEMENT_KEY
    limit, free = visit.terms.limit, visit.terms.free_requests
    return {
        "data": {
            "label": visit.terms.label,
            "limit": limit,
            "limit_remaining": None if limit is None else limit - usage["_monthly"],
            "limit_reset": None if limit is None else "monthly",
            "include_byok_in_limit": False,
            **{f"usage{span}": amount for span, amount in usage.items()},
            **{f"byok_usage{span}": amount for span, amount in byok.items()},
            "is_free_tier": visit.terms.free_tier,
            "is_management_key": management,
            "is_provisioning_key": management,
            "creator_user_id": ACCOUNT,
            "expires_at": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
            **_budgets(limit, usage["_monthly"], today),
            **(
                {}
                if free is None
                else {"free_model_daily_requests": {"limit": 1000, "used": 1000 - free, "remaining": free}}
            ),
        }
    }


def _budgets(limit: Decimal | None, spent: Decimal, today: datetime) -> JSON:
    """The key's limit again, among what else may hold for the key: here nothing."""
    if limit is None:
        return {"budgets": [], "effective_budget": None}
    budget = {
        "scope": "key_limit",
        "limit_usd": limit,
        "spend_usd": spent,
        "remaining_usd": limit - spent,
        "reset_interval": "monthly",
        "resets_at": f"{(today.replace(day=1) + timedelta(days=32)).replace(day=1):%Y-%m-%dT%H:%M:%SZ}",
        "include_byok": False,
        "guardrail_id": None,
        "budget_id": None,
    }
    return {"budgets": [budget], "effective_budget": budget}


def _credits(visit: Visit) -> JSON:
    """``GET /credits``: what was bought, and what of it is gone."""
    if visit.key != MANAGEMENT_KEY:
        return {"data": {"total_credits": 0, "total_usage": 0}}
    totals = visit.book.totals()
    return {"data": {"total_credits": visit.terms.bought, "total_usage": totals.told.charge + totals.untold.charge}}


def _generation(visit: Visit) -> JSON:
    """``GET /generation?id=``: not there until it is ingested."""
    entry = visit.book.entry(visit.query.get("id", ""))
    if entry is None or visit.now < entry.time + visit.ingestion:
        raise RefusedError(404)
    return {"data": lookups.generation(entry)}


def _activity(visit: Visit) -> JSON:
    return {"data": lookups.activity(visit.book.entries, visit.now, visit.query, visit.terms.dated)}


def _analytics(visit: Visit) -> JSON:
    """``POST /analytics/query``."""
    try:
        rows = analytics.rows(visit.book.entries, visit.body, visit.terms.dated)
    except analytics.QueryError as error:
        raise RefusedError(400, str(error)) from error
    limit = int(visit.body.get("limit", 1000))
    metadata = {"query_time_ms": 12, "row_count": len(rows[:limit]), "truncated": len(rows) > limit}
    return {"data": {"data": rows[:limit], "metadata": metadata, "cachedAt": int(visit.now * 1000), "warnings": []}}


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
    "/credits": (_with_lenience, _credits),
    "/activity": (_with_management_key, _activity),
    "/generation": (_with_key, _generation),
    "/files": (_with_key, _files),
    "/models": (_anybody, _models),
    "/__book": (_anybody, lambda visit: visit.book.as_json()),
}
_QUERIES: Final[Mapping[str, Page]] = {"/analytics/query": (_with_management_key, _analytics)}
_BELOW: Final[Mapping[str, Page]] = {"/models/": (_anybody, _model), "/model/": (_anybody, _documented_model)}


def page(visit: Visit) -> JSON:
    """What a visitor gets to see; `RefusedError` where that is nothing."""
    below = next((below for start, below in _BELOW.items() if visit.path.startswith(start)), None)
    return _shown(_PAGES.get(visit.path) or below, visit)


def answers(path: str) -> bool:
    """Whether a path is for questions about the account, which are posted."""
    return path in _QUERIES


def query(visit: Visit) -> JSON:
    """The answer to such a question; `RefusedError` where there is none."""
    return _shown(_QUERIES.get(visit.path), visit)


def _shown(found: Page | None, visit: Visit) -> JSON:
    if found is None:
        raise RefusedError(404)
    allow, show = found
    allow(visit)
    return show(visit)
