"""English around numbers, for every line that a person reads."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number of things, such as ``1 call`` or ``1,024 processes``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
