"""What OpenRouter itself says of a key and an account: a section of the report, and all of `openrouter-otel key`.

It is about now and about everything that is done with the key: neither the report's period nor its filters change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class KeySpend:
    """USD by window of UTC, weeks from Monday; None where OpenRouter does not say."""

    daily: Decimal | None
    weekly: Decimal | None
    monthly: Decimal | None
    total: Decimal | None


@dataclass(frozen=True)
class KeyStatus:
    """One API key.

    Attributes:
        label: the key as OpenRouter shows it, most of it left out.
        limit: USD that it may spend; None for no limit.
        limit_remaining: what is left of that; below zero where it was overdrawn.
        limit_reset: ``daily``, ``weekly``, ``monthly``; None for a limit that stays used up.
        limit_resets_at: when it next does.
        usage: charged by OpenRouter.
        byok_usage: the providers' own bills.
        free_requests_remaining: calls of free models left today.
        free_tier: whether nothing was ever bought.
        management: whether it is a key for the account, which calls no model.
    """

    label: str | None
    limit: Decimal | None
    limit_remaining: Decimal | None
    limit_reset: str | None
    limit_resets_at: str | None
    usage: KeySpend
    byok_usage: KeySpend
    free_requests_remaining: int | None
    free_tier: bool | None
    management: bool


@dataclass(frozen=True)
class AccountCredits:
    """The account's credit in USD; what remains is below zero where it was overdrawn."""

    bought: Decimal
    used: Decimal
    remaining: Decimal


@dataclass(frozen=True)
class AccountStatus:
    """What the keys at hand may know; None where there is no key to ask with."""

    key: KeyStatus | None
    credits: AccountCredits | None
