"""What usage comes to at list prices, against sums done by hand: exact, and never a credit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openrouter_otel.facts.price import Prices, estimate, read_catalogue, read_prices
from openrouter_otel.facts.usage import Usage

# USD per token, as /models lists them.
PRICING: dict[str, Any] = {"prompt": "0.000002", "completion": "0.000006", "input_cache_read": "0.0000003"}
SLUG = "acme/one"


def usage(input_tokens: int | None, output_tokens: int | None = None, **details: int) -> Usage:
    return Usage(input_tokens, output_tokens, tuple(details.items()))


def priced(counted: Usage, pricing: object = None, model: str = SLUG, **more: Any) -> Decimal | None:
    """A usage at a model's prices, by way of the catalogue."""
    listed = {**PRICING, **more} if pricing is None else pricing
    return estimate(read_catalogue({"data": [{"id": SLUG, "pricing": listed}]}), counted, model)


@pytest.mark.parametrize(
    ("counted", "pricing", "expected"),
    [
        # a payload seen live: 34,613 x 2e-6 + 128 x 0.3e-6 + 3,869 x 6e-6, with reasoning inside the output
        (usage(34741, 3869, cache_read=128, reasoning=38), {}, "0.0924784"),
        (usage(10, 20), {}, "0.00014"),
        (usage(10), {}, "0.00002"),
        (usage(None, 20), {}, "0.00012"),
        (usage(0, 0), {}, "0"),
        # 100 cached at the plain price where none is listed apart
        (usage(100, 0, cache_read=100), {"input_cache_read": None}, "0.0002"),
        # 50 plain x 2e-6 + 30 written x 2.5e-6 + 20 cached x 0.3e-6
        (usage(100, 0, cache_read=20, cache_write=30), {"input_cache_write": "0.0000025"}, "0.000181"),
        # 90 plain x 2e-6 + 10 of sound x 1e-5
        (usage(100, 0, audio_input=10), {"audio": "0.00001"}, "0.00028"),
        (usage(100, 0, audio_input=10), {}, "0.0002"),
        # 60 plain x 6e-6 + 40 of reasoning x 1e-5; a listed 0 means that it is not priced apart
        (usage(0, 100, reasoning=40), {"internal_reasoning": "0.00001"}, "0.00076"),
        (usage(0, 100, reasoning=40), {"internal_reasoning": "0"}, "0.0006"),
        # the call itself
        (usage(10, 20), {"request": "0.005"}, "0.00514"),
        # (10 x 2e-6 + 20 x 6e-6) x 0.75
        (usage(10, 20), {"discount": 0.25}, "0.000105"),
        (usage(10, 20), {"discount": 1}, "0"),
        # a free model
        (usage(10, 20), {"prompt": "0", "completion": "0", "input_cache_read": "0"}, "0"),
        # more cached than there was: the plain part is never negative
        (usage(10, 0, cache_read=20), {}, "0.000006"),
        # numbers instead of text
        (usage(10, 20), {"prompt": 2e-06, "completion": 6e-06}, "0.00014"),
    ],
)
def test_tokens_are_priced_as_a_hand_would(counted: Usage, pricing: dict[str, Any], expected: str) -> None:
    assert priced(counted, **pricing) == Decimal(expected)


def test_thirds_of_a_cent_add_up_where_floats_do_not() -> None:
    assert Prices(Decimal("0.1"), Decimal("0.2")).of(usage(1, 1)) == Decimal("0.3")


@pytest.mark.parametrize(
    "pricing",
    [
        {"prompt": "-1", "completion": "-1"},  # how routers are listed
        {"prompt": "0.000002", "completion": "-0.000006"},
        {"prompt": "free", "completion": "0"},
        {"prompt": None, "completion": "0"},
        {"prompt": "NaN", "completion": "Infinity"},
        {"prompt": "0.000002"},
        {**PRICING, "discount": 1.5},
        {},
        None,
        "cheap",
        7,
    ],
)
def test_prices_that_cannot_be_are_none(pricing: object) -> None:
    assert read_prices(pricing) is None
    assert read_catalogue({"data": [{"id": SLUG, "pricing": pricing}]}) == {}


