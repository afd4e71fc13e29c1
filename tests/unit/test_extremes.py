"""Shortest and longest over this and the previous minute."""

from __future__ import annotations

import pytest

from openrouter_otel.emit.extremes import Extremes
from openrouter_otel.emit.series import Series

SERIES = Series({})


def extremes(*seen: tuple[int, float]) -> Extremes:
    known = Extremes()
    for minute, value in seen:
        known.saw(SERIES, minute, value)
    return known


def both(known: Extremes, minute: int) -> tuple[float | None, float | None]:
    return known.extreme(SERIES, minute, longest=False), known.extreme(SERIES, minute, longest=True)


@pytest.mark.parametrize(
    ("seen", "now", "expected"),
    [
        ([], 5, (None, None)),
        ([(5, 2.0)], 5, (2.0, 2.0)),
        ([(5, 2.0), (5, 1.0), (5, 3.0)], 5, (1.0, 3.0)),
        # --- the previous minute still shows, the one before it does not ---
        ([(5, 2.0)], 6, (2.0, 2.0)),
        ([(5, 2.0)], 7, (None, None)),
        ([(5, 1.0), (6, 2.0)], 6, (1.0, 2.0)),
        ([(5, 1.0), (6, 2.0)], 7, (2.0, 2.0)),
        ([(5, 9.0), (6, 2.0)], 6, (2.0, 9.0)),
        ([(5, 1.0), (7, 2.0)], 7, (2.0, 2.0)),
        ([(4, 9.0), (5, 1.0), (6, 2.0)], 6, (1.0, 2.0)),
        # --- a call that ended in the last minute, told after one of this minute ---
        ([(6, 2.0), (5, 1.0)], 6, (1.0, 2.0)),
        ([(6, 2.0), (5, 9.0), (5, 1.0)], 6, (1.0, 9.0)),
        ([(5, 3.0), (6, 2.0), (5, 1.0)], 6, (1.0, 3.0)),
        ([(6, 2.0), (5, 9.0)], 7, (2.0, 2.0)),
        ([(6, 2.0), (4, 9.0)], 6, (2.0, 2.0)),
        # --- nothing takes no time ---
        ([(5, 0.0)], 5, (0.0, 0.0)),
        ([(5, 0.0), (6, 1.0)], 6, (0.0, 1.0)),
    ],
)
def test_the_extremes_of_this_minute_and_the_one_before(
    seen: list[tuple[int, float]], now: int, expected: tuple[float | None, float | None]
) -> None:
    assert both(extremes(*seen), now) == expected


def test_series_do_not_mix() -> None:
    known, other = extremes((5, 1.0)), Series({})
    known.saw(other, 5, 7.0)

    assert both(known, 5) == (1.0, 1.0)
    assert known.extreme(other, 5, longest=False) == 7.0
