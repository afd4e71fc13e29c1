"""Keeps Records in the journal, off the request path: a bounded queue, and one thread that writes what lies there.

At most `GATHER` seconds and a transaction pass until a Record is in the file, which is what a SIGKILL can lose. Trouble
with the file is one warning; Records wait, are tried again, and beyond `LIMIT` they are counted as lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from openrouter_otel.emit.entries import entry
from openrouter_otel.journal.store import JournalError
from openrouter_otel.journal.writing import Entry, Writer
from openrouter_otel.quiet import quietly
from openrouter_otel.record import Record
from openrouter_otel.wording import counted

_log = logging.getLogger("openrouter_otel")

LIMIT: Final = 20_000  # Records that wait
GATHER: Final = 0.4  # seconds from a Record to the writing of all that came with it
EXIT_WAIT: Final = 5.0  # seconds that the end of a program may wait for a locked journal
_FORK_WAIT: Final = 0.5  # seconds that a fork may
_AT_ONCE: Final = 1000  # Records a transaction: it stays short for the others who write
_LOCKED_IS_TROUBLE: Final = 5.0  # seconds
_PAUSES: Final = (0.1, 10.0)  # seconds between attempts, first and last


class JournalEmitter:
    """Takes Records from any thread; `record` never waits for the file.

    Args:
        path: the journal, for messages.
        writer: makes the way into it, for the process that we are by then.
        metric_tags: tags that become a part of a call's series.
    """

    def __init__(self, path: str, writer: Callable[[], Writer], metric_tags: tuple[str, ...]) -> None:
        self._path = path
        self._make_writer = writer
        self._metric_tags = metric_tags
        self._writer: Writer | None = None
        self._inherited: list[Writer] = []
        self.restart()

    def restart(self) -> None:
        """Begin anew, as after a fork: nothing of the parent's is written, its thread and locks are not ours."""
        if self._writer is not None:
            self._inherited.append(self._writer)  # never closed here: SQLite would take the parent's locks away
        self._queue: deque[Record] = deque()
        self._writer = None
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._counting = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._finished = False
        self._lost = 0
        self._lost_in_file = 0
        self._locked_since: float | None = None
        self._warned = False

    def record(self, record: Record) -> None:
        """Leave a Record to be written within a second."""
        if len(self._queue) >= LIMIT:
            self._lose(1)
            return
        self._queue.append(record)
        if self._finished:
            self._flush(_FORK_WAIT)  # the thread is no more
        elif not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start()

    def finish(self) -> None:
        """The program ends, or measuring does: write all that is left, and let go of the file."""
        self._finished = True
        self._halt()
        self._flush(EXIT_WAIT)
        self._close()
        lost = self._lost + len(self._queue)
        if lost:
            level = logging.INFO if self._warned else logging.WARNING
            _log.log(level, "%s of this process missing from the journal %s", counted(lost, "call"), self._path)

    def reopen(self) -> None:
        """Measuring goes on after `finish`."""
        self._finished = False

    def before_fork(self) -> None:
        """Write what is there and let go of thread and file: the child shall have nothing of SQLite's."""
        self._halt()
        self._flush(_FORK_WAIT)
        self._close()

    def after_fork(self) -> None:
        """We are the parent: what is left is ours to write."""
        if self._queue and not self._finished:
            self._wake.set()
            self._start()

    # --- the thread ---
    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                self._stop = threading.Event()
                thread = threading.Thread(
                    target=_work, args=(self, self._stop, self._wake), name="openrouter-otel journal", daemon=True
                )
                thread.start()
                self._thread = thread
        finally:
            self._starting.release()

    def _halt(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            self._wake.set()
            thread.join(_FORK_WAIT)
        self._wake.clear()

    def _work(self, stop: threading.Event, wake: threading.Event) -> None:
        while True:
            wake.wait()
            wake.clear()
            pause = GATHER
            while not stop.wait(pause):
                trouble = _write(self)
                if trouble is None:
                    break
                pause = _PAUSES[0] if trouble.busy else min(max(2 * pause, _PAUSES[0]), _PAUSES[1])
            if stop.is_set():
                return

    # --- the writing ---
    def _flush(self, patience: float) -> None:
        """Write all there is, waiting so long for a journal that others have locked."""
        until = time.monotonic() + patience
        while (trouble := _write(self)) is not None and trouble.busy:
            if time.monotonic() > until:
                self._warn(str(trouble))
                return
            time.sleep(_PAUSES[0])

    def _write(self) -> JournalError | None:
        """Write all there is, or say what is in the way."""
        if not self._writing.acquire(timeout=_FORK_WAIT):
            return JournalError("it takes long to write", busy=True)
        try:
            while self._queue:
                if (trouble := self._write_some()) is not None:
                    self._troubled(trouble)
                    return trouble
        finally:
            self._writing.release()
        self._locked_since = None
        return None

    def _write_some(self) -> JournalError | None:
        waiting = list(islice(self._queue, _AT_ONCE))
        entries = [made for record in waiting if (made := _entry(record, self._metric_tags))]
        unreadable = len(waiting) - len(entries)
        lost = self._lost - self._lost_in_file + unreadable
        if self._writer is None:
            self._writer = self._make_writer()
        outcome = _try(self._writer, entries, lost)
        if isinstance(outcome, JournalError):
            return outcome
        if outcome is None:  # a fault of ours: these would stand in the way for ever
            unreadable, lost = len(waiting), 0
        for _ in waiting:
            self._queue.popleft()
        self._lose(unreadable)
        self._lost_in_file += lost
        return None

    def _close(self) -> None:
        if self._writer is not None and self._writing.acquire(timeout=_FORK_WAIT):
            try:
                self._writer.close()
                self._writer = None
            finally:
                self._writing.release()

    def _lose(self, count: int) -> None:
        with self._counting:
            self._lost += count

    def _troubled(self, error: JournalError) -> None:
        if not error.busy:
            self._warn(str(error))
            return
        now = time.monotonic()
        self._locked_since = self._locked_since or now
        if now - self._locked_since > _LOCKED_IS_TROUBLE:
            self._warn(str(error))

    def _warn(self, why: str) -> None:
        if self._warned:
            return
        self._warned = True
        _log.warning(
            "%s to be written to the journal %s, which fails: %s; up to %d are kept and tried again, and"
            " what is left when the program ends is lost",
            counted(len(self._queue), "call"),
            self._path,
            why,
            LIMIT,
        )


@quietly
def _try(writer: Writer, entries: Sequence[Entry], lost: int) -> JournalError | bool:
    try:
        writer.write(entries, lost)
    except JournalError as error:
        return error
    return True


_work = quietly(JournalEmitter._work)
_write = quietly(JournalEmitter._write)
_entry: Callable[[Record, tuple[str, ...]], Entry | None] = quietly(entry)
