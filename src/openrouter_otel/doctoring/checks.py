"""All checks, in the order of their telling. A new one is a function of a Setup and a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from openrouter_otel.doctoring import installed, kept, ports, program, scraped, server, translated
from openrouter_otel.doctoring.findings import Finding, Findings, note, ok, problem, warning
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.reporting.evidence import SourceError

Check = Callable[[Setup], Findings]

HERE: Final[tuple[Check, ...]] = (
    installed.packages,
    installed.environment,
    program.ran,
    program.client,
    program.instrumented,
    program.destinations,
    program.provider,
    program.company,
    program.said,
    ports.programs,
    ports.strangers,
    kept.journal,
    kept.counted_twice,
)
PROMETHEUS: Final[tuple[Check, ...]] = (
    scraped.arrival,
    scraped.programs_here,
    scraped.the_program,
    translated.spelling,
    translated.identity,
    translated.twice,
    server.interval,
    server.gaps,
    server.retention,
    server.clocks,
    server.rules,
)


def examine(setup: Setup) -> Iterator[Finding]:
    """Everything that is found."""
    for check in HERE:
        yield from check(setup)
    if setup.away is None:
        yield ok(f"Prometheus at {setup.source.url} answers")
        for check in PROMETHEUS:
            yield from _answered(check, setup)
    elif setup.named or setup.journal_path is None:
        yield problem(str(setup.away), "start it, or name another with --prometheus URL or PROMETHEUS_URL")
    else:
        yield note(f"{setup.away}; none was named, and the journal does without")


def _answered(check: Check, setup: Setup) -> Iterator[Finding]:
    try:
        yield from check(setup)
    except SourceError as error:
        yield warning(f"one thing could not be looked at: {error}", "ask again; --timeout gives it more time")
