"""The report: ``python -m openrouter_otel.report``, ``openrouter-otel report`` or ``openrouter-report``.

    arguments -> source -> evidence -> report -> renderer -> file

Exit status: 0 with a report, 3 where OpenRouter's own books differ by more than `--reconcile` tolerates, 2 for bad
arguments, 1 with one clear line when the source, OpenRouter or the output fails.
`usage_report` is the same for programs: the typed report, of which the command only writes down the text.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

if __name__ == "__main__" and not __package__:  # run as a file: find the package, not our neighbours as top-level names
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from openrouter_otel.budgets import BudgetError
from openrouter_otel.openrouter_api import OpenRouterError
from openrouter_otel.reporting import (
    account_option,
    account_status,
    budget_option,
    figures,
    grouping,
    output,
    reconcile_option,
)
from openrouter_otel.reporting.access import Access, AccessError
from openrouter_otel.reporting.account import AccountStatus
from openrouter_otel.reporting.account_option import AccountError, Question
from openrouter_otel.reporting.address import AddressError
from openrouter_otel.reporting.arguments import DEFAULT_SOURCE, Arguments, UsageError, parse
from openrouter_otel.reporting.evidence import SourceError
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.journal.records import COLUMNS
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.period import Asked, PeriodError, zone
from openrouter_otel.reporting.reconcile_option import Reconcile, ReconcileError
from openrouter_otel.reporting.render import BARE, RENDERERS, MissingExtra
from openrouter_otel.reporting.render.records import ROWS
from openrouter_otel.reporting.sources import JournalSource, PrometheusSource, Source

# What programs need that call `usage_report`.
__all__ = [
    "Access",
    "Filters",
    "MissingExtra",
    "OpenRouterError",
    "Reconcile",
    "Report",
    "SourceError",
    "main",
    "usage_report",
]

BAD_ARGUMENTS = (UsageError, PeriodError, AddressError, AccessError, AccountError, BudgetError, ReconcileError)
FAILURES = (SourceError, OpenRouterError, output.OutputError, MissingExtra)
BEYOND_TOLERANCE = 3


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
        return _made(parse(argv))
    except BAD_ARGUMENTS as error:
        return _failed(error, 2)
    except FAILURES as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)


def _made(arguments: Arguments) -> int:
    """Write what was asked for; the exit status."""
    paper = output.paper(arguments.output)
    if arguments.records:
        calls = arguments.records.records(arguments.asked, arguments.wanted.filters)
        output.write(ROWS[arguments.format](COLUMNS, calls, paper), arguments.output)
        return 0
    report = _reckoned(arguments.source, arguments.asked, arguments.wanted, arguments.reconcile, arguments.account)
    told = report.reconciliation
    if arguments.format in BARE:
        print(f"report: {report.statement} (verdict: {report.verdict})", file=sys.stderr)
    output.write([RENDERERS[arguments.format](report, paper)], arguments.output)
    if told and (told.failed or arguments.format in BARE):
        print(f"report: {told.statement}", file=sys.stderr)
    return BEYOND_TOLERANCE if told and told.failed else 0


def usage_report(
    prometheus: str | None = None,
    *,
    journal: str | Path | None = None,
    since: str | None = None,
    until: str | None = None,
    tz: str = "UTC",
    filters: Filters = Filters(),  # noqa: B008  # immutable
    group_by: str | None = None,
    top: int = 10,
    budgets: str | Path | None = None,
    reconcile: Reconcile | None = None,
    account: bool = False,
    access: Access = Access(),  # noqa: B008  # immutable
    timeout: float = 120.0,
    cache: Path | None = None,
) -> Report:
    """Everything the command knows, as one frozen value: money as Decimal USD, latencies in milliseconds.

    Args:
        prometheus: URL of a Prometheus-compatible API; credentials in it are sent and never shown. None for
            http://localhost:9090.
        journal: the file of a local journal to report from instead; what lets us in to a Prometheus is of no use then.
        since: start of the period, as `--since` takes it; None for local midnight 29 days ago.
        until: its end, as `--until` takes it; None for now.
        tz: whose days and hours.
        filters: which calls it is about.
        group_by: a label to break the period down by, such as ``tag.team``.
        top: how many users `Report.top_users` lists, and how many sessions a journal's report has.
        budgets: a file of budgets, such as ``grafana/budgets.yml``, to hold the spend against (extra ``budgets``).
        reconcile: how to compare with OpenRouter's own books, which OPENROUTER_MANAGEMENT_KEY opens; None for not.
        account: ask OpenRouter what it says of key and credit, with the keys in the environment; else nobody is asked.
        access: headers, tokens and certificates.
        timeout: seconds that one answer may take.
        cache: where closed hours are kept between runs; None for nowhere.

    Raises:
        ValueError: an argument makes no sense; the text is one sentence that says what it takes.
        SourceError: the source cannot be reached or does not answer.
        OpenRouterError: its books or the account were asked for, and a key is refused or OpenRouter does not answer.
        MissingExtra: PyYAML, which budgets need, is not installed.
    """
    known = budget_option.budgets(budgets, filters)
    calendar = frozenset(budget.period for budget in known or ())
    asked = Asked(since, until, zone(tz), calendar, utc_days=reconcile is not None)
    wanted = Wanted(tz, top, filters, group_by, budgets=known)
    if group_by is not None:
        grouping.label(group_by)  # refused before anybody asks the source
    if journal is not None and prometheus is not None:
        raise ValueError("a report has one source: prometheus or journal")
    source: Source = PrometheusSource(prometheus or DEFAULT_SOURCE, access, timeout, cache)
    question = account_option.insisted() if account else None
    return _reckoned(source if journal is None else JournalSource(str(journal)), asked, wanted, reconcile, question)


def _reckoned(
    source: Source, asked: Asked, wanted: Wanted, reconcile: Reconcile | None, question: Question | None
) -> Report:
    account = _asking(question)
    books = None if reconcile is None else reconcile_option.their_books(reconcile, wanted.filters)
    evidence = source.read(asked, wanted.filters, wanted.top)
    return figures.report(evidence, wanted, datetime.now(timezone.utc), account(), books)


def _asking(question: Question | None) -> Callable[[], AccountStatus | None]:
    """Ask OpenRouter; the result gives the answer. What nobody insisted on may fail: the report goes without it."""
    if question is None:
        return lambda: None
    answer = question.begin()

    def answered() -> AccountStatus | None:
        try:
            return account_status.status(answer())
        except OpenRouterError as error:
            print(f"report: made without OpenRouter's account: {error} (--no-account does not ask)", file=sys.stderr)
            return None

    return answered


def _failed(why: object, status: int) -> int:
    print(f"report: {why}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
