"""Columns of a terminal: counted as terminals count them, and never exceeded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from openrouter_otel.reporting.render import columns

TEXTS = some.text(some.sampled_from("ab/-.漢🚀ก\u0e31e\u0301한\u1100\u1161ش\u064e"), max_size=60)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("alice", 5),
        ("漢字", 4),
        ("\uff46\uff55", 4),  # full width
        ("한국", 4),
        ("\u1112\u1161\u11ab", 2),
        ("🚀", 2),
        ("🇩🇪", 2),
        ("e\u0301", 1),
        ("ไทยน้ำ", 5),
        ("مُحَمَّد", 4),
        ("①", 1),
    ],
)
def test_a_text_takes_as_many_columns_as_a_terminal_gives_it(text: str, taken: int) -> None:
    """These are where tmux' cursor stood behind them."""
    assert columns.width(text) == taken
    assert columns.padded(text, 20) == text + " " * (20 - taken)


@given(TEXTS, some.integers(2, 30))
def test_what_is_cut_fits_and_says_so(text: str, room: int) -> None:
    start, end = columns.cut(text, room), columns.cut_before(text, room)
    assert max(columns.width(start), columns.width(end)) <= room
    if columns.width(text) <= room:
        assert start == end == text
    else:
        assert start[-1] == end[0] == "…"
        assert text.startswith(start[:-1])
        assert text.endswith(end[1:])


@given(TEXTS, some.integers(2, 30))
def test_what_is_folded_fits_in_two_lines(text: str, room: int) -> None:
    lines = columns.folded(text, room).split("\n")
    assert len(lines) <= 2
    assert max(map(columns.width, lines)) <= room
    start, sign, end = "".join(lines).partition("…")
    assert text == start or (sign and text.startswith(start) and text.endswith(end))


def test_a_long_name_goes_on_behind_a_mark_and_loses_its_middle_last_of_all() -> None:
    name = "nousresearch/hermes-4-405b-instruct-extended-preview:free"
    assert columns.folded(name, 33).split("\n") == ["nousresearch/hermes-4-405b-", "instruct-extended-preview:free"]
    assert columns.folded(name, 29).split("\n") == ["nousresearch/hermes-4-405b-in", "struct-extended-preview:free"]
    assert columns.folded(name, 20).split("\n") == ["nousresearch/hermes…", "xtended-preview:free"]
