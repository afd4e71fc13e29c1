"""Follows one run's calls in a journal while they are written."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Final, NamedTuple

from openrouter_otel.journal.store import complaining, open_for_reading, open_for_writing


class EndedCall(NamedTuple):
    """One call of a run.

    Attributes:
        model: that served; None where none did.
        outcome: `names.OUTCOMES`.
        cost_source: `names.COST_SOURCES`.
        cost: USD to both payees; None is unknown.
        tokens: input and output, as far as told.
        duration: seconds.
    """

    model: str | None
    outcome: str
    cost_source: str
    cost: Decimal | None
    tokens: int
    duration: float | None


_NEWS: Final = """
    SELECT id, model, outcome, cost_source, cost, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0), duration
    FROM records WHERE id > ? AND run = ? ORDER BY id"""


class RunCalls:
    """The calls of one run; each is told once.

    Args:
        path: the journal, which is made where there is none.
        run: the run, which has not begun yet.

    Raises:
        JournalError: the journal cannot be used.
    """

    def __init__(self, path: str, run: str) -> None:
        self._run = run
        with complaining():
            with_schema = open_for_writing(path)
            self._seen: int = with_schema.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()[0]
            with_schema.close()
        self._connection: sqlite3.Connection = open_for_reading(path)

    def news(self) -> list[EndedCall]:
        """Calls written since the last time; JournalError where the file fails."""
        with complaining():
            rows = self._connection.execute(_NEWS, (self._seen, self._run)).fetchall()
        if rows:
            self._seen = rows[-1][0]
        return [
            EndedCall(model, outcome, cost_source, None if cost is None else Decimal(cost), tokens, duration)
            for _, model, outcome, cost_source, cost, tokens, duration in rows
        ]

    def lost(self) -> int:
        """Calls that the run's processes could not write, as far as they could write that."""
        with complaining():
            found = self._connection.execute("SELECT sum(lost) FROM sources WHERE run = ?", (self._run,)).fetchone()
        return found[0] or 0

    def processes(self) -> list[int]:
        """Ids of the operating system of the processes that have written calls."""
        with complaining():
            return [row[0] for row in self._connection.execute("SELECT pid FROM sources WHERE run = ?", (self._run,))]

    def close(self) -> None:
        """No more questions."""
        self._connection.close()
