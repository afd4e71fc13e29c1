"""Sums of money, to the last digit whatever decimal context the application has set for itself."""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import Context, Decimal, localcontext
from typing import Final

# Amounts have at most a float's 17 digits or the few that somebody wrote; sixty hold any sum of them.
_ROOMY: Final = Context(prec=60, traps=[])


def plus(amount: Decimal, other: Decimal | int) -> Decimal:
    """The exact sum of two amounts."""
    return _ROOMY.add(amount, other)


def exactly() -> AbstractContextManager[Context]:
    """A block in which sums and products of amounts are exact."""
    return localcontext(_ROOMY)
