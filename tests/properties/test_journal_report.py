"""Any calls, any period, zone and filter: the report from a journal is a plain recount of the calls."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal.recount import KEYS, Called, check
from journal.resolving import resolve
from openrouter_otel.emit.entries import entry
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.response import Answer
from openrouter_otel.facts.usage import Usage
from openrouter_otel.journal.writing import Source, Writer
from openrouter_otel.record import Attribution, Record, cost_source
from openrouter_otel.reporting import figures
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.journal import scan
from openrouter_otel.reporting.period import DAY, HOUR, Asked, zone

NOW = 1_795_400_123_456
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe")
PERIODS = (
    (None, None),
    ("26h", None),
    ("90m", None),
    ("30d", "90m"),
    ("2026-11-01", "2026-11-11"),
    ("2026-11-10T11:20:30", "2026-11-10T11:50:00"),
    ("today", None),
    ("last-month", None),
)
MONEY = ("0.1", "0.00030000000000000003", "1.2345678901234567e-05", "12.5", "0", "7e-24")
EDGES = [NOW - length for length in (0, HOUR, DAY, 7 * DAY, 30 * DAY)]
EDGES += [NOW // HOUR * HOUR - back * HOUR for back in (0, 1, 23, 24, 25, 200)]
EDGES += [edge + HOUR // 2 for edge in EDGES[5:]]
at_edges = st.builds(lambda edge, off: edge + off, st.sampled_from(EDGES), st.sampled_from((-1, 0, 0, 1)))
instants = st.one_of(at_edges, at_edges, st.integers(NOW - 70 * DAY, NOW))
usages = st.builds(
    lambda tokens, cached, cost, byok: Usage(
        tokens, tokens // 3, (("cache_read", cached),) if cached else (), cost, byok is not None, byok
    ),
    st.integers(0, 5000),
    st.integers(0, 40),
    st.one_of(st.none(), st.sampled_from(MONEY).map(Decimal)),
    st.one_of(st.none(), st.none(), st.sampled_from(MONEY).map(Decimal)),
)
seconds = st.one_of(st.sampled_from((0.5, 1.0, 0.1 + 0.2, 2.0)), st.floats(0.001, 600))


durations = st.one_of(st.none(), seconds)
tags = st.sampled_from(({}, {"team": "search"}, {"team": "ads", "n": "1"}))


@st.composite
def calls(draw: st.DrawFn) -> Called:
    """One call, however it ended."""
    outcome = draw(st.sampled_from(("ok", "ok", "ok", "error", "abandoned", "cancelled")))
    kind = draw(st.sampled_from(("http_502", "APITimeoutError")))
    failure = Failure(kind, "oh", None, True) if outcome == "error" else None
    usage = draw(usages if outcome == "ok" else st.one_of(st.none(), usages))
    duration = draw(durations)
    first = draw(durations) if duration is not None else None
    answer = Answer(
        id="gen",
        model=draw(st.sampled_from((None, "a/one", "c/three"))),
        provider=draw(st.sampled_from((None, "P", "Q"))),
        finish_reasons=(draw(st.sampled_from(("stop", "length"))),),
        usage=usage,
        failure=failure,
    )
    record = Record(
        Request("chat", draw(st.sampled_from(("a/one", "b/two"))), first is not None, "openrouter.ai", None),
        Attribution(
            draw(st.sampled_from((None, "alice", "bob"))), draw(st.sampled_from((None, "s1", "s2"))), draw(tags)
        ),
        answer,
        outcome,
        cost_source(usage, outcome, failure),
        failure,
        draw(instants) * 1_000_000 - round((duration or 0) * 1e9),
        duration,
        first,
    )
    found_out = None
    if record.cost_source == "unknown" and usage is None and draw(st.booleans()):
        found_out = Decimal(draw(st.sampled_from(MONEY)))
    return Called(record, draw(st.sampled_from(("shop", "api"))), found_out)


def written(path: Path, told: list[Called]) -> None:
    """A journal of these calls, by as many writers as there are services; prices found later are booked later."""
    rows: list[Called] = []
    for service in ("shop", "api"):
        writer = Writer(str(path), Source(f"of {service}", None, service, "", "production"))
        of_service = [call for call in told if call.service == service]
        writer.write([entry(call.record, ("team",)) for call in of_service])
        writer.close()
        rows += of_service
    with closing(sqlite3.connect(path)) as connection, connection:
        for number, call in enumerate(rows, 1):
            if call.resolved is not None:
                resolve(connection, number, call.resolved, NOW)


@st.composite
def filters(draw: st.DrawFn) -> tuple[Filters, Callable[[Called], bool]]:
    """A filter, and which calls pass it."""
    by = draw(st.sampled_from((None, None, *KEYS)))
    if by is None:
        return Filters(), lambda _: True
    value = draw(st.sampled_from(("alice", "anonymous") if by == "user" else CHOICES[by]))
    known = {by: value} if by != "tag.team" else {"label": {by: value}}
    return Filters(**known), lambda call: KEYS[by](call) == value


CHOICES = {
    "model": ("a/one", "b/two", "c/three"),
    "provider": ("P", "Q", "(unknown)"),
    "tag.team": ("search", "(unknown)"),
    "service": ("shop", "api"),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    told=st.lists(calls(), min_size=1, max_size=30),
    span=st.sampled_from(PERIODS),
    tz=st.sampled_from(ZONES),
    chosen=filters(),
    group_by=st.sampled_from((None, *KEYS)),
)
def test_a_report_is_a_plain_recount(
    told: list[Called],
    span: tuple[str | None, str | None],
    tz: str,
    chosen: tuple[Filters, Callable[[Called], bool]],
    group_by: str | None,
) -> None:
    asked, (only, passes) = Asked(*span, zone(tz)), chosen
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "usage.db"
        written(path, told)
        found = scan.read(str(path), asked, only, 10, NOW)
        report = figures.report(found, Wanted(tz, 10, only, group_by), datetime.now(timezone.utc))

    assert report.accounting.identity == "journal"
    check(report, [call for call in told if passes(call)], NOW, asked.at(NOW), zone(tz))
