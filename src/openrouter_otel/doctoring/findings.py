"""What a check has found. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

OK: Final = "ok"
NOTE: Final = "note"  # good to know, nothing to do
WARNING: Final = "warning"
PROBLEM: Final = "problem"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        status: one of the words above.
        what: a sentence that says how it is.
        advice: what to do about it; None where there is nothing.
    """

    status: str
    what: str
    advice: str | None = None


Findings = Iterable[Finding]


def ok(what: str) -> Finding:
    """It is as it should be."""
    return Finding(OK, what)


def note(what: str, advice: str | None = None) -> Finding:
    """It is neither good nor bad."""
    return Finding(NOTE, what, advice)


def warning(what: str, advice: str) -> Finding:
    """It works, and figures may be less than they could be."""
    return Finding(WARNING, what, advice)


def problem(what: str, advice: str) -> Finding:
    """Calls are not counted, or counted wrong."""
    return Finding(PROBLEM, what, advice)
