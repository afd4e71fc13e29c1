"""What OpenRouter says of a key and an account, as typed values. Pure: JSON in, values out.

Amounts are USD; windows (daily, weekly, monthly) are UTC, and weeks begin on Monday. None is "not told".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Final, TypeVar

from openrouter_otel.exact import exactly
from openrouter_otel.facts.reading import field, items, money, path, text, whole

T = TypeVar("T")
KEY_LIMIT: Final = "key_limit"  # the budget that is the key's own limit
WHOLE_KEY: Final = re.compile(r"sk-or-[\w-]{24,}")
WINDOWS: Final = {"total": "", "daily": "_daily", "weekly": "_weekly", "monthly": "_monthly"}


@dataclass(frozen=True)
class KeyStatistics:
    """``GET /key``: one API key.

    Attributes:
        label: the key as OpenRouter shows it, most of it left out.
        limit: USD that the key may spend; None for no limit.
        limit_remaining: what is left of that; below zero where it was overdrawn.
        limit_reset: ``daily``, ``weekly``, ``monthly``, or None for a limit that stays used up.
        limit_resets_at: when it next does, in UTC.
        usage: USD charged by OpenRouter, by window: ``total``, ``daily``, ``weekly``, ``monthly``.
        byok_usage: USD of the providers' own bills, by the same windows.
        free_tier: whether nothing was ever bought.
        management: whether the key is one for the account, not for calls.
        free_requests_remaining: calls of free models left today.
    """

    label: str | None
    limit: Decimal | None
    limit_remaining: Decimal | None
    limit_reset: str | None
    limit_resets_at: datetime | None
    usage: Mapping[str, Decimal]
    byok_usage: Mapping[str, Decimal]
    free_tier: bool | None
    management: bool
    free_requests_remaining: int | None


@dataclass(frozen=True)
class Credits:
    """``GET /credits``: the account's credit in USD; what remains is below zero where it was overdrawn."""

    bought: Decimal
    used: Decimal
    remaining: Decimal


@dataclass(frozen=True)
class Account:
    """What the keys at hand may know; None where there is no key to ask with."""

    key: KeyStatistics | None = None
    credits: Credits | None = None


@dataclass(frozen=True)
class Booked:
    """What OpenRouter's books have for one UTC day, model and provider.

    Attributes:
        day: such as ``2026-11-24``.
        model: its usual name.
        permaslug: its dated name, which an answer may have carried instead.
        provider: who served; None where the books were not asked by provider.
        charged: USD of credit.
        byok: USD of the provider's own bill, at list price.
    """

    day: str
    model: str
    permaslug: str
    provider: str | None
    requests: int
    charged: Decimal
    byok: Decimal


class UnreadableError(ValueError):
    """An answer does not say what it should."""


def key_statistics(answer: object) -> KeyStatistics:
    """What ``/key`` answered; UnreadableError if that says nothing of a key."""
    data = field(answer, "data")
    free_tier = field(data, "is_free_tier")
    _told(money(field(data, "usage")))
    return KeyStatistics(
        label=_masked(text(field(data, "label"))),
        limit=money(field(data, "limit")),
        limit_remaining=_balance(field(data, "limit_remaining")),
        limit_reset=text(field(data, "limit_reset")),
        limit_resets_at=_resets_at(data),
        usage=_windows(data, "usage"),
        byok_usage=_windows(data, "byok_usage"),
        free_tier=free_tier if isinstance(free_tier, bool) else None,
        management=True in (field(data, "is_management_key"), field(data, "is_provisioning_key")),
        free_requests_remaining=whole(path(data, "free_model_daily_requests.remaining")),
    )


def credit(answer: object) -> Credits:
    """What ``/credits`` answered; UnreadableError if that says nothing of credit."""
    bought, used = (_told(money(path(answer, f"data.{name}"))) for name in ("total_credits", "total_usage"))
    with exactly():
        return Credits(bought, used, bought - used)


def activity(answer: object) -> tuple[Booked, ...]:
    """What ``/activity`` answered; UnreadableError if a line of it cannot be read: the rest would be no whole."""
    return tuple(map(_active, _lines(field(answer, "data"))))


def analytics(answer: object) -> tuple[Booked, ...]:
    """What ``/analytics/query`` by day and model answered; UnreadableError if that is not all, or cannot be read."""
    if path(answer, "data.metadata.truncated") is True:
        raise UnreadableError
    return tuple(map(_analysed, _lines(path(answer, "data.data"))))


def _lines(value: object) -> Sequence[object]:
    return items(_told(value if isinstance(value, list) else None))


def _active(line: object) -> Booked:
    model, permaslug = text(field(line, "model")), text(field(line, "model_permaslug"))
    return Booked(
        day=_day(field(line, "date")),
        model=_told(model or permaslug),
        permaslug=_told(permaslug or model),
        provider=text(field(line, "provider_name")),
        requests=_told(whole(field(line, "requests"))),
        charged=_told(money(field(line, "usage"))),
        byok=_told(money(field(line, "byok_usage_inference") or 0)),
    )


def _analysed(line: object) -> Booked:
    model, charged = _told(text(field(line, "model"))), _told(money(field(line, "credits_usage")))
    return Booked(
        day=_day(field(line, "date__day") or field(line, "created_at__day")),
        model=model,
        permaslug=model,
        provider=None,
        requests=_told(whole(field(line, "request_count"))),
        charged=charged,
        byok=_told(money(field(line, "total_usage"))) - charged,
    )


def _day(value: object) -> str:
    return _told(text(value))[: len("2026-11-24")]


def _told(value: T | None) -> T:
    if value is None:
        raise UnreadableError
    return value


def _windows(data: object, name: str) -> dict[str, Decimal]:
    told = {window: money(field(data, f"{name}{suffix}")) for window, suffix in WINDOWS.items()}
    return {window: amount for window, amount in told.items() if amount is not None}


def _masked(label: str | None) -> str | None:
    """A key's label; OpenRouter leaves most of the key out of it, and so do we, whoever answers in its name."""
    return None if label is None else WHOLE_KEY.sub("sk-or-***", label)


def _resets_at(data: object) -> datetime | None:
    """When the key's own limit starts anew; other budgets that hold for the key have times of their own."""
    budgets = (field(data, "effective_budget"), *items(field(data, "budgets")))
    told = (_moment(field(budget, "resets_at")) for budget in budgets if field(budget, "scope") == KEY_LIMIT)
    return next((at for at in told if at is not None), None)


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat((text(value) or "").replace("Z", "+00:00"))
        return at.astimezone(timezone.utc) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _balance(value: object) -> Decimal | None:
    """An amount that may be below zero."""
    if isinstance(value, (int, Decimal)) and value < 0:
        with exactly():
            owed = money(-value)
            return None if owed is None else -owed
    return money(value)
