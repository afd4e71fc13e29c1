"""One cell of a table, and how the values of a report become cells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.latency import Range
from openrouter_otel.reporting.render import cells

NOTHING: Final = "\N{EN DASH}"
CENTS: Final = 4  # digits of `cells.money` after the cents


@dataclass(frozen=True)
class Cell:
    """What one place of a table or card says.

    Attributes:
        text: the value.
        faint: what belongs to it but may be overlooked: digits beyond the cent, a bracket.
        bar: how long a bar to draw behind it, such as ``12.5%``; "" for none.
    """

    text: str
    faint: str = ""
    bar: str = ""


EMPTY: Final = Cell(NOTHING)


def name(text: str) -> Cell:
    """Foreign text; nothing in it can hide or turn what stands beside it."""
    return Cell(cells.safe(text))


def count(number: int) -> Cell:
    """A whole number."""
    return Cell(cells.count(number))


def money(amount: Decimal | None) -> Cell:
    """USD: cents to read, the rest to check."""
    if amount is None:
        return EMPTY
    text = cells.money(amount)
    return Cell(text[:-CENTS], text[-CENTS:])


def about(amount: Decimal | None) -> str:
    """USD to the cent; less than a dollar to a millionth, or nothing would be left of it."""
    if amount is None:
        return NOTHING
    return cells.money(amount) if abs(amount) < 1 else f"{amount:,.2f}"


def share(part: Decimal | None) -> Cell:
    """A part of the whole, with a bar."""
    return EMPTY if part is None else Cell(f"{part:.1%}", bar=f"{part:.2%}")


def ratio(part: Decimal | None) -> Cell:
    """A part of something else than the column's sum."""
    return EMPTY if part is None else Cell(f"{part:.1%}")


def ms(duration: float | None, within: Range = (None, None)) -> Cell:
    """Milliseconds, and the bracket they are certain to lie in."""
    if duration is None:
        return EMPTY
    lower, upper = within
    uncertain = lower is not None and upper is not None and lower < upper
    return Cell(cells.ms(duration), f"{cells.ms(lower)} to {cells.ms(upper)}" if uncertain else "")


def rate(per_second: float | None, within: Range = (None, None)) -> Cell:
    """Tokens per second, and the bracket they are certain to lie in."""
    if per_second is None:
        return EMPTY
    lower, upper = within
    uncertain = lower is not None and upper is not None and lower < upper
    return Cell(f"{per_second:,.1f}", f"{lower:,.1f} to {upper:,.1f}" if uncertain else "")
