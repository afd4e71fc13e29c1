"""Findings as a person reads them."""

from __future__ import annotations

import pytest

from openrouter_otel.doctoring.findings import Finding, note, ok, problem, warning
from openrouter_otel.doctoring.telling import terminal, verdict

HOSTILE = "\x1b[2Jjob\u202e\nok  nothing wrong"
FINDINGS = [
    ok("all is well"),
    note("by the way"),
    warning("it is slow", "hurry"),
    problem(HOSTILE, "do " * 60 + HOSTILE),
]


@pytest.mark.parametrize("columns", [40, 80, 140, None])
def test_a_finding_begins_with_its_word_and_nothing_foreign_is_obeyed(columns: int | None) -> None:
    lines = terminal(FINDINGS, columns, colour=False).splitlines()

    assert [line.split()[0] for line in lines if line[:1].strip()] == ["ok", "note", "warning", "problem", "1"]
    assert not [char for line in lines for char in line if not char.isprintable()]
    assert columns is None or max(map(len, lines)) <= columns
    assert lines[-1] == "1 problem, 1 warning"


def test_colours_are_beside_the_words_and_not_in_their_stead() -> None:
    coloured, plain = (terminal(FINDINGS, 80, colour=colour) for colour in (True, False))
    for code in ("32", "36", "33", "31", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")

    assert coloured == plain


@pytest.mark.parametrize(
    ("findings", "says"),
    [([ok("a")], "no problem found"), ([warning("a", "b")] * 2, "no problem found, 2 warnings")],
)
def test_the_verdict_counts(findings: list[Finding], says: str) -> None:
    assert verdict(findings) == says
