"""Checks of the journal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

from openrouter_otel.doctoring.findings import Finding, note, ok, problem, warning
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.doctoring.source import MINUTE, START, one_of, within
from openrouter_otel.journal.inspecting import Condition, can_be_written
from openrouter_otel.journal.store import MODE, JournalError, NothingYetError
from openrouter_otel.wording import counted

_OTHERS: Final = 0o077  # permissions of everybody else


def journal(setup: Setup) -> Iterator[Finding]:
    """The file, and what is in it."""
    path, found = setup.journal_path, setup.journal
    if path is None or found is None:
        yield note("there is no journal (OPENROUTER_OTEL_JOURNAL or --journal names one)")
    elif isinstance(found, NothingYetError) and can_be_written(path):
        yield warning(f"the journal {path} has no call yet: {found}", "it is made by the first call of a program")
    elif os.path.exists(path) and not can_be_written(path):
        yield problem(
            f"the journal {path} cannot be written by this user: calls get lost",
            "give the user of the program the right to write the file and its folder",
        )
    elif isinstance(found, JournalError):
        why = found if os.path.exists(path) else "its folder cannot be written to, or is not there"
        yield problem(f"the journal {path} cannot be used: {why}", "name another file, or make room for this one")
    else:
        yield from _contents(path, found)


def _contents(path: str, found: Condition) -> Iterator[Finding]:
    if found.last is None:
        yield ok(f"the journal {path} is in order; it has no call in it")
    else:
        last = datetime.fromtimestamp(found.last / 1000, timezone.utc).astimezone()
        yield ok(f"the journal {path} has {counted(found.calls, 'call')}, the last of {last:%Y-%m-%d %H:%M:%S}")
    if found.mode & _OTHERS:
        yield warning(
            f"the journal {path} can be read by others (mode {found.mode:04o}); users and sessions are in it",
            f"chmod {MODE:o} {path}",
        )
    if found.lost:
        yield warning(
            f"{counted(found.lost, 'call')} could not be written to the journal {path}: reports from it are incomplete",
            "look for a full disk, a lock held for minutes or a killed process; programs have logged why",
        )
    if found.pending:
        yield note(
            f"{counted(found.pending, 'call')} in the journal without a price that OpenRouter can tell",
            f"openrouter-otel resolve --journal {path}",
        )


def counted_twice(setup: Setup) -> Iterator[Finding]:
    """Whether calls reach Prometheus both from the programs and from an exporter of their journal."""
    found = setup.journal
    if not isinstance(found, Condition):
        return
    both = [program for program in setup.programs if program.process in found.processes]
    exporters = [program for program in setup.programs if program.process == found.identity]
    if not both:
        return
    what = f"the program at {both[0].address} keeps the journal and serves its metrics as well"
    advice = "leave serve_metrics off where a journal is exported (it is off unless asked for)"
    if exporters or _exported(setup, found):
        yield problem(f"{what}, and an exporter serves the journal: its calls are counted twice", advice)
    else:
        yield warning(f"{what}: an exporter of the journal would count its calls twice", advice)


def _exported(setup: Setup, found: Condition) -> bool:
    """Whether Prometheus knows the journal itself."""
    if setup.away is not None:
        return False
    return bool(setup.source.ask(f"count({within(START + one_of([found.identity]), 60 * MINUTE)})", setup.now))
