"""Findings as text for people or for programs. Foreign text in them is made harmless. Pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Final

from openrouter_otel.doctoring.findings import NOTE, OK, PROBLEM, WARNING, Finding
from openrouter_otel.reporting.render.cells import safe
from openrouter_otel.wording import counted

_WORD: Final = max(map(len, (OK, NOTE, WARNING, PROBLEM))) + 2
_COLOURS: Final = {OK: 32, NOTE: 36, WARNING: 33, PROBLEM: 31}
_NARROWEST: Final = 40


def verdict(findings: Sequence[Finding]) -> str:
    """How bad it is, in a line."""
    problems, warnings = (sum(found.status == status for found in findings) for status in (PROBLEM, WARNING))
    besides = f", {counted(warnings, WARNING)}" if warnings else ""
    return f"{counted(problems, PROBLEM) if problems else 'no problem found'}{besides}"


def terminal(findings: Sequence[Finding], columns: int | None, *, colour: bool) -> str:
    """A paragraph a finding, and the verdict; lines are as long as they need to be where `columns` is None."""
    lines = [line for found in findings for line in _paragraphs(found, columns, colour)]
    return "\n".join([*lines, "", verdict(findings)]) + "\n"


def as_json(findings: Sequence[Finding]) -> str:
    """``{"verdict": ..., "findings": [{"status", "what", "advice"}]}``."""
    told = {"verdict": verdict(findings), "findings": [found._asdict() for found in findings]}
    return json.dumps(told, indent=2) + "\n"


def _paragraphs(found: Finding, columns: int | None, colour: bool) -> list[str]:
    what, *rest = _wrapped(found.what, columns, "")
    word = found.status.ljust(_WORD)
    if colour:
        word = f"\x1b[{_COLOURS[found.status]}m{word}\x1b[0m"
    return [word + what, *(" " * _WORD + line for line in [*rest, *_wrapped(found.advice or "", columns, "-> ")])]


def _wrapped(text: str, columns: int | None, mark: str) -> list[str]:
    line = f"{mark}{safe(text)}" if text else ""
    if columns is None or not line:
        return [line] if line else []
    return textwrap.wrap(
        line,
        max(columns, _NARROWEST) - _WORD,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
