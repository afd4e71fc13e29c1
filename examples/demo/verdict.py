"""The report's figures beside the truth: money and tokens from OpenRouter's book, the rest from the callers' tally."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fake_openrouter import Totals

from .tally import Counted


@dataclass(frozen=True)
class Figure:
    """One figure, twice.

    Attributes:
        name: what it is.
        reported: what came out at the end of the path.
        true: what went in.
        source: who knows the truth.
    """

    name: str
    reported: Decimal
    true: Decimal
    source: str

    @property
    def equal(self) -> bool:
        """To the digit."""
        return self.reported == self.true


def figures(report: Mapping[str, Any], retries: Decimal, book: Totals, counted: Counted) -> list[Figure]:
    """Everything that is compared.

    Args:
        report: the report, its numbers as Decimal or int. `all_time` has no calendar in it, so that a demo that runs
            over midnight is no different.
        retries: from the store itself; the report has no place for them.
    """
    total, accounting = report["summary"]["all_time"], report["accounting"]
    book_of, tally_of = "OpenRouter's book", "the callers' own tally"
    rows = (
        ("charged by OpenRouter, USD", accounting["charged_cost"], book.told.charge, book_of),
        ("billed by providers (BYOK), USD", accounting["byok_cost"], book.told.bill, book_of),
        ("total cost, USD", total["total_cost"], book.told.charge + book.told.bill, book_of),
        ("input tokens", total["input_tokens"], book.told.input, book_of),
        ("output tokens", total["output_tokens"], book.told.output, book_of),
        ("requests", total["total_requests"], counted.calls, tally_of),
        ("errors", total["total_errors"], counted.errors, tally_of),
        ("retries", retries, counted.retries, tally_of),
        ("retries as the server saw them", retries, book.retries, book_of),
        ("unpriced requests", total["unpriced_requests"], book.untold_generations, book_of),
    )
    return [Figure(name, Decimal(reported), Decimal(true), source) for name, reported, true, source in rows]


def table(rows: list[Figure]) -> str:
    """The figures for the terminal."""
    lines = [f"{'':34}{'report':>20}{'truth':>20}"]
    lines += [
        f"{row.name:34}{_text(row.reported):>20}{_text(row.true):>20}  {'=' if row.equal else '≠'} {row.source}"
        for row in rows
    ]
    return "\n".join(lines)


def _text(number: Decimal) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
