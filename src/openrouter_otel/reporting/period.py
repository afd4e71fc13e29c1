"""Words like ``30d``, ``2026-11-01`` or ``last-month`` -> intervals on the source's clock.

An instant is an ``int`` of milliseconds since the epoch, as Prometheus stores it: no float ever decides which side of
an edge a sample is on. Intervals are half-open ``(since, until]``: a sample at midnight belongs to the day that ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC: Final = timezone.utc
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
DEFAULT_DAYS: Final = 30
LONGEST: Final = 3660 * DAY
YEARS: Final = range(2000, 2101)
UNITS: Final = {"m": HOUR // 60, "h": HOUR, "d": DAY, "w": 7 * DAY}
TAKES: Final = "30d, 24h, 2026-11-01, today, this-week, last-week, this-month, last-month or an ISO time"


class PeriodError(ValueError):
    """A period or time zone that cannot be understood; the text is one sentence for the user."""


@dataclass(frozen=True)
class Interval:
    """Half-open ``(since, until]`` in milliseconds since the epoch."""

    since: int
    until: int

    def __contains__(self, instant: int) -> bool:
        return self.since < instant <= self.until


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name; PeriodError if there is none."""
    if name.upper() == "UTC":
        return UTC  # needs no time zone database, which Windows has not
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PeriodError(f"--tz {name!r} is not a known time zone, such as Europe/Berlin") from error


def midnight(day: date, tz: tzinfo) -> int:
    """The first instant of a local day, also where the clock skips or repeats midnight."""
    return round(datetime.combine(day, time(), tz).timestamp() * 1000)


def local(instant: int, tz: tzinfo) -> datetime:
    """The wall clock at an instant."""
    return datetime.fromtimestamp(instant / 1000, tz)


def iso(instant: int, tz: tzinfo) -> str:
    """ISO 8601 with the zone's offset, to the second where that is all there is."""
    return local(instant, tz).isoformat(timespec="milliseconds" if instant % 1000 else "seconds")


def days(interval: Interval, tz: tzinfo) -> Iterator[date]:
    """The local days an interval touches, in order."""
    day, last = local(interval.since, tz).date(), local(interval.until - 1, tz).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """The period as asked for, not yet tied to a clock; parse it before bothering the source.

    Attributes:
        since: word for its start; None for local midnight 29 days ago.
        until: word for its end; None for now.
        tz: the zone that days, weeks and months are local to.
        calendar: ``day``, ``week``, ``month``: whose running one (`running`) is of interest besides.
        utc_days: whether the days of UTC are of interest besides those of `tz`.
    """

    since: str | None
    until: str | None
    tz: tzinfo
    calendar: frozenset[str] = frozenset()
    utc_days: bool = False

    def __post_init__(self) -> None:
        for option, word in (("--since", self.since), ("--until", self.until)):
            if word is not None:
                _span(option, word, 0, self.tz)

    def at(self, now: int) -> Interval:
        """The interval meant at `now` (ms); PeriodError if it is empty, in the future or longer than ten years."""
        first_day = local(now, self.tz).date() - timedelta(days=DEFAULT_DAYS - 1)
        since = midnight(first_day, self.tz) if self.since is None else _span("--since", self.since, now, self.tz)[0]
        until = now if self.until is None else min(now, _span("--until", self.until, now, self.tz)[1])
        if since >= now:
            raise PeriodError(f"--since {self.since} lies in the future")
        if until <= since:
            raise PeriodError(f"--until {self.until or 'now'} is not after --since {self.since or '30 days ago'}")
        if until - since > LONGEST:
            raise PeriodError(f"--since {self.since} asks for more than ten years")
        return Interval(since, until)

    def besides(self, now: int) -> set[int]:
        """Instants at which figures must be known apart, besides those of the period itself."""
        edges = {running(kind, now).since for kind in self.calendar}
        return edges | {midnight(day, UTC) for day in days(self.at(now), UTC)} if self.utc_days else edges

    def before(self, period: Interval) -> Interval:
        """The period to compare with: never reaching into this one, and cut short where this one still runs.

        A calendar word is compared with the span before it and whole months with as many months before. Whatever else
        starts at midnight is compared with as many days before, so that the same hours of the day meet; all the rest
        with what came just before.
        """
        length = period.until - period.since
        found = self._days_before(period)
        if found is None:
            return Interval(period.since - length, period.since)
        first, whole = found
        since = midnight(first, self.tz)
        return Interval(since, period.since if whole else min(since + length, period.since))

    def _days_before(self, period: Interval) -> tuple[date, bool] | None:
        """The day on which the span before begins, and whether it counts as a whole; None: no calendar says so."""
        first = local(period.since, self.tz).date()
        if midnight(first, self.tz) != period.since:
            return None
        after = local(period.until - 1, self.tz).date() + timedelta(days=1)
        over = midnight(after, self.tz) == period.until
        kind = KINDS.get(self.since or "")
        if kind is not None and after <= kind(first)[1]:
            return kind(first - timedelta(days=1))[0], over and after == kind(first)[1]
        if over and first.day == after.day == 1:
            return _months_before(first, _months(after) - _months(first)), True
        return first - (after - first), over


