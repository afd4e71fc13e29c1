"""``POST /analytics/query``: the book by day and whatever else was asked for, as far as a test needs it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from .book import Entry

JSON = dict[str, Any]


class QueryError(ValueError):
    """What was asked makes no sense; the text is OpenRouter's message."""


# Counts come as text, money as numbers; that is how they have been seen.
_METRICS: Final[Mapping[str, Callable[[list[Entry]], object]]] = {
    "request_count": lambda entries: str(len(entries)),
    "byok_request_count": lambda entries: str(sum(entry.byok for entry in entries)),
    "total_usage": lambda entries: sum((entry.spent.charge + entry.spent.bill for entry in entries), Decimal(0)),
    "credits_usage": lambda entries: sum((entry.spent.charge for entry in entries), Decimal(0)),
}
_FILTERED: Final[Mapping[str, Callable[[Entry], str]]] = {
    "model": lambda entry: entry.model,
    "provider": lambda entry: entry.provider,
    "external_user": lambda entry: entry.user,
    "api_key_id": lambda entry: entry.key_hash,
}


def rows(entries: Iterable[Entry], asked: Mapping[str, Any], dated: Mapping[str, str]) -> list[JSON]:
    """A row for each day and combination of dimensions; models go by their dated names."""
    dimensions: list[str] = asked.get("dimensions", [])
    unknown = [name for name in asked["metrics"] if name not in _METRICS]
    unknown += [name for name in dimensions if name not in _FILTERED]
    if unknown or asked.get("granularity") != "day" or len(dimensions) > 2:
        raise QueryError(f"Unsupported query: {unknown or asked.get('granularity')}")
    start, end = (datetime.fromisoformat(asked["time_range"][name]).timestamp() for name in ("start", "end"))
    seen = [entry for entry in entries if start <= entry.time < end and all(map(_keeps(entry), asked["filters"]))]

    def key(entry: Entry) -> tuple[str, ...]:
        day = time.strftime("%Y-%m-%d", time.gmtime(entry.time))
        told = {**{name: of(entry) for name, of in _FILTERED.items()}, "model": dated.get(entry.model, entry.model)}
        return (day, *(told[name] for name in dimensions))

    return [
        {**dict(zip(("date__day", *dimensions), values, strict=True)), **_measured(asked["metrics"], list(group))}
        for values, group in itertools.groupby(sorted(seen, key=key), key)
    ]


def _keeps(entry: Entry) -> Callable[[Mapping[str, Any]], bool]:
    def kept(wanted: Mapping[str, Any]) -> bool:
        if wanted["operator"] != "eq" or wanted["field"] not in _FILTERED:
            raise QueryError(f"Unsupported filter: {wanted}")
        return bool(_FILTERED[wanted["field"]](entry) == wanted["value"])

    return kept


def _measured(metrics: Iterable[str], entries: list[Entry]) -> JSON:
    return {name: _METRICS[name](entries) for name in metrics}
