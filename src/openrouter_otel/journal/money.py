"""Money in sums: two integers a column, so that SQLite adds it exactly and quickly.

``charged`` holds whole units of 1e-12 USD and ``charged_rest`` what is below, in units of 1e-24 USD; likewise the other
columns of `schema.MONEY`. Seventeen digits of anything above a hundred-millionth of a dollar fit, so a sum of what
OpenRouter told is exact; what is finer still is rounded to 1e-24 in sums, and never in ``calls``.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

PER_UNIT: Final = 10**12  # smaller units in a greater one
LIMIT: Final = 1_000_000  # USD of one call: what would make a sum overflow is no price
_HALF: Final = 10**6
_ROOMY: Final = Context(prec=60, traps=[])


def split(amount: Decimal) -> tuple[int, int]:
    """An amount as (units of 1e-12 USD, units of 1e-24 USD below)."""
    if not abs(amount) < LIMIT:
        raise ValueError("no price of one call")
    return divmod(int(_ROOMY.scaleb(amount, 24).to_integral_value(context=_ROOMY)), PER_UNIT)


def summing(column: str) -> str:
    """SQL of the three sums that `joined` takes; no number of rows overflows them."""
    return f"sum({column}), sum({column}_rest / {_HALF}), sum({column}_rest % {_HALF})"


def joined(units: int | None, upper: int | None = 0, lower: int | None = 0) -> Decimal:
    """The amount of three sums; of no rows, zero."""
    return amount(units or 0, (upper or 0) * _HALF + (lower or 0))


def amount(units: int, rest: int) -> Decimal:
    """The amount of one pair of columns."""
    whole = units * PER_UNIT + rest
    return _ROOMY.scaleb(Decimal(whole), -24).normalize(_ROOMY) if whole else Decimal(0)
