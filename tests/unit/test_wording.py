"""English around numbers."""

from __future__ import annotations

import pytest

from openrouter_otel.wording import counted


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(0, "call", "0 calls"), (1, "call", "1 call"), (2, "process", "2 processes"), (12_345, "call", "12,345 calls")],
)
def test_a_number_of_things(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said
