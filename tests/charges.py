"""What the stand-in has charged, as far as its clients were told: what everything that counts must come to."""

from __future__ import annotations

from decimal import Decimal

from fake_openrouter import FakeOpenRouter


def charged(openrouter: FakeOpenRouter) -> Decimal:
    """USD to both payees, once every answer is through."""
    openrouter.book.settle()
    told = openrouter.book.totals().told
    return told.charge + told.bill
