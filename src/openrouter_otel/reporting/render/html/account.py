"""What OpenRouter says of key and account, in one panel: facts, and the key's spend as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.account import AccountCredits, AccountStatus, KeySpend, KeyStatus
from openrouter_otel.reporting.render import cells as plain
from openrouter_otel.reporting.render.account import EACH
from openrouter_otel.reporting.render.html import cells
from openrouter_otel.reporting.render.html.cells import Cell
from openrouter_otel.reporting.render.html.table import Table

TIER: Final = {True: "yes: no credit was ever bought", False: "no"}


@dataclass(frozen=True)
class Fact:
    """One line of the panel.

    Attributes:
        label: what it is.
        value: it.
    """

    label: str
    value: Cell


@dataclass(frozen=True)
class Panel:
    """What is known.

    Attributes:
        facts: the key's, then the account's.
        spend: the key's; None without one.
    """

    facts: tuple[Fact, ...]
    spend: Table | None


def panel(status: AccountStatus | None) -> Panel | None:
    """All of it; None where there is nothing."""
    if status is None:
        return None
    return Panel(tuple(_facts(status)), None if status.key is None else _spend(status.key))


def _facts(status: AccountStatus) -> Iterator[Fact]:
    if status.key:
        yield from _key(status.key)
    if status.credits:
        yield from _credits(status.credits)


def _spend(key: KeyStatus) -> Table:
    return Table(
        "account-spend",
        "Spend with this key, USD",
        "",
        ("Bill", "Today", "This week", "This month", "In all"),
        (_spent("Charged by OpenRouter", key.usage), _spent("Billed by providers (BYOK)", key.byok_usage)),
    )


def _spent(who: str, spend: KeySpend) -> tuple[Cell, ...]:
    return (Cell(who), *map(cells.money, (spend.daily, spend.weekly, spend.monthly, spend.total)))


def _key(key: KeyStatus) -> Iterator[Fact]:
    yield Fact("API key", cells.name(key.label) if key.label else cells.EMPTY)
    yield from _limit(key)
    left = key.free_requests_remaining
    yield Fact("Calls of free models left today", cells.EMPTY if left is None else cells.count(left))
    yield Fact("Free tier", cells.EMPTY if key.free_tier is None else Cell(TIER[key.free_tier]))
    if key.management:
        yield Fact("Kind of key", Cell("management: it calls no model"))


def _limit(key: KeyStatus) -> Iterator[Fact]:
    if key.limit is None:
        yield Fact("Limit", Cell("none"))
        return
    yield _money("Limit", key.limit)
    yield _money("Left of it", key.limit_remaining)
    again = plain.safe(key.limit_reset or "")
    yield Fact("The limit holds for", Cell(EACH.get(again, again) or "all time"))
    at = key.limit_resets_at
    yield Fact("It starts anew at", Cell(f"{plain.moment(at)} UTC") if at else cells.EMPTY)


def _credits(credits: AccountCredits) -> Iterator[Fact]:
    yield _money("Credit bought", credits.bought)
    yield _money("Credit used", credits.used)
    yield _money("Credit left", credits.remaining)


def _money(label: str, amount: Decimal | None) -> Fact:
    return Fact(f"{label}, USD", cells.money(amount))
