"""The report: ``python -m openrouter_otel.report``, ``openrouter-otel report`` or ``openrouter-report``.

    arguments -> source -> evidence -> report -> renderer -> file

Exit status: 0 with a report, 2 for bad arguments, 1 with one clear line when the source or the output fails.
`usage_report` is the same for programs: the typed report, of which the command only writes down the text.
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

from openrouter_otel.reporting import figures, grouping, output, scan
from openrouter_otel.reporting.access import Access, AccessError
from openrouter_otel.reporting.address import AddressError
from openrouter_otel.reporting.arguments import DEFAULT_SOURCE, Arguments, UsageError, parse
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import Asked, PeriodError, zone
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
    report = _reckoned(source, arguments.asked, arguments.wanted, arguments.cache)
    if arguments.format in BARE:
        print(f"report: {report.statement} (verdict: {report.verdict})", file=sys.stderr)
    return RENDERERS[arguments.format](report, output.paper(arguments.output))


def usage_report(
    prometheus: str = DEFAULT_SOURCE,
    *,
    since: str | None = None,
    until: str | None = None,
    tz: str = "UTC",
    filters: Filters = Filters(),  # noqa: B008  # immutable
    group_by: str | None = None,
    top: int = 10,
    access: Access = Access(),  # noqa: B008  # immutable
    timeout: float = 120.0,
    cache: Path | None = None,
) -> Report:
    """Everything the command knows, as one frozen value: money as Decimal USD, latencies in milliseconds.

    Args:
        prometheus: URL of a Prometheus-compatible API; credentials in it are sent and never shown.
        since: start of the period, as `--since` takes it; None for local midnight 29 days ago.
        until: its end, as `--until` takes it; None for now.
        tz: whose days and hours.
        filters: which calls it is about.
        group_by: a label to break the period down by, such as ``tag.team``.
        top: how many users `Report.top_users` lists.
        access: headers, tokens and certificates.
        timeout: seconds that one answer may take.
        cache: where closed hours are kept between runs; None for nowhere.

    Raises:
        ValueError: an argument makes no sense; the text is one sentence that says what it takes.
        SourceError: the source cannot be reached or does not answer.
    """
    asked, wanted = Asked(since, until, zone(tz)), Wanted(tz, top, filters, group_by)
    if group_by is not None:
        grouping.label(group_by)  # refused before anybody asks the source
    return _reckoned(Prometheus(prometheus, access, timeout), asked, wanted, cache)


def _reckoned(source: Prometheus, asked: Asked, wanted: Wanted, cache: Path | None) -> Report:
    evidence = scan.read(source, asked, wanted.filters, cache)
    return figures.report(evidence, wanted, generated_at=datetime.now(timezone.utc))


def _failed(why: object, status: int) -> int:
    print(f"report: {why}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
