"""What the running month will have cost at its end, if it goes on like the last seven days. Pure.

Seven days hold each day of the week once, so that neither a weekend nor the first days of a month mislead.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Projection, rounded
from openrouter_otel.reporting.period import DAY, Interval, local, month_end
from openrouter_otel.reporting.tally import Tally

WEEK: Final = 7 * DAY


def projection(tally: Tally) -> Projection:
    """Spent so far, and at the end of the month; no end where less than a day is known to project from."""
    evidence = tally.evidence
    name = f"{local(evidence.month.since, evidence.tz):%Y-%m}"
    spent = tally.within(names.COST, evidence.month).sum()
    known = 0 if evidence.data_since is None else min(WEEK, evidence.now - evidence.data_since)
    if known < DAY:
        return Projection(name, rounded(spent), None, "Less than a day is known, which is too little to project from.")
    recent = tally.within(names.COST, Interval(evidence.now - WEEK, evidence.now)).sum() if known else ZERO
    left = month_end(evidence.now, evidence.tz) - evidence.now
    return Projection(
        month=name,
        spent=rounded(spent),
        projected=rounded(spent + recent * left / known),
        method=(
            f"Spent so far, plus the {_days(left)} days left of the month"
            f" at the daily mean of the last {_days(known)} days."
        ),
    )


def _days(length: int) -> str:
    return f"{Decimal(length) / DAY:.1f}".removesuffix(".0")
