"""How the ledger compares with OpenRouter's own books, as the report has it. Field names are the JSON's keys.

*Counted* is what was seen here, *booked* what OpenRouter says. A difference is booked less counted: above zero where
OpenRouter charged for something that nobody counted. Spend includes providers' own bills, in USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Compared:
    """Both sides of something.

    Attributes:
        counted_requests: those that OpenRouter may have booked: all but those that it answered with an error.
    """

    counted_requests: int
    booked_requests: int
    counted_cost: Decimal
    booked_cost: Decimal
    difference: Decimal


@dataclass(frozen=True)
class ComparedDay(Compared):
    """Both sides of one model on one UTC day."""

    date: str
    model: str


@dataclass(frozen=True)
class Explanation:
    """One part of the difference; all of them add up to it.

    Attributes:
        kind: ``outside``, ``unpriced``, ``estimated``, ``byok``, ``not_booked`` or ``unexplained``.
        amount: its part, in USD, of either sign.
        requests: the calls that it is about; None where that is not known.
        text: what it means, in a few words.
    """

    kind: str
    amount: Decimal
    requests: int | None
    text: str


@dataclass(frozen=True)
class Reconciliation:
    """The outcome.

    Attributes:
        first_day: the first UTC day compared; None where there was none to compare.
        last_day: the last one.
        api_key_hash: whose books these are; None for the whole account.
        tolerance: the share of what is booked that may differ, 0 to 1.
        within_tolerance: whether it does not differ by more; None where nothing was compared.
        statement: the outcome in one sentence.
        total: of all days and models.
        difference_share: of what is booked; None where nothing is.
        explanations: what the difference is made of, the largest part first.
        by_model: the largest difference first.
        by_day: days and models that either side knows, the largest difference first.
        notes: what a reader would misread without a word.
    """

    first_day: str | None
    last_day: str | None
    api_key_hash: str | None
    tolerance: Decimal
    within_tolerance: bool | None
    statement: str
    total: Compared
    difference_share: Decimal | None
    explanations: tuple[Explanation, ...]
    by_model: Mapping[str, Compared]
    by_day: tuple[ComparedDay, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether it differs by more than it may."""
        return self.within_tolerance is False
