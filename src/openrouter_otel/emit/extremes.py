"""Shortest and longest call of this and the previous minute: no scrape interval of up to a minute misses one."""

from __future__ import annotations

from typing import NamedTuple

from openrouter_otel.emit.series import Series


class _Minute(NamedTuple):
    minute: int
    low: float
    high: float
    previous_low: float | None
    previous_high: float | None


class Extremes:
    """Per series the extremes of this minute and the one before; minutes are counted since the epoch."""

    def __init__(self) -> None:
        self._minutes: dict[Series, _Minute] = {}

    def saw(self, series: Series, minute: int, value: float) -> None:
        """Take in one value."""
        known = self._minutes.get(series)
        if known is None or known.minute < minute:
            self._minutes[series] = _Minute(minute, value, value, *_of_the_minute_before(known, minute))
        elif known.minute == minute:
            self._minutes[series] = known._replace(low=min(known.low, value), high=max(known.high, value))
        elif known.minute == minute + 1:  # ended before the minute did, told after
            low, high = known.previous_low, known.previous_high
            self._minutes[series] = known._replace(
                previous_low=value if low is None else min(low, value),
                previous_high=value if high is None else max(high, value),
            )

    def extreme(self, series: Series, minute: int, *, longest: bool) -> float | None:
        """The extreme as of `minute`; None where neither minute saw a call."""
        known = self._minutes.get(series)
        if known is None or known.minute < minute - 1:
            return None
        if longest:
            return max(known.high, known.previous_high or 0.0) if known.minute == minute else known.high
        previous = known.previous_low if known.minute == minute else None
        return known.low if previous is None else min(known.low, previous)


def _of_the_minute_before(known: _Minute | None, minute: int) -> tuple[float | None, float | None]:
    return (known.low, known.high) if known is not None and known.minute == minute - 1 else (None, None)
