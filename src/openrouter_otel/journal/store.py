"""Opens a journal's file: made where there is none, brought to today's schema, refused where it is something else."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from openrouter_otel.journal.schema import APPLICATION_ID, MIGRATIONS, VERSION

MODE: Final = 0o600  # user names and sessions are in it
BUSY_WAIT: Final = 0.25  # seconds SQLite waits for another process' short transaction
_BUSY: Final = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED


class JournalError(Exception):
    """The journal cannot be used; the text is a few words that say why.

    Attributes:
        busy: somebody else has it locked, which is mended by waiting.
    """

    def __init__(self, why: str, *, busy: bool = False) -> None:
        super().__init__(why)
        self.busy = busy


@contextlib.contextmanager
def complaining() -> Iterator[None]:
    """Within, what SQLite and the file system raise becomes a JournalError."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(str(error), busy=_is_busy(error)) from error
    except OSError as error:
        raise JournalError(error.strerror or str(error)) from error


class NothingYetError(JournalError):
    """Nobody has written a call yet, which is mended by waiting, too: there is no file, or an empty one."""


def open_for_writing(path: str) -> sqlite3.Connection:
    """A connection with today's schema, for one thread at a time; transactions are begun by hand.

    Raises:
        JournalError: the file cannot be made or written, is damaged, or is no journal of ours.
    """
    with complaining():
        # SQLite gives its companions, -wal and -shm, the mode of the file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), MODE))
        connection = sqlite3.connect(path, timeout=BUSY_WAIT, isolation_level=None, check_same_thread=False)
    try:
        with complaining():
            _identified(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing that was committed
            _migrate(connection)
    except JournalError:
        connection.close()
        raise
    return connection


def open_for_reading(path: str) -> sqlite3.Connection:
    """A connection that changes nothing, to a journal of today's schema, for one thread at a time.

    Raises:
        NothingYetError: there is no such file, or an empty one, or one of an older schema.
        JournalError: it cannot be read, is damaged, or is no journal of ours.
    """
    with complaining():
        if not os.path.exists(path):
            raise NothingYetError("there is no such file")
        if not os.path.isfile(path):
            raise JournalError("it is no file")
        mode = "mode=ro&immutable=1" if _is_at_rest(path) else "mode=ro"
        address = f"{Path(path).absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(address, uri=True, timeout=5.0, check_same_thread=False)
    try:
        with complaining():
            if _identified(connection) < VERSION:
                raise NothingYetError("no call has been written to it by this version of openrouter-otel")
    except JournalError:
        connection.close()
        raise
    return connection


def file_at(path: str) -> tuple[int, int] | None:
    """Which file is there now, to notice that a journal was moved or deleted; None: none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_at_rest(path: str) -> bool:
    """Whether nobody writes and we cannot either: SQLite would want to make its companions first."""
    log = f"{path}-wal"
    return not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK) and not (
        os.path.exists(log) and os.path.getsize(log)
    )


def _identified(connection: sqlite3.Connection) -> int:
    """The version of a journal's schema, 0 where the file is empty."""
    owner, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if owner != APPLICATION_ID and _pragma(connection, "schema_version"):
        raise JournalError("it is another program's database")
    if version > VERSION:
        raise JournalError("it was written by a later version of openrouter-otel")
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    if _pragma(connection, "user_version") == VERSION:
        return
    with transaction(connection):
        for migration in MIGRATIONS[_pragma(connection, "user_version") :]:  # asked again: others may have been quicker
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing, with the right to write from the start: nobody is found in the way later on."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)  # from Python 3.11 on
    return code & 0xFF in _BUSY if isinstance(code, int) else "locked" in str(error)
