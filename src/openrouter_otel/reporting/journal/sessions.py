"""SQL of what single calls tell besides sums: the dearest sessions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from openrouter_otel import names
from openrouter_otel.exact import plus
from openrouter_otel.reporting.evidence import Session
from openrouter_otel.reporting.journal.opened import Journal
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.period import Interval

_SPENT: Final = """SELECT session_id, CAST(cost AS REAL) FROM calls
    WHERE ended_at >= ? AND ended_at < ? AND session_id IS NOT NULL"""
_CALLS: Final = """SELECT session_id, series_id, ended_at, cost, coalesce(input_tokens, 0) + coalesce(output_tokens, 0)
    FROM calls WHERE ended_at >= ? AND ended_at < ? AND session_id IN (SELECT session_id FROM dearest)"""
_CLOSE: Final = 1e-6  # USD that sums of floats are well within


class _Sums:
    """One session's calls, as they are added up."""

    def __init__(self) -> None:
        self.users: set[str] = set()
        self.requests = self.tokens = self.errors = 0
        self.cost: Decimal | None = None
        self.first = self.last = 0

    def add(self, user: str, failed: bool, at: int, cost: str | None, tokens: int) -> None:
        self.first = min(self.first, at) if self.requests else at
        self.last = max(self.last, at)
        self.users.add(user)
        self.requests += 1
        self.tokens += tokens
        self.errors += failed
        if cost is not None:
            self.cost = plus(Decimal(cost), self.cost or ZERO)


def dearest(journal: Journal, span: Interval, top: int) -> tuple[Session, ...]:
    """The dearest sessions, the dearest first.

    Args:
        journal: where they are.
        span: the time whose calls count (ms).
        top: how many.
    """
    spent: defaultdict[str, float] = defaultdict(float)
    for session, cost in journal.connection.execute(f"{_SPENT} {journal.asked}", (span.since, span.until)):
        spent[session] += cost or 0.0
    least = sorted(spent.values())[-top:][:1]
    candidates = [session for session, cost in spent.items() if cost >= least[0] - _CLOSE]
    found = sorted(_added_up(journal, span, candidates), key=lambda one: (-(one.cost or ZERO), one.session_id))
    return tuple(found[:top])


def _added_up(journal: Journal, span: Interval, sessions: list[str]) -> Iterator[Session]:
    """Exactly."""
    asking = journal.connection
    asking.execute("CREATE TEMP TABLE dearest (session_id TEXT PRIMARY KEY) WITHOUT ROWID")
    asking.executemany("INSERT INTO dearest VALUES (?)", ((session,) for session in sessions))
    sums: defaultdict[str, _Sums] = defaultdict(_Sums)
    for session, series, at, cost, tokens in asking.execute(f"{_CALLS} {journal.asked}", (span.since, span.until)):
        labels = journal.labels[series]
        sums[session].add(labels[names.USER], labels[names.OUTCOME] == names.ERROR, at, cost, tokens)
    for session, one in sums.items():
        yield Session(
            session, tuple(sorted(one.users)), one.requests, one.tokens, one.cost, one.errors, one.first, one.last
        )
