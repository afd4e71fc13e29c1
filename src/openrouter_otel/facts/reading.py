"""How to look at an answer without disturbing it: SDK models and plain JSON alike, nothing raised, nothing copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

_ABSURD: Final = 10**15  # neither tokens nor USD; float64 shows every whole number up to here


def field(thing: object, name: str) -> object:
    """What `thing` says under `name`, or None: a JSON object's member, or an SDK model's declared or extra field.

    Undeclared members of a response (``provider``, ``usage.cost``) are kept by pydantic among the model's extras;
    reading both dictionaries directly avoids ``__getattr__`` and whatever a property might do.
    """
    if type(thing) is dict or isinstance(thing, dict):
        return thing.get(name)
    try:
        values = thing.__dict__
        if name in values:
            value: object = values[name]
            return value
        extra = thing.__pydantic_extra__  # type: ignore[attr-defined]  # where it has none, we are told below
    except AttributeError:
        return None
    return extra.get(name) if extra else None


def members(thing: object) -> Mapping[str, object]:
    """Everything `thing` says, for readers of many fields: a JSON object itself, or a model's fields and extras."""
    if isinstance(thing, dict):
        return thing
    values: Mapping[str, object] = getattr(thing, "__dict__", {})
    extra = getattr(thing, "__pydantic_extra__", None)
    return {**values, **extra} if extra else values


def path(thing: object, dotted: str) -> object:
    """`field` along a dotted path."""
    for name in dotted.split("."):
        if thing is None:
            return None
        thing = field(thing, name)
    return thing


def text(value: object) -> str | None:
    """A non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def items(value: object) -> Sequence[object]:
    """The members of a JSON array, or nothing."""
    return value if isinstance(value, (list, tuple)) else ()


def whole(value: object) -> int | None:
    """A count: a whole number of 0 or more, also as text or as 3.0; anything else is unknown."""
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return value if 0 <= value < _ABSURD else None
    number = money(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def money(value: object) -> Decimal | None:
    """An amount as written: floats by their shortest text, which is the text that was parsed (up to 15 digits).

    Negative, non-finite and absurd amounts are unknown, never a credit.
    """
    if type(value) is float and 0 <= value < _ABSURD:  # what nearly all are; NaN and infinities fail the comparison
        return Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _ABSURD else None
