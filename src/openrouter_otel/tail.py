"""``openrouter-otel tail``: calls as they happen, from a journal.

Exit status: 0, 2 for bad arguments, 1 with one line where the journal cannot be read, 130 after Ctrl-C.
"""

from __future__ import annotations

import io
import os
import select
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Final

from openrouter_otel.journal.reading import Calls, EndedCall
from openrouter_otel.journal.store import JournalError, NothingYetError
from openrouter_otel.tailing.arguments import Arguments, UsageError, parse
from openrouter_otel.tailing.lines import Lines, day

_LOOK_EVERY: Final = 0.3  # seconds
_NO_TERMINAL: Final = (140, 24)
_ALL: Final = 1_000_000_000  # calls of a file that was not there when we began


def main(argv: Sequence[str] | None = None) -> int:
    """Print calls until somebody has seen enough; returns the exit status."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        _print(_calls(arguments))
    except UsageError as error:
        return _failed(error, 2)
    except JournalError as error:
        return _failed(f"the journal {arguments.journal} cannot be read: {error}", 1)
    except BrokenPipeError:  # `tail | head` has seen enough; nor shall the interpreter complain when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def _calls(arguments: Arguments) -> Iterator[list[EndedCall]]:
    """Those of the past; then, for as long as somebody reads, those that have come every now and then."""
    if not arguments.follow:
        yield Calls(arguments.journal, arguments.only).latest(arguments.number)
        return
    number = arguments.number if os.path.exists(arguments.journal) else _ALL
    while calls := _awaited(arguments):
        yield calls.latest(number)
        while not calls.replaced:
            if not _patient():
                return
            yield calls.news()
        calls.close()
        number = _ALL


def _awaited(arguments: Arguments) -> Calls | None:
    """The journal, as soon as there is one; None where nobody reads any more."""
    told = False
    while (found := _opened(arguments)) is None:
        if not told:
            told = True
            _say(f"waiting for {arguments.journal}: there is no call in it yet")
        if not _patient():
            return None
    return found


def _opened(arguments: Arguments) -> Calls | None:
    try:
        return Calls(arguments.journal, arguments.only)
    except NothingYetError:
        return None


def _print(batches: Iterable[list[EndedCall]]) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    terminal = sys.stdout.isatty()
    lines = Lines(shutil.get_terminal_size(_NO_TERMINAL).columns, cut=terminal)
    today = f"{datetime.now(timezone.utc).astimezone():%Y-%m-%d}"
    headed = False  # not before there is a journal: a line that says why there is none stands alone
    for calls in batches:
        if not headed:
            print(lines.head)
            headed = True
        for call in calls:
            if day(call) != today:
                today = day(call)
                print(today)
            print(lines.call(call))
        sys.stdout.flush()


def _patient() -> bool:
    """Wait a little; False as soon as nobody reads any more what we write."""
    if not hasattr(select, "poll"):
        time.sleep(_LOOK_EVERY)
        return True
    watch = select.poll()
    watch.register(sys.stdout.fileno(), 0)
    return not watch.poll(_LOOK_EVERY * 1000)


def _say(what: object) -> None:
    print(f"openrouter-otel: tail: {what}", file=sys.stderr)


def _failed(why: object, status: int) -> int:
    _say(why)
    return status
