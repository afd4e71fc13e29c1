"""One ended call: what can be said of it, and where its price came from."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import cost_source
from records import ended

PRICED = Usage(1, 1, (), Decimal("0.5"))
FREE = Usage(0, 0, (), Decimal(0))
UNPRICED = Usage(1, 1)
BYOK = Usage(1, 1, (), Decimal("0.01"), byok=True, provider_cost=Decimal("0.5"))
SILENT_BYOK = Usage(1, 1, (), Decimal("0.01"), byok=True)
ANSWERED = Failure("rate_limit_exceeded", answered=True)
LOST = Failure("APITimeoutError")


@pytest.mark.parametrize(
    ("usage", "outcome", "failure", "expected"),
    [
        (PRICED, "ok", None, "reported"),
        (PRICED, "error", ANSWERED, "reported"),
        (PRICED, "error", LOST, "reported"),
        (PRICED, "abandoned", None, "reported"),
        (PRICED, "cancelled", None, "reported"),
        (FREE, "ok", None, "reported"),  # zero is a price
        (BYOK, "ok", None, "reported"),
        (SILENT_BYOK, "ok", None, "unknown"),
        (UNPRICED, "ok", None, "unknown"),
        (None, "ok", None, "unknown"),
        (None, "abandoned", None, "unknown"),
        (None, "cancelled", None, "unknown"),
        (None, "error", ANSWERED, "none"),
        (None, "error", LOST, "unknown"),
        (None, "error", None, "unknown"),
        (UNPRICED, "error", ANSWERED, "unknown"),
    ],
)
def test_where_a_price_came_from(usage: Usage | None, outcome: str, failure: Failure | None, expected: str) -> None:
    assert expected == cost_source(usage, outcome, failure)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        (UNPRICED, None),
        (PRICED, Decimal("0.5")),
        (FREE, Decimal(0)),
        (BYOK, Decimal("0.51")),
        (SILENT_BYOK, Decimal("0.01")),
        (Usage(byok=True, provider_cost=Decimal("0.5")), Decimal("0.5")),
    ],
)
def test_the_cost_is_what_both_payees_get_or_unknown(usage: Usage | None, expected: Decimal | None) -> None:
    assert expected == ended(usage=usage).cost


def test_the_model_is_the_one_that_served_else_the_requested_one() -> None:
    assert ended(model="a", requested="b").model == "a"
    assert ended(model=None, requested="b").model == "b"
    assert ended(model=None, requested=None).model is None


def test_the_provider_is_the_answers_else_the_failures() -> None:
    failure = Failure("x", provider="DeepInfra")

    assert ended(provider="OpenAI", failure=failure).provider == "OpenAI"
    assert ended(provider=None, failure=failure).provider == "DeepInfra"
    assert ended(provider=None).provider is None


def test_a_call_ends_when_it_began_and_took() -> None:
    assert ended(started_at=1_000_000_000, duration=1.5).ended_at == 2_500_000_000
    assert ended(started_at=1_000_000_000, duration=None).ended_at == 1_000_000_000


@pytest.mark.parametrize(
    ("tokens", "duration", "first", "outcome", "expected"),
    [
        (10, 3.0, 1.0, "ok", 5.0),
        (10, 3.0, None, "ok", None),
        (10, None, 1.0, "ok", None),
        (10, 1.0, 1.0, "ok", None),
        (0, 3.0, 1.0, "ok", None),
        (None, 3.0, 1.0, "ok", None),
        (10, 3.0, 1.0, "abandoned", None),
    ],
)
def test_the_output_rate_counts_from_the_first_token_of_a_stream_that_went_well(
    tokens: int | None, duration: float | None, first: float | None, outcome: str, expected: float | None
) -> None:
    record = ended(usage=Usage(1, tokens), duration=duration, first_token=first, outcome=outcome)

    assert expected == record.output_rate


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        ended().outcome = "error"  # type: ignore[misc]