def running(kind: str, now: int) -> Interval:
    """The UTC ``day``, ``week`` (from Monday) or ``month`` that `now` (ms) is in, from its start to its end."""
    first, after = CALENDAR[kind](local(now - 1, UTC).date())
    return Interval(midnight(first, UTC), midnight(after, UTC))


def month(now: int, tz: tzinfo) -> Interval:
    """The running local month, up to now."""
    return Interval(midnight(local(now, tz).date().replace(day=1), tz), now)


def month_end(now: int, tz: tzinfo) -> int:
    """When the running local month ends."""
    return midnight(_month(local(now, tz).date())[1], tz)


def _span(option: str, word: str, now: int, tz: tzinfo) -> tuple[int, int]:
    """First and last instant of what a word names: equal for a moment, a day apart for a date."""
    today = local(now, tz).date()
    if word in KINDS:
        first, after = _named(word, today)
        return midnight(first, tz), midnight(after, tz)
    if rolling := re.fullmatch(r"(\d{1,7})([mhdw])", word):
        moment = now - int(rolling[1]) * UNITS[rolling[2]]
        return moment, moment
    return _iso(option, word, tz)


def _iso(option: str, word: str, tz: tzinfo) -> tuple[int, int]:
    if not re.match(r"\d{4}-\d\d-\d\d", word):
        raise PeriodError(f"{option} {word!r} is not a period; it takes {TAKES}")
    try:
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", word))
    except ValueError as error:
        raise PeriodError(f"{option} {word!r} is not a date; it takes {TAKES}") from error
    if moment.year not in YEARS:
        raise PeriodError(f"{option} {word!r} is outside the years {YEARS.start} to {YEARS.stop - 1}")
    if len(word) == len("2026-11-01"):
        return midnight(moment.date(), tz), midnight(moment.date() + timedelta(days=1), tz)
    instant = round((moment if moment.tzinfo else moment.replace(tzinfo=tz)).timestamp() * 1000)
    return instant, instant


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _week(day: date) -> tuple[date, date]:
    return monday(day), monday(day) + timedelta(days=7)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _months_before(day: date, count: int) -> date:
    year, month0 = divmod(_months(day) - count, 12)
    return date(year, month0 + 1, 1)


CALENDAR: Final[dict[str, Callable[[date], tuple[date, date]]]] = {"day": _day, "week": _week, "month": _month}
# What kind of span a word names, and that span: its first day and the day after its last.
KINDS: Final[dict[str, Callable[[date], tuple[date, date]]]] = {
    "today": _day,
    "yesterday": _day,
    "this-week": _week,
    "last-week": _week,
    "this-month": _month,
    "last-month": _month,
}
PAST: Final = frozenset({"yesterday", "last-week", "last-month"})


def _named(word: str, today: date) -> tuple[date, date]:
    running = KINDS[word](today)
    return KINDS[word](running[0] - timedelta(days=1)) if word in PAST else running
