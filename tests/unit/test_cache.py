"""The cache: a second report is the same and cheaper, and whatever happens to the file, no figure is wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from histories import MINUTE, RESTART, UNIQUE, VALUES, History, history
from openrouter_otel import names
from openrouter_otel.reporting import books, scan
from openrouter_otel.reporting.cache import VERSION
from openrouter_otel.reporting.evidence import ROLLING, Evidence, SourceError
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.period import DAY, HOUR, Asked, Interval, local
from simulated_prometheus import Sample, SimulatedPrometheus

NOW = 1_795_400_123_456
TZ = ZoneInfo("Asia/Kolkata")
ASKED = Asked(None, None, TZ)
TOLD = history(7, NOW, UNIQUE, days=5, targets=2, step=20 * MINUTE)


def read(source: SimulatedPrometheus, cache: Path | None, filters: Filters = Filters()) -> Evidence:  # noqa: B008
    return scan.read(source, ASKED, filters, cache)


def until(told: History, now: int, since: int = 0) -> SimulatedPrometheus:
    """The source as it was at an earlier time, or as it is when it has forgotten."""
    return SimulatedPrometheus((one for one in told.samples() if since < one.at <= now), now)


def figures(found: Evidence) -> dict[str, object]:
    """Everything that could be wrong."""
    spans = [found.period, found.previous, found.month, Interval(-1, found.now)]
    spans += [Interval(found.now - length, found.now) for length in ROLLING.values()]
    made: dict[str, object] = {}
    for name, book in found.books.items():
        inside = spans[:1] if name.endswith("_bucket") else spans
        made[name] = [{one.labels: sum_ for one, sum_ in book.within(span).items() if sum_} for span in inside]
        if not name.endswith("_bucket"):
            made[f"{name} by day"] = {day: sums.sum() for day, sums in book.by_day(found.period, found.tz).items()}
    hours: Counter[datetime] = Counter()
    for at, amount in found.books[names.REQUESTS.prometheus].over_time(found.period).items():
        hours[local(at - 1, found.tz).replace(minute=0, second=0, microsecond=0)] += int(amount)
    made["hours"] = hours
    made["coverage"] = found.coverage
    made["spreads"] = found.distributions.of(names.DURATION, books.model)
    return made


@pytest.mark.parametrize("kind", [UNIQUE, RESTART, VALUES])
@pytest.mark.parametrize("later", [0, 20 * MINUTE, 5 * HOUR, 3 * DAY])
def test_a_later_report_is_the_same_with_a_cache_and_asks_less(tmp_path: Path, kind: str, later: int) -> None:
    told = history(11, NOW, kind, days=5, targets=2, step=20 * MINUTE)
    cache = tmp_path / "cache" / "report.sqlite"
    first = until(told, NOW - later)
    assert figures(read(first, cache)) == figures(read(until(told, NOW - later), None))
    bare, warm = until(told, NOW), until(told, NOW)
    found = read(warm, cache)
    expected = figures(read(bare, None))
    assert set(figures(found)) == set(expected)
    for name, made in figures(found).items():
        assert made == expected[name], name
    assert found.notes == ()
    assert warm.samples_read < bare.samples_read / (1 if later > DAY else 2)
    assert stat.S_IMODE(os.stat(cache).st_mode) == 0o600


def test_filters_apply_to_what_was_kept_unfiltered(tmp_path: Path) -> None:
    cache = tmp_path / "report.sqlite"
    filters = Filters(model="openai/gpt-5", service="shop")
    read(until(TOLD, NOW - DAY), cache, Filters(user="alice"))
    found = read(until(TOLD, NOW), cache, filters)
    assert figures(found) == figures(read(until(TOLD, NOW), None, filters))
    assert figures(read(until(TOLD, NOW), cache)) == figures(read(until(TOLD, NOW), None))


def test_all_time_outlives_what_the_source_keeps(tmp_path: Path) -> None:
    cache = tmp_path / "report.sqlite"
    read(until(TOLD, NOW - DAY), cache)
    forgetful = until(TOLD, NOW, since=NOW - 2 * DAY)
    expected = read(until(TOLD, NOW), None)
    found = read(forgetful, cache)
    assert found.data_since == expected.data_since
    for metric in (names.REQUESTS.prometheus, names.COST.prometheus):
        for span in (found.interval("all_time"), found.period, Interval(NOW - DAY, NOW)):
            assert found.books[metric].within(span).sum() == expected.books[metric].within(span).sum()


def test_another_prometheus_at_the_same_address_is_noticed(tmp_path: Path) -> None:
    cache = tmp_path / "report.sqlite"
    read(until(TOLD, NOW - HOUR), cache)
    other = history(8, NOW, UNIQUE, days=4, targets=2, step=20 * MINUTE)
    found = read(until(other, NOW), cache)
    assert figures(found) == figures(read(until(other, NOW), None))
    assert "discarded" in found.notes[0]
    again = read(until(other, NOW), cache)
    assert (figures(again), again.notes) == (figures(found), ())


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def _other_version(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute(f"PRAGMA user_version = {VERSION + 1}")
    file.close()


def _torn(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("UPDATE told SET body = substr(body, 1, length(body) / 2)")
    file.close()


@pytest.mark.parametrize(
    ("harm", "said"), [(_garbage, "is damaged"), (_torn, "is damaged"), (_other_version, "another version")]
)
def test_a_damaged_or_foreign_file_is_said_so_and_made_anew(
    tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    cache = tmp_path / "report.sqlite"
    read(until(TOLD, NOW), cache)
    harm(cache)
    found = read(until(TOLD, NOW), cache)
    assert figures(found) == figures(read(until(TOLD, NOW), None))
    assert said in " ".join(found.notes)
    assert read(until(TOLD, NOW), cache).notes == ()


def test_what_cannot_be_written_is_a_note_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = read(until(TOLD, NOW), tmp_path / "file" / "report.sqlite")
    assert figures(found) == figures(read(until(TOLD, NOW), None))
    assert "cannot be used" in found.notes[0]


def test_of_two_runs_at_once_one_writes_and_both_are_right(tmp_path: Path) -> None:
    cache = tmp_path / "report.sqlite"
    read(until(TOLD, NOW - DAY), cache)
    expected = figures(read(until(TOLD, NOW), None))

    class Interrupted(SimulatedPrometheus):
        """While it is being asked, another run is made from beginning to end."""

        other: Evidence | None = None

        def now(self) -> int:
            if self.other is None:
                self.other = read(until(TOLD, NOW - HOUR), cache)
            return super().now()

    slow = Interrupted(TOLD.samples(), NOW)
    assert figures(read(slow, cache)) == expected
    assert figures(read(until(TOLD, NOW), cache)) == expected


def test_a_run_that_fails_leaves_the_cache_as_it_was(tmp_path: Path) -> None:
    cache = tmp_path / "report.sqlite"

    class Failing(SimulatedPrometheus):
        def instant(self, query: str, at: int) -> list[Reading]:
            if names.COST.prometheus in query:
                raise SourceError("it broke")
            return super().instant(query, at)

    with pytest.raises(SourceError):
        read(Failing(TOLD.samples(), NOW), cache)
    assert figures(read(until(TOLD, NOW), cache)) == figures(read(until(TOLD, NOW), None))


def test_tenants_and_time_zones_are_kept_apart(tmp_path: Path) -> None:
    cache = tmp_path / "report.sqlite"
    read(until(TOLD, NOW), cache)
    other = history(9, NOW, UNIQUE, days=3, targets=1)
    tenant = until(other, NOW)
    tenant.key = "another"
    assert figures(read(tenant, cache)) == figures(read(until(other, NOW), None))
    utc = Asked(None, None, ZoneInfo("America/New_York"))
    kept, bare = (scan.read(until(TOLD, NOW), utc, Filters(), path) for path in (cache, None))
    assert figures(kept) == figures(bare)
    assert kept.notes == ()


def test_nothing_of_the_open_hour_is_kept(tmp_path: Path) -> None:
    """A sample that comes late, but within the out-of-order window, still counts in the next report."""
    cache = tmp_path / "report.sqlite"
    labels = {"process": "p", "model": "m", "outcome": "ok"}
    hour = NOW - NOW % HOUR + HOUR // 2  # on the hour in India
    early = [Sample(names.REQUESTS.prometheus, labels, hour - 3 * HOUR, "1")]
    late = Sample(names.REQUESTS.prometheus, labels, hour - MINUTE, "5")
    read(SimulatedPrometheus(early, hour + 5 * MINUTE), cache)
    found = read(SimulatedPrometheus([*early, late], hour + 12 * MINUTE), cache)
    assert found.books[names.REQUESTS.prometheus].within(found.period).sum() == 5
