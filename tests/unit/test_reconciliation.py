"""Our ledger against OpenRouter's own books: which days, by which name, how much, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from known_usage import NOW, Usage, money
from openrouter_otel import names
from openrouter_otel.account.readings import Booked
from openrouter_otel.reporting.period import DAY, HOUR, UTC, Interval, local
from openrouter_otel.reporting.reconciled import Explanation, Reconciliation
from openrouter_otel.reporting.reconciliation import TheirBooks

MODEL = "openai/gpt-5"
YESTERDAY = NOW - 24 * HOUR


def day(at: int) -> str:
    return local(at, UTC).date().isoformat()


def booked(
    requests: int, charged: str, at: int = YESTERDAY, model: str = MODEL, byok: str = "0", permaslug: str | None = None
) -> Booked:
    return Booked(day(at), model, permaslug or model, "OpenAI", requests, Decimal(charged), Decimal(byok))


def compare(usage: Usage, *lines: Booked, **other: Any) -> Reconciliation:
    books = TheirBooks(lines, max([line.day for line in lines], default=""), **other)
    found = usage.report(their_books=books).reconciliation
    assert found is not None
    assert sum((part.amount for part in found.explanations), Decimal(0)) == found.total.difference
    assert sum((one.difference for one in found.by_day), Decimal(0)) == found.total.difference
    assert sum((one.difference for one in found.by_model.values()), Decimal(0)) == found.total.difference
    return found


def explained(found: Reconciliation) -> dict[str, tuple[Decimal, int | None]]:
    return {part.kind: (part.amount, part.requests) for part in found.explanations}


def test_who_does_not_ask_is_told_nothing() -> None:
    assert Usage().report().reconciliation is None


def test_equal_books_are_equal_to_the_digit() -> None:
    usage = Usage()
    usage.call("0.000000000001", at=YESTERDAY)
    usage.call("12.5", count=2, at=NOW - 48 * HOUR, process="p2", model="b")
    found = compare(usage, booked(1, "0.000000000001"), booked(2, "12.5", NOW - 48 * HOUR, "b"), tolerance=Decimal(0))
    assert (found.total.difference, found.within_tolerance, found.explanations) == (money("0"), True, ())
    assert found.statement == ("OpenRouter booked $12.500000 for 3 calls on 29 days; counted here is the same.")
    assert (found.first_day, found.last_day) == ("2026-10-25", "2026-11-22")


def test_the_running_day_is_nobodys_yet() -> None:
    usage = Usage()
    usage.call("1", at=YESTERDAY)
    usage.call("5", at=NOW - HOUR, process="p2")
    found = compare(usage, booked(1, "1"))
    assert (found.total.counted_cost, found.last_day) == (money("1"), day(YESTERDAY))


def test_what_openrouter_has_booked_is_over_by_its_clock() -> None:
    usage = Usage()
    usage.call("5", at=NOW - HOUR)
    found = compare(usage, booked(1, "5", NOW))
    assert (found.total.difference, found.last_day) == (money("0"), day(NOW))


def test_days_before_the_source_s_memory_are_not_compared() -> None:
    usage = Usage(other={"data_since": NOW - 3 * DAY})
    usage.call("1", at=YESTERDAY)
    found = compare(usage, booked(1, "1"), booked(100, "100", NOW - 10 * DAY))
    assert (found.first_day, found.within_tolerance) == (day(NOW - 3 * DAY), True)
    assert found.notes == ("The source knows nothing before 2026-11-20T12:00:00+00:00: earlier days are not compared.",)


def test_a_day_that_the_period_cuts_is_not_compared() -> None:
    usage = Usage(other={"period": Interval(NOW - 2 * DAY, NOW - 6 * HOUR)})
    usage.call("1", at=YESTERDAY)
    found = compare(usage, booked(1, "1"), booked(7, "7", NOW - 2 * DAY), booked(7, "7", NOW))
    assert (found.first_day, found.last_day, found.total.difference) == (*2 * (day(YESTERDAY),), money("0"))


def test_without_a_whole_day_there_is_nothing_to_compare() -> None:
    usage = Usage(other={"period": Interval(NOW - 2 * HOUR, NOW)})
    usage.call("1")
    found = compare(usage, booked(9, "9"))
    assert (found.within_tolerance, found.failed, found.first_day, found.last_day) == (None, False, None, None)
    assert found.statement.startswith("Nothing to compare yet")


def test_a_model_goes_by_the_name_that_the_books_have() -> None:
    usage = Usage()
    usage.call("1", at=YESTERDAY, model="openai/gpt-5-2025-08-07")
    usage.call("2", at=YESTERDAY, process="p2")
    found = compare(usage, booked(2, "3", permaslug="openai/gpt-5-2025-08-07"))
    assert list(found.by_model) == [MODEL]
    assert found.total.difference == 0


def test_calls_from_outside_are_what_was_not_counted() -> None:
    usage = Usage()
    usage.call("1", at=YESTERDAY)
    found = compare(usage, booked(4, "1.25"), booked(2, "0.5", model="x/y"))
    assert explained(found) == {"outside": (money("0.75"), 5)}
    assert found.failed
    assert found.difference_share == Decimal("0.428571428571")
    assert found.statement == (
        "OpenRouter booked $1.750000 for 6 calls on 29 days; counted here is $1.000000, $0.750000 (42.86%) less:"
        " beyond the tolerance of 2 %."
    )
    assert list(found.by_model) == ["x/y", MODEL]


@pytest.mark.parametrize(("tolerance", "failed"), [("0.2", False), ("0.1999", True)])
def test_the_tolerance_is_a_share_of_what_is_booked(tolerance: str, failed: bool) -> None:
    usage = Usage()
    usage.call("8", at=YESTERDAY)
    assert compare(usage, booked(2, "10"), tolerance=Decimal(tolerance)).failed is failed


def test_calls_of_unknown_price_are_priced_by_the_books() -> None:
    usage = Usage()
    usage.add(names.REQUESTS, 3, at=YESTERDAY, outcome="abandoned", cost_source="unknown")
    found = compare(usage, booked(2, "0.5"))  # one never arrived
    assert explained(found) == {"unpriced": (money("0.5"), 2)}


def test_what_was_resolved_is_priced() -> None:
    usage = Usage()
    usage.add(names.REQUESTS, 1, at=YESTERDAY, outcome="abandoned", cost_source="unknown")
    usage.add(names.RESOLVED, 1, at=YESTERDAY)
    usage.add(names.COST, "0.5", at=YESTERDAY, outcome="abandoned", cost_source="reported", payee="openrouter")
    assert compare(usage, booked(1, "0.5")).explanations == ()


def test_two_reasons_in_one_model_share_by_their_number_of_calls() -> None:
    usage = Usage()
    usage.add(names.REQUESTS, 1, at=YESTERDAY, outcome="abandoned", cost_source="unknown")
    found = compare(usage, booked(4, "1"))
    assert explained(found) == {"outside": (money("0.75"), 3), "unpriced": (money("0.25"), 1)}
    assert "divided by their number" in found.notes[0]


def test_an_estimate_is_held_against_what_was_charged() -> None:
    usage = Usage()
    usage.add(names.REQUESTS, 2, at=YESTERDAY, outcome="ok", cost_source="estimated")
    usage.add(names.COST, "1", at=YESTERDAY, outcome="ok", cost_source="estimated", payee="openrouter")
    assert explained(compare(usage, booked(2, "1.1"))) == {"estimated": (money("0.1"), 2)}
    assert explained(compare(usage, booked(3, "1.5"))) == {"outside": (money("0.5"), 1)} | {
        "estimated": (money("0"), 2)
    }


def test_providers_own_bills_are_told_apart() -> None:
    usage = Usage()
    usage.call("0.05", at=YESTERDAY)
    usage.add(names.COST, "1", at=YESTERDAY, outcome="ok", cost_source="estimated", payee="provider")
    found = compare(usage, booked(1, "0.05", byok="1.5"))
    assert explained(found) == {"byok": (money("0.5"), None)}
    assert found.total.booked_cost == money("1.55")


def test_calls_that_are_not_in_these_books_are_named() -> None:
    usage = Usage()
    usage.call("1", count=2, at=YESTERDAY)
    found = compare(usage)
    assert explained(found) == {"not_booked": (money("-1"), 2)}
    assert (found.failed, found.difference_share) == (True, None)
    assert found.statement.endswith("$1.000000 more: beyond the tolerance of 2 %.")


def test_calls_that_openrouter_refused_are_not_missed() -> None:
    usage = Usage()
    usage.add(names.REQUESTS, 9, at=YESTERDAY, outcome="error", cost_source="none")
    found = compare(usage)
    assert (found.total.counted_requests, found.explanations, found.failed) == (0, (), False)
    assert (found.by_model, found.by_day) == ({}, ())


def test_another_price_for_the_same_calls_is_unexplained() -> None:
    usage = Usage()
    usage.call("1", at=YESTERDAY)
    assert explained(compare(usage, booked(1, "1.01"))) == {"unexplained": (money("0.01"), None)}


def test_midnight_moves_spend_between_days_and_explains_itself() -> None:
    usage = Usage()
    usage.call("1", at=YESTERDAY)
    found = compare(usage, booked(1, "1", NOW - 48 * HOUR))
    assert (found.total.difference, found.explanations, found.failed) == (money("0"), (), False)
    assert [(one.date, one.difference) for one in found.by_day] == [
        (day(NOW - 48 * HOUR), money("1")),
        (day(YESTERDAY), money("-1")),
    ]


amounts = st.decimals(min_value=0, max_value=1000, places=9)
few = st.integers(0, 5)


@settings(deadline=None)  # a busy machine is no fault
@given(ours=st.tuples(few, few, few, amounts, amounts, amounts), theirs=st.tuples(few, amounts, amounts))
def test_whatever_both_say_the_explanations_add_up(
    ours: tuple[int, int, int, Decimal, Decimal, Decimal], theirs: tuple[int, Decimal, Decimal]
) -> None:
    usage = Usage()
    for source, count in zip(("reported", "estimated", "unknown"), ours, strict=False):
        usage.add(names.REQUESTS, count, at=YESTERDAY, outcome="ok", cost_source=source)
    sides = (("reported", "openrouter"), ("estimated", "openrouter"), ("estimated", "provider"))
    for (source, payee), amount in zip(sides, ours[3:], strict=True):
        usage.add(names.COST, f"{amount:f}", at=YESTERDAY, outcome="ok", cost_source=source, payee=payee)
    found = compare(usage, booked(theirs[0], f"{theirs[1]:f}", byok=f"{theirs[2]:f}"))
    assert all(isinstance(part, Explanation) and part.text for part in found.explanations)
