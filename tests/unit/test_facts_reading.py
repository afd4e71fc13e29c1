"""Looking at SDK models and plain JSON alike, without raising and without guessing."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from openai.types.chat import ChatCompletion

from openrouter_otel.facts.reading import field, items, money, path, text, whole

MODEL = ChatCompletion.model_construct(id="gen-1", provider="OpenAI", usage=None)


class Touchy:
    """Somebody's object that breaks when its properties are touched."""

    @property
    def id(self) -> str:
        raise RuntimeError("lazy")


@pytest.mark.parametrize(
    ("thing", "name", "expected"),
    [
        ({"id": "x"}, "id", "x"),
        ({}, "id", None),
        (MODEL, "id", "gen-1"),
        (MODEL, "provider", "OpenAI"),  # an extra, which the SDK does not declare
        (MODEL, "nothing", None),
        (SimpleNamespace(id="x"), "id", "x"),
        (None, "id", None),
        ("text", "id", None),
        (7, "real", None),
        ([1], "id", None),
        (Touchy(), "id", None),
    ],
)
def test_a_field_is_a_member_a_declared_or_an_extra_field_and_never_a_property(
    thing: object, name: str, expected: object
) -> None:
    assert expected == field(thing, name)


def test_a_path_ends_where_something_is_missing() -> None:
    tree = {"a": {"b": {"c": 1}}, "text": "t"}

    assert path(tree, "a.b.c") == 1
    assert path(tree, "a.x.c") is None
    assert path(tree, "text.b.c") is None
    assert path(None, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), ("", None), (None, None), (7, None), (b"a", None), ([], None)]
)
def test_a_text_is_a_string_that_says_something(value: object, expected: str | None) -> None:
    assert expected == text(value)


@pytest.mark.parametrize(
    ("value", "expected"), [([1], [1]), ((1,), (1,)), (None, ()), ("ab", ()), ({"a": 1}, ()), (iter([1]), ())]
)
def test_items_are_those_of_an_array_and_nothing_else(value: object, expected: object) -> None:
    assert expected == items(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (12, 12),
        ("12", 12),
        (3.0, 3),
        ("3.0", 3),
        (3.5, None),
        (-1, None),
        ("-1", None),
        (True, None),
        (False, None),
        (None, None),
        ("many", None),
        ("", None),
        (float("nan"), None),
        (float("inf"), None),
        ({}, None),
        (10**400, None),  # no count of anything, and more than a float can show
        ("1e999999", None),
    ],
)
def test_a_count_is_a_whole_number_or_unknown(value: object, expected: int | None) -> None:
    assert expected == whole(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, Decimal(0)),
        (0.0, Decimal("0.0")),
        (0.1, Decimal("0.1")),  # its text, not its binary value
        (4.25e-05, Decimal("0.0000425")),
        (1e-12, Decimal("1e-12")),
        ("0.000000000001", Decimal("1e-12")),
        (Decimal("1.23"), Decimal("1.23")),
        (2, Decimal(2)),
        (-0.01, None),
        ("-1", None),
        (float("nan"), None),
        (float("-inf"), None),
        ("NaN", None),
        ("sNaN", None),
        (Decimal("Infinity"), None),
        (True, None),
        (False, None),
        (None, None),
        ("free", None),
        ("", None),
        ([0.1], None),
        (10**400, None),
        ("1e400", None),
    ],
)
def test_an_amount_is_exact_or_unknown(value: object, expected: Decimal | None) -> None:
    assert expected == money(value)
