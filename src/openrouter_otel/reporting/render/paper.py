"""What a report is written on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """Where the text will be looked at.

    Attributes:
        width: columns.
        terminal: whether colours and styles mean something there.
    """

    width: int = 100
    terminal: bool = False
