"""What was paid for and bought nothing."""

from __future__ import annotations

import pytest

from known_usage import Usage, money
from openrouter_otel import names
from openrouter_otel.reporting.model import CacheUse, Spend


@pytest.fixture
def usage() -> Usage:
    return Usage()


def ended(usage: Usage, outcome: str, count: int, cost: str | None = None, model: str = "", reason: str = "") -> None:
    priced = "unknown" if cost is None else "reported"
    usage.add(names.REQUESTS, count, outcome=outcome, cost_source=priced, model=model, finish_reason=reason)
    if cost is not None:
        usage.add(names.COST, cost, outcome=outcome, cost_source="reported", payee="openrouter", model=model)


def test_failed_abandoned_and_cancelled_calls_cost_what_they_cost(usage: Usage) -> None:
    usage.call("6")
    ended(usage, "error", 2, "0.5", model="a")
    ended(usage, "abandoned", 1, "1", model="b")
    ended(usage, "abandoned", 4)
    spent = usage.report().fruitless_spend
    assert (spent.cost, spent.share) == (money("1.5"), money("0.2"))
    assert spent.by_outcome == {
        "error": Spend(2, money("0.5")),
        "abandoned": Spend(5, money("1"), unpriced_requests=4),
        "cancelled": Spend(0, money("0")),
    }
    assert list(spent.by_model.items()) == [("b", money("1")), ("a", money("0.5"))]


def test_a_failure_that_openrouter_reported_without_usage_is_known_to_be_free(usage: Usage) -> None:
    usage.add(names.REQUESTS, 3, outcome="error", cost_source="none")
    assert usage.report().fruitless_spend.by_outcome["error"] == Spend(3, money("0"))


def test_calls_of_which_no_price_is_known_have_no_cost(usage: Usage) -> None:
    ended(usage, "cancelled", 3)
    assert usage.report().fruitless_spend.by_outcome["cancelled"] == Spend(3, None, unpriced_requests=3)


def test_of_answers_cut_short_only_the_number_is_known(usage: Usage) -> None:
    ended(usage, "ok", 3, "1", reason="length")
    ended(usage, "ok", 5, "1", reason="stop")
    ended(usage, "error", 7, "1", reason="length")
    assert usage.report().fruitless_spend.truncated == Spend(3, None)
    assert Usage().report().fruitless_spend.truncated == Spend(0, money("0"))


def test_a_cache_that_was_written_and_never_read_is_named(usage: Usage) -> None:
    for model, kind, count in (("a", "cache_write", 900), ("b", "cache_write", 800), ("b", "cache_read", 1)):
        usage.add(names.TOKENS_DETAIL, count, model=model, token_type=kind)
    usage.add(names.TOKENS_DETAIL, 9, model="c", token_type="cache_read")
    assert usage.report().fruitless_spend.cache_never_read == {"a": CacheUse(900, 0)}
