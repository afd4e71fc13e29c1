"""The report: ``python -m openrouter_otel.report``, ``openrouter-otel report`` or ``openrouter-report``.

    arguments -> source -> evidence -> report -> renderer -> file

Exit status: 0 with a report, 2 for bad arguments, 1 with one clear line when the source or the output fails.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

if __name__ == "__main__" and not __package__:  # run as a file: find the package, not our neighbours as top-level names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from openrouter_otel.reporting import figures, output, scan
from openrouter_otel.reporting.access import AccessError
from openrouter_otel.reporting.address import AddressError
from openrouter_otel.reporting.arguments import Arguments, UsageError, parse
from openrouter_otel.reporting.period import PeriodError
from openrouter_otel.reporting.prometheus import Prometheus, SourceError
from openrouter_otel.reporting.render import BARE, RENDERERS, MissingExtra

BAD_ARGUMENTS = (UsageError, PeriodError, AddressError, AccessError)
FAILURES = (SourceError, output.OutputError, MissingExtra)


def main(argv: Sequence[str] | None = None) -> int:
    """Make one report; returns the exit status and never raises for what a user or a source can do wrong."""
    with uncollected():
        return _main(argv)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for garbage, a third of the time of a big report: it makes much that lives, and no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _main(argv: Sequence[str] | None) -> int:
    try:
        arguments = parse(argv)
        output.write(made(arguments), arguments.output)
    except BAD_ARGUMENTS as error:
        return _failed(error, 2)
    except FAILURES as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    return 0


def made(arguments: Arguments) -> str:
    """The text of the report that was asked for."""
    source = Prometheus(arguments.prometheus, arguments.access, arguments.timeout)
    evidence = scan.read(source, arguments.asked, arguments.wanted.filters, arguments.cache)
    report = figures.report(evidence, arguments.wanted, generated_at=datetime.now(timezone.utc))
    if arguments.format in BARE:
        print(f"report: {report.statement} (verdict: {report.verdict})", file=sys.stderr)
    return RENDERERS[arguments.format](report, output.paper(arguments.output))


def _failed(why: object, status: int) -> int:
    print(f"report: {why}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
