"""What OpenRouter answered -> how key and account stand, as the report has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from openrouter_otel.account.readings import Account, Credits, KeyStatistics
from openrouter_otel.exact import exactly
from openrouter_otel.reporting.account import AccountCredits, AccountStatus, KeySpend, KeyStatus
from openrouter_otel.reporting.model import rounded


def status(account: Account) -> AccountStatus:
    """All that was answered."""
    with exactly():
        return AccountStatus(
            key=None if account.key is None else _key(account.key),
            credits=None if account.credits is None else _credits(account.credits),
        )


def _key(told: KeyStatistics) -> KeyStatus:
    return KeyStatus(
        label=told.label,
        limit=_money(told.limit),
        limit_remaining=_money(told.limit_remaining),
        limit_reset=told.limit_reset,
        limit_resets_at=None if told.limit_resets_at is None else told.limit_resets_at.isoformat(timespec="seconds"),
        usage=_spend(told.usage),
        byok_usage=_spend(told.byok_usage),
        free_requests_remaining=told.free_requests_remaining,
        free_tier=told.free_tier,
        management=told.management,
    )


def _spend(windows: Mapping[str, Decimal]) -> KeySpend:
    return KeySpend(*(_money(windows.get(window)) for window in ("daily", "weekly", "monthly", "total")))


def _credits(told: Credits) -> AccountCredits:
    return AccountCredits(rounded(told.bought), rounded(told.used), rounded(told.remaining))


def _money(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else rounded(amount)
