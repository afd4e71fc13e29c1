"""How a journal is: what is in it, what is missing, and whether it can be written. Nothing is changed."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from typing import NamedTuple

from openrouter_otel.journal.store import complaining, open_for_reading


class Condition(NamedTuple):
    """What there is to know of a journal.

    Attributes:
        calls: rows that are there.
        processes: identities of those who have written.
        identity: under which an exporter serves it.
        lost: calls that could not be written.
        pending: calls of unknown price whose price can be asked for.
        last: when the last call ended, in ms since the epoch; None: there is no row.
        mode: the file's permissions.
    """

    calls: int
    processes: frozenset[str]
    identity: str
    lost: int
    pending: int
    last: int | None
    mode: int


def inspect(path: str) -> Condition:
    """Look at a journal.

    Raises:
        JournalError: it cannot be read; `NothingYetError` where it is only too early.
    """
    with closing(open_for_reading(path)) as connection, complaining():
        calls, last = connection.execute("SELECT count(*), max(ended_at) FROM calls").fetchone()
        sources = connection.execute("SELECT process, lost FROM sources").fetchall()
        [identity] = connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
        [pending] = connection.execute("SELECT count(*) FROM calls WHERE pending = 1").fetchone()
        mode = stat.S_IMODE(os.stat(path).st_mode)
    return Condition(
        calls=calls,
        processes=frozenset(process for process, _ in sources),
        identity=identity,
        lost=sum(lost for _, lost in sources),
        pending=pending,
        last=last,
        mode=mode,
    )


def can_be_written(path: str) -> bool:
    """Whether this user can write a journal there, or make one: SQLite needs the right to its folder as well."""
    folder = os.path.dirname(os.path.abspath(path))
    return os.access(folder, os.W_OK | os.X_OK) and (not os.path.exists(path) or os.access(path, os.W_OK))
