"""``openrouter-otel run -- python agent.py``: no code, no server, and what it cost when it ends, like `time`."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from openrouter_otel import settings
from openrouter_otel.journal.reading import RunCalls
from openrouter_otel.journal.store import JournalError
from openrouter_otel.reporting.render.cells import usd
from openrouter_otel.running import bootstrap, child
from openrouter_otel.running.arguments import Arguments, UsageError, parse
from openrouter_otel.running.bill import Bill, told

TOO_DEAR: Final = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run a program; returns its exit status, 3 above the limit, 2 for bad arguments, 127 where it is not there."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        if arguments.journal or settings.journal():
            return _run(arguments, str(Path(arguments.journal or settings.journal() or "").expanduser().absolute()))
        with tempfile.TemporaryDirectory(prefix="openrouter-otel-", ignore_cleanup_errors=True) as folder:
            return _run(arguments, str(Path(folder) / "usage.db"))
    except UsageError as error:
        return _failed(error, 2)
    except child.CannotStart as error:
        return _failed(error, error.status)


def _run(arguments: Arguments, journal: str) -> int:
    run = secrets.token_hex(8)
    try:
        calls = RunCalls(journal, run)
    except JournalError as error:
        raise UsageError(f"the journal {journal} cannot be used: {error}") from error
    meter = _Meter(calls, arguments.max_cost)
    environment = settings.environment_of_run(str(Path(bootstrap.__file__).parent), journal, run)
    try:
        status = child.run(arguments.command, environment, meter.too_dear if arguments.kill else _never)
        meter.read()
    finally:
        calls.close()
    columns = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    sys.stderr.write(told(meter.bill, columns))
    if meter.exceeded:
        stopped = "; the program was stopped" if meter.stopped else ""
        cost, limit = usd(meter.bill.total.cost), f"${arguments.max_cost:,f}"
        return _failed(f"{cost} is more than the limit of {limit}{stopped}", TOO_DEAR)
    return status


class _Meter:
    """Adds up a run's calls while they come.

    Attributes:
        bill: what has come.
        stopped: the program had to be stopped.
    """

    def __init__(self, calls: RunCalls, limit: Decimal | None) -> None:
        self.bill = Bill()
        self.stopped = False
        self._calls = calls
        self._limit = limit

    def read(self) -> None:
        """Take what has come; a journal that fails is told once, at the end, by what is missing."""
        try:
            self.bill.add(self._calls.news())
            self.bill.lost = self._calls.lost()
        except JournalError as error:
            _failed(f"the journal cannot be read: {error}", 0)

    @property
    def exceeded(self) -> bool:
        """Whether it has cost more than the limit."""
        return self._limit is not None and self.bill.total.cost > self._limit

    def too_dear(self) -> Iterable[int] | None:
        """The processes to stop, once it has."""
        self.read()
        self.stopped = self.exceeded
        return self._calls.processes() if self.stopped else None


def _never() -> None:
    """However much it costs."""


def _failed(why: object, status: int) -> int:
    print(f"openrouter-otel: run: {why}", file=sys.stderr)
    return status
