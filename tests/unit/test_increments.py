"""What one call adds to which counter."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_otel import names
from openrouter_otel.emit.increments import Number, increments
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import Record
from records import ended

ANSWERED = Failure("rate_limit_exceeded", answered=True)
BYOK = Usage(1, 2, (), Decimal("0.01"), byok=True, provider_cost=Decimal("0.5"))


def added(record: Record) -> dict[str, dict[tuple[str | None, ...], Number]]:
    """Metric name to attributes to amount."""
    table: dict[str, dict[tuple[str | None, ...], Number]] = {}
    for metric, extra, amount in increments(record):
        table.setdefault(metric.name.removeprefix("openrouter."), {})[extra] = amount
    return table


def test_a_call_that_went_well_adds_to_these_and_no_others() -> None:
    usage = Usage(10, 5, (("cache_read", 4), ("reasoning", 2)), Decimal("0.001"))

    assert added(ended(usage=usage, duration=2.0)) == {
        "requests": {("ok", "reported", "stop"): 1},
        "tokens": {("input",): 10, ("output",): 5},
        "tokens.detail": {("cache_read",): 4, ("reasoning",): 2},
        "cost.usd": {("reported", "openrouter", "ok"): Decimal("0.001")},
        "duration.squared": {(): 4.0},
    }


def test_a_call_that_told_nothing_adds_a_request_and_no_zeros() -> None:
    assert added(ended(usage=None, finish=None, duration=None)) == {"requests": {("ok", "unknown", None): 1}}


def test_a_failure_adds_an_error_and_no_duration() -> None:
    assert added(ended(usage=None, finish=None, outcome="error", failure=ANSWERED)) == {
        "requests": {("error", "none", None): 1},
        "errors": {("rate_limit_exceeded",): 1},
    }


def test_a_failure_that_was_charged_adds_what_it_cost() -> None:
    table = added(ended(outcome="error", failure=ANSWERED, finish="error"))

    assert table["requests"] == {("error", "reported", "error"): 1}
    assert table["cost.usd"] == {("reported", "openrouter", "error"): Decimal("0.001")}
    assert table["tokens"] == {("input",): 10, ("output",): 5}


@pytest.mark.parametrize("outcome", ["abandoned", "cancelled"])
def test_only_errors_count_as_errors(outcome: str) -> None:
    assert added(ended(usage=None, finish=None, outcome=outcome)) == {"requests": {(outcome, "unknown", None): 1}}


def test_both_payees_under_byok_and_the_providers_bill_is_an_estimate() -> None:
    assert added(ended(usage=BYOK))["cost.usd"] == {
        ("reported", "openrouter", "ok"): Decimal("0.01"),
        ("estimated", "provider", "ok"): Decimal("0.5"),
    }


def test_byok_without_the_providers_figure_is_unpriced_and_still_counts_the_fee() -> None:
    table = added(ended(usage=Usage(1, 2, (), Decimal("0.01"), byok=True)))

    assert table["requests"] == {("ok", "unknown", "stop"): 1}
    assert table["cost.usd"] == {("reported", "openrouter", "ok"): Decimal("0.01")}


def test_a_reported_zero_is_a_price() -> None:
    assert added(ended(usage=Usage(0, 0, (), Decimal(0))))["cost.usd"] == {("reported", "openrouter", "ok"): Decimal(0)}


def test_retries_are_counted_where_there_were_any() -> None:
    assert added(ended(retries=2))["retries"] == {(): 2}
    assert "retries" not in added(ended())


def test_only_counters_are_added_to_and_attributes_fit_their_metric() -> None:
    usage = Usage(10, 5, (("cache_read", 4),), Decimal("0.01"), byok=True, provider_cost=Decimal(1))
    record = ended(usage=usage, retries=1, outcome="error", failure=ANSWERED)

    for metric, extra, _ in increments(record):
        assert metric.kind == "counter"
        assert len(extra) == len(metric.attributes)
    assert names.REQUESTS in {metric for metric, _, _ in increments(record)}
