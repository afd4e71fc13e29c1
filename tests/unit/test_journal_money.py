"""Money as pairs of integers: what goes in comes out, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_otel.journal.money import LIMIT, joined, split

AMOUNTS = st.decimals(min_value=0, max_value=LIMIT - 1, places=24)


@given(st.lists(AMOUNTS, max_size=20))
def test_the_sum_of_pairs_is_the_sum_of_amounts(amounts: list[Decimal]) -> None:
    pairs = [split(amount) for amount in amounts]
    units, rests = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)

    assert Fraction(joined(units, rests // 10**6, rests % 10**6)) == sum(map(Fraction, amounts))


@given(st.floats(min_value=1e-8, max_value=1000))
def test_a_price_that_was_a_float_is_kept_to_its_last_digit(price: float) -> None:
    amount = Decimal(repr(price))
    units, rest = split(amount)

    assert joined(units, 0, rest) == amount
    assert 0 <= rest < 10**12


def test_no_rows_are_no_money() -> None:
    assert joined(None, None, None) == 0


@pytest.mark.parametrize("amount", ["1e6", "1e30", "NaN", "Infinity"])
def test_what_would_overflow_a_sum_is_no_price(amount: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        split(Decimal(amount))
