"""Exact sums behind the counters."""

from __future__ import annotations

import decimal
import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest

from openrouter_otel import names
from openrouter_otel.context import RunningUsage, charge
from openrouter_otel.emit.counting import Counting, minute
from openrouter_otel.emit.series import Series
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import Record
from openrouter_otel.settings import Settings
from records import ended

BYOK = Usage(1, 1, (), Decimal("0.1"), byok=True, provider_cost=Decimal("0.2"))


def counting(**settings: object) -> Counting:
    return Counting(Settings(**settings), "p")  # type: ignore[arg-type]


def sums(of: Counting, metric: names.Metric) -> dict[frozenset[tuple[str, str]], float]:
    return {_labels(series): of.sum(series) for series in of.families[metric].all()}


def _labels(series: Series) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in series.attributes.items() if k != "process")


def by(of: Counting, metric: names.Metric, attribute: str) -> dict[str | None, float]:
    """Sums by one attribute."""
    table: Counter[str | None] = Counter()
    for series in of.families[metric].all():
        table[series.attributes.get(attribute)] += of.sum(series)  # type: ignore[assignment]
    return dict(table)


def costs(count: int) -> list[Decimal]:
    """Costs as OpenRouter tells them: up to twelve decimals, of any size."""
    dice = random.Random(7)
    return [Decimal(dice.randrange(10 ** dice.randrange(1, 14))).scaleb(-12) for _ in range(count)]


def test_ten_thousand_costs_sum_exactly_and_show_as_the_nearest_float() -> None:
    known, amounts = counting(), costs(10_000)

    for amount in amounts:
        known.add(ended(usage=Usage(1, 1, (), amount)))

    exact = sum(map(Fraction, amounts), Fraction(0))
    assert list(sums(known, names.COST).values()) == [float(exact)]
    assert float(exact) != sum(map(float, amounts))  # floats would have drifted


def test_an_applications_own_decimal_context_does_not_round_our_sums() -> None:
    known, usage, amounts = counting(), RunningUsage(), costs(200)

    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact, decimal.FloatOperation])):
        for amount in amounts:
            record = ended(usage=Usage(1, 1, (), amount, byok=True, provider_cost=amount))
            known.add(record)
            charge((usage,), record)

    exact = sum(map(Fraction, amounts), Fraction(0))
    assert by(known, names.COST, "payee") == {"openrouter": float(exact), "provider": float(exact)}
    assert Fraction(usage.cost) == 2 * exact


def test_a_microdollar_is_kept_beside_a_thousand_dollars() -> None:
    known = counting()

    for amount in ("999.999999999998", "0.000000000001"):
        known.add(ended(usage=Usage(1, 1, (), Decimal(amount))))

    assert list(sums(known, names.COST).values()) == [999.999999999999]


def test_a_record_changes_every_counter_it_should() -> None:
    known = counting(metric_tags=("team",))

    known.add(ended(user="alice", tags={"team": "search", "private": "x"}, usage=BYOK, retries=1))

    shared = {("model", "openai/gpt-5"), ("provider", "OpenAI"), ("operation", "chat"), ("tag.team", "search")}
    assert sums(known, names.REQUESTS) == {
        frozenset(
            {*shared, ("user", "alice"), ("outcome", "ok"), ("cost_source", "reported"), ("finish_reason", "stop")}
        ): 1
    }
    assert sums(known, names.RETRIES) == {frozenset({*shared, ("user", "alice")}): 1}
    assert by(known, names.TOKENS, "token_type") == {"input": 1, "output": 1}
    assert by(known, names.COST, "payee") == {"openrouter": 0.1, "provider": 0.2}
    assert sums(known, names.DURATION_SQUARED) == {frozenset(shared): 1.0}
    assert sums(known, names.ERRORS) == {}


def test_every_series_carries_the_process() -> None:
    known = counting()
    known.add(ended(retries=1, outcome="error", failure=Failure("x")))

    assert {s.attributes["process"] for m in names.USAGE_METRICS for s in known.families[m].all()} == {"p"}


@pytest.mark.parametrize(
    ("served", "requested", "expected"),
    [
        ("a", "a", {"model": "a"}),
        ("a", "b", {"model": "a", "requested_model": "b"}),
        (None, "b", {"model": "b"}),
        ("a", None, {"model": "a"}),
        (None, None, {}),
    ],
)
def test_the_requested_model_is_shown_only_where_it_differs(
    served: str | None, requested: str | None, expected: dict[str, str]
) -> None:
    known = counting()
    known.add(ended(model=served, requested=requested, provider=None))

    [series] = known.families[names.REQUESTS].all()
    assert {k: v for k, v in series.attributes.items() if "model" in k} == expected


def test_a_record_that_is_offered_again_is_counted_once() -> None:
    known, record = counting(), ended()

    assert known.add(record)
    assert not known.add(record)
    assert by(known, names.REQUESTS, "outcome") == {"ok": 1}


def test_equal_records_are_two_calls() -> None:
    known = counting()
    known.add(ended())
    known.add(ended())

    assert by(known, names.REQUESTS, "outcome") == {"ok": 2}


def test_users_beyond_the_cap_keep_their_model() -> None:
    known = counting(max_users=2)
    for number in range(30):
        known.add(ended(user=f"u{number}", model=f"m{number % 2}", requested=f"m{number % 2}"))

    assert by(known, names.REQUESTS, "user") == {"u0": 1, "u1": 1, "(other)": 28}
    assert by(known, names.REQUESTS, "model") == {"m0": 15, "m1": 15}


def test_beyond_max_series_totals_stay_right_and_series_bounded() -> None:
    known = counting(max_series=10)
    amount = Decimal("0.000000000001")
    for number in range(500):
        known.add(ended(user=f"u{number}", model=f"m{number}", requested=f"r{number}", usage=Usage(2, 3, (), amount)))

    assert by(known, names.REQUESTS, "outcome") == {"ok": 500}
    assert by(known, names.TOKENS, "token_type") == {"input": 1000, "output": 1500}
    assert sum(sums(known, names.COST).values()) == pytest.approx(5e-10, rel=1e-12)
    assert max(len(family.all()) for family in known.families.values()) <= 40
    assert len(known._bases) <= 41


def test_histograms_have_a_cap_on_users_of_their_own() -> None:
    known = counting(max_users=3, max_histogram_users=1)
    records = [ended(user=user) for user in ("a", "b")]

    shown = [known.histogram_attributes(names.DURATION, record, ("ok",))["user"] for record in records]

    assert shown == ["a", "(other)"]


def test_histograms_without_users_have_none() -> None:
    assert "user" not in counting().histogram_attributes(names.FIRST_TOKEN, ended(user="a"))


def test_extremes_are_those_of_calls_that_went_well() -> None:
    known = counting()
    for outcome, duration in (("ok", 2.0), ("ok", 3.0), ("error", 9.0), ("abandoned", 0.1)):
        known.add(ended(outcome=outcome, duration=duration))

    [series] = known.families[names.DURATION_MIN].all()
    assert known.extremes.extreme(series, minute(0), longest=True) == 3.0
    assert known.extremes.extreme(series, minute(0), longest=False) == 2.0


def test_a_fault_in_the_middle_changes_nothing() -> None:
    known = counting()
    broken: Record = ended()._replace(failure=7)  # type: ignore[arg-type]

    with pytest.raises(AttributeError):
        known.add(broken)

    assert all(known.sum(series) == 0 for family in known.families.values() for series in family.all())


def test_a_series_that_was_never_counted_shows_zero() -> None:
    assert counting().sum(Series({})) == 0.0