@pytest.mark.parametrize("models", [None, 7, [], {}, {"data": None}, {"data": [None, 7, {}, {"id": SLUG}]}])
def test_a_catalogue_of_nonsense_is_empty(models: object) -> None:
    assert read_catalogue(models) == {}


# --- overrides: prices that hold for long prompts ---
LONG: dict[str, Any] = {"min_prompt_tokens": 1000, "prompt": "0.000004", "completion": "0.000009"}
LONGER: dict[str, Any] = {"min_prompt_tokens": 5000, "prompt": "0.000008"}


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (999, "0.002004"),  # 999 x 2e-6 + 1 x 6e-6
        (1000, "0.002006"),  # not yet: strictly greater
        (1001, "0.004013"),  # 1,001 x 4e-6 + 1 x 9e-6
        (5000, "0.020009"),
        (5001, "0.040017"),  # 5,001 x 8e-6; the output's price is still the first override's
    ],
)
@pytest.mark.parametrize("overrides", [[LONG, LONGER]])
def test_longer_prompts_are_priced_by_the_overrides_they_exceed(
    tokens: int, expected: str, overrides: list[dict[str, Any]]
) -> None:
    assert priced(usage(tokens, 1), overrides=overrides) == Decimal(expected)


def test_of_overrides_that_hold_together_the_later_one_wins_by_key() -> None:
    # 6,000 x 4e-6 + 1 x 9e-6: LONG is listed last
    assert priced(usage(6000, 1), overrides=[LONGER, LONG]) == Decimal("0.024009")
    assert priced(usage(2000, 1), overrides=[LONGER, LONG]) == Decimal("0.008009")


def test_an_override_leaves_alone_what_it_does_not_name() -> None:
    # 900 plain x 8e-6 + 5,100 cached x 0.3e-6 + 1 x 6e-6
    assert priced(usage(6000, 1, cache_read=5100), overrides=[LONGER]) == Decimal("0.008736")


def test_an_override_that_cannot_be_leaves_long_prompts_without_a_price() -> None:
    overrides = [{**LONG, "prompt": "-1"}]

    assert priced(usage(1000, 1), overrides=overrides) == Decimal("0.002006")
    assert priced(usage(1001, 1), overrides=overrides) is None


@pytest.mark.parametrize(
    "override",
    [
        {**LONG, "utc_start": 1630, "utc_end": 30},
        {**LONG, "utc_days": [0, 6]},
        {"prompt": "0.000001"},
        {**LONG, "min_prompt_tokens": "many"},
        "nonsense",
    ],
)
def test_overrides_of_certain_hours_are_left_out(override: object) -> None:
    assert priced(usage(2000, 1), overrides=[override]) == Decimal("0.004006")


# --- models ---
def test_a_model_nobody_lists_has_no_price() -> None:
    assert priced(usage(10, 20), model="acme/other") is None
    assert priced(usage(10, 20), model="") is None


def test_a_variant_costs_what_its_model_does_unless_listed() -> None:
    listed = [
        {"id": SLUG, "pricing": PRICING},
        {"id": f"{SLUG}:thinking", "pricing": {**PRICING, "completion": "0.00001"}},
    ]
    catalogue = read_catalogue({"data": listed})

    assert estimate(catalogue, usage(10, 20), f"{SLUG}:nitro") == Decimal("0.00014")
    assert estimate(catalogue, usage(10, 20), f"{SLUG}:thinking") == Decimal("0.00022")


def test_a_free_variant_never_costs_what_its_model_does() -> None:
    assert priced(usage(10, 20), model=f"{SLUG}:free") is None
