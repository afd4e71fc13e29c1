"""How single values are written for people."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

NOTHING: Final = "-"


def safe(text: str) -> str:
    """Foreign text with every character that a terminal might obey or hide spelled out."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def moment(iso: str) -> str:
    """Day and minute of an ISO time."""
    return iso[:16].replace("T", " ")


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def money(amount: Decimal) -> str:
    """USD to a millionth: calls are cheap."""
    return f"{amount:,.6f}"


def price(amount: Decimal | None) -> str:
    """USD to the cent."""
    return NOTHING if amount is None else f"{amount:,.2f}"


def failed(errors: int, rate: Decimal) -> str:
    """Errors with their share of the requests."""
    return f"{errors:,} ({rate:.1%})" if errors else "0"


def ms(duration: float | None) -> str:
    """Whole milliseconds."""
    return NOTHING if duration is None else f"{duration:,.0f}"
