"""Finds out which calls wait for a price, and books one that was found: the row and all its sums in one transaction."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from openrouter_otel.exact import plus
from openrouter_otel.journal import money, sums
from openrouter_otel.journal.schema import HOUR_MS
from openrouter_otel.journal.store import NothingYetError, complaining, open_for_writing, transaction

_PATIENCE_MS: Final = 10_000  # to wait for those who write calls
_WAITING: Final = "SELECT id, generation_id, ended_at FROM calls WHERE pending = 1 ORDER BY ended_at, id"
_CALL: Final = """
    SELECT series_id, ended_at, charged, provider_cost, input_tokens, output_tokens, details
    FROM calls WHERE id = ? AND pending = 1"""
_BOOK: Final = """
    UPDATE calls SET charged = ?, provider_cost = ?, cost = ?, input_tokens = ?, output_tokens = ?, details = ?,
        byok = max(byok, ?), resolved_at = ?, pending = NULL WHERE id = ?"""
_GIVE_UP: Final = "UPDATE calls SET pending = 0 WHERE id = ? AND pending = 1"


class WaitingCall(NamedTuple):
    """A call whose price is unknown and may be found out.

    Attributes:
        id: of its row.
        generation_id: OpenRouter's.
        ended_at: milliseconds since the epoch.
    """

    id: int
    generation_id: str
    ended_at: int


class Price(NamedTuple):
    """What a call came to.

    Attributes:
        charged: USD that OpenRouter charged.
        provider_cost: USD of the provider's bill; None where there is none.
        input_tokens, output_tokens, details: what it used; None is unknown.
    """

    charged: Decimal
    provider_cost: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    details: Mapping[str, int] = {}


class WaitingCalls:
    """The calls of one journal that wait; for one thread at a time.

    Any number of these may be at work on one journal: a call is priced by whoever comes first, and once.

    Args:
        path: the journal.

    Raises:
        NothingYetError: there is no such file.
        JournalError: it cannot be written; likewise all methods.
    """

    def __init__(self, path: str) -> None:
        if not os.path.exists(path):
            raise NothingYetError("there is no such file")
        self._connection = open_for_writing(path)
        with complaining():
            self._connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")

    def all(self) -> list[WaitingCall]:
        """Those that wait now, the oldest first."""
        with complaining():
            return [WaitingCall(*row) for row in self._connection.execute(_WAITING)]

    def book(self, call: WaitingCall, price: Price, now: int) -> Decimal | None:
        """Book a price that was found at an instant (ms).

        What was told when the call ended stays as it was told: only what is missing is filled in.

        Returns:
            USD that this added; None where the call waits no longer.
        """
        with complaining(), transaction(self._connection):
            found = self._connection.execute(_CALL, (call.id,)).fetchone()
            if found is None:
                return None
            series, ended_at, charged, provider_cost, *told = found
            added: dict[str, Any] = {"resolved": 1}
            cost, new = Decimal(0), Decimal(0)
            amounts = []
            for column, text, amount in (
                ("charged", charged, price.charged),
                ("provider_cost", provider_cost, price.provider_cost),
            ):
                if text is None and amount is not None:
                    added[column], added[f"{column}_rest"] = money.split(amount)
                    new, text = plus(amount, new), f"{amount:f}"
                amounts.append(text)
                cost = cost if text is None else plus(Decimal(text), cost)
            used = _used(told, price, added)
            self._connection.execute(
                _BOOK, (*amounts, f"{cost:f}", *used, int(price.provider_cost is not None), now, call.id)
            )
            sums.add(self._connection, {(ended_at // HOUR_MS, series): added}, {series: added})
            return new

    def give_up(self, call: WaitingCall) -> bool:
        """A call waits no longer, its price stays unknown; False where it did not wait any more."""
        with complaining(), transaction(self._connection):
            return bool(self._connection.execute(_GIVE_UP, (call.id,)).rowcount)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _used(told: list[Any], price: Price, added: dict[str, Any]) -> list[Any]:
    """The columns of what was used, from the price where nothing of it had been told."""
    if any(value is not None for value in told):
        return told
    added["input_tokens"], added["output_tokens"] = price.input_tokens or 0, price.output_tokens or 0
    added.update(price.details)
    return [price.input_tokens, price.output_tokens, json.dumps(dict(price.details)) if price.details else None]
