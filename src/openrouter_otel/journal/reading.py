"""Follows calls in a journal while they are written: those of one run, or of anybody."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from openrouter_otel.journal.store import complaining, file_at, open_for_reading, open_for_writing


class EndedCall(NamedTuple):
    """One call.

    Attributes:
        id: rises with every call.
        ended_at: milliseconds since the epoch.
        model: that served; None where none did.
        user: None is anonymous.
        outcome: `names.OUTCOMES`.
        error_type: of a call that failed.
        cost_source: `names.COST_SOURCES`.
        cost: USD to both payees; None is unknown.
        input_tokens: None is unknown.
        output_tokens: None is unknown.
        duration: seconds; None is unknown.
        first_token: seconds; None where there was none.
    """

    id: int
    ended_at: int
    model: str | None
    user: str | None
    outcome: str
    error_type: str | None
    cost_source: str
    cost: Decimal | None
    input_tokens: int | None
    output_tokens: int | None
    duration: float | None
    first_token: float | None

    @property
    def tokens(self) -> int:
        """Input and output, as far as told."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)


_CALLS: Final = """
    SELECT id, timestamp, model, user_id, outcome, error_type, cost_source, cost,
        prompt_tokens, completion_tokens, duration, first_token
    FROM records WHERE """
_LAST_ID: Final = "SELECT coalesce(max(id), 0) FROM calls"


class Calls:
    """Calls of a journal in the order of their writing; each is told once.

    Args:
        path: the journal.
        only: what the columns of `schema.records` must have, None for NULL; all calls where it is empty.

    Raises:
        JournalError: the journal cannot be read; `NothingYetError` where it is only too early.
    """

    def __init__(self, path: str, only: dict[str, str | None] | None = None) -> None:
        self._only = only or {}
        self._seen = 0
        self._path = path
        self._connection: sqlite3.Connection = open_for_reading(path)
        self._file = file_at(path)

    def latest(self, number: int) -> list[EndedCall]:
        """The last so many, with which all that is there counts as told; JournalError where the file fails."""
        with complaining():
            last = self._connection.execute(_LAST_ID).fetchone()[0]
            found = self._found("id <= ?", last, f"ORDER BY id DESC LIMIT {number:d}")
        self._seen = last
        return found[::-1]

    def news(self) -> list[EndedCall]:
        """Calls written since the last time; JournalError where the file fails."""
        with complaining():
            last = self._connection.execute(_LAST_ID).fetchone()[0]  # 0 where all were pruned: ids are not used again
            found = self._found(f"id > {self._seen} AND id <= ?", last, "ORDER BY id") if last > self._seen else []
        self._seen = max(self._seen, last)
        return found

    @property
    def replaced(self) -> bool:
        """Whether the path has come to mean another file, or none."""
        return file_at(self._path) != self._file

    def close(self) -> None:
        """No more questions."""
        self._connection.close()

    def _found(self, which: str, last: int, order: str) -> list[EndedCall]:
        wanted = "".join(f" AND {column} IS ?" for column in self._only)
        return [
            _call(row)
            for row in self._connection.execute(f"{_CALLS}{which}{wanted} {order}", (last, *self._only.values()))
        ]


class RunCalls(Calls):
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
            open_for_writing(path).close()
        super().__init__(path, {"run": run})
        self.latest(0)

    def lost(self) -> int:
        """Calls that the run's processes could not write, as far as they could write that."""
        with complaining():
            found = self._connection.execute("SELECT sum(lost) FROM sources WHERE run = ?", (self._run,)).fetchone()
        return found[0] or 0

    def processes(self) -> list[int]:
        """Ids of the operating system of the processes that have written calls."""
        with complaining():
            return [row[0] for row in self._connection.execute("SELECT pid FROM sources WHERE run = ?", (self._run,))]


def _call(row: Sequence[Any]) -> EndedCall:
    call = EndedCall(*row)
    return call._replace(cost=None if call.cost is None else Decimal(call.cost))
