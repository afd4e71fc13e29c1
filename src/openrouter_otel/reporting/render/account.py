"""What OpenRouter says of key and account: for the report, and for `openrouter-otel key`, which is nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.account import AccountCredits, AccountStatus, KeySpend, KeyStatus
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.page import Cell, Line, Name, Section, Table
from openrouter_otel.wording import counted

HEADS: Final = ("USD", "today", "this week", "this month", "in all")
EACH: Final = {"daily": "a day", "weekly": "a week", "monthly": "a month"}
FREE_TIER: Final = {True: "On the free tier: no credit was ever bought.", False: "Not on the free tier."}


def account(status: AccountStatus | None) -> Iterator[Section]:
    """A section for the key, one for the credit, as far as they are known."""
    if status and status.key:
        yield _key(status.key)
    if status and status.credits:
        yield _credits(status.credits)


def _key(key: KeyStatus) -> Section:
    title: Line = ("API key ", Name(key.label)) if key.label else ("API key",)
    rows = (_spent("charged by OpenRouter", key.usage), _spent("billed by providers (BYOK)", key.byok_usage))
    return Section(title, Table.of(HEADS, rows), lines=tuple(_lines(key)))


def _spent(who: str, spend: KeySpend) -> tuple[Cell, ...]:
    return (who, *map(cells.money_if_known, (spend.daily, spend.weekly, spend.monthly, spend.total)))


def _lines(key: KeyStatus) -> Iterator[Line]:
    yield _limit(key)
    free = FREE_TIER[key.free_tier] if key.free_tier is not None else ""
    left = key.free_requests_remaining
    allowed = "" if left is None else f"{counted(left, 'call')} of free models left today."
    if free or allowed:
        yield (" ".join(filter(None, (free, allowed))),)
    if key.management:
        yield ("It is a management key: it sees the account, and calls no model.",)
    yield ("As OpenRouter says now, of all that is done with the key; days, weeks from Monday and months in UTC.",)


def _limit(key: KeyStatus) -> Line:
    if key.limit is None:
        return ("It has no limit of its own.",)
    at = key.limit_resets_at
    anew = f"; it starts anew at {cells.moment(at)} UTC." if at else "."
    return (f"Limit {cells.money(key.limit)} USD ", each(key), f", {_left(key.limit_remaining)}{anew}")


def each(key: KeyStatus) -> str | Name:
    """The time for which a limit holds."""
    if key.limit_reset is None:
        return "in all"
    return EACH.get(key.limit_reset) or Name(key.limit_reset)


def _left(amount: Decimal | None) -> str:
    if amount is None:
        return "what is left of it is unknown"
    return f"{'overdrawn: ' if amount < 0 else ''}{cells.money(amount)} USD left"


def _credits(credits: AccountCredits) -> Section:
    bought, used = cells.money(credits.bought), cells.money(credits.used)
    line = f"Bought {bought} USD, used {used} USD, {_left(credits.remaining)}."
    return Section(("Credit of the account",), lines=((line,),))
