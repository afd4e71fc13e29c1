"""The report's command line -> `Arguments`, checked as far as that goes without asking a source."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from openrouter_otel import settings
from openrouter_otel.reporting import access_options, account_option, budget_option, grouping, reconcile_option
from openrouter_otel.reporting.figures import Wanted
from openrouter_otel.reporting.filters import FilterError, Filters, labels
from openrouter_otel.reporting.period import Asked, zone
from openrouter_otel.reporting.reconcile_option import Reconcile
from openrouter_otel.reporting.render import BARE, RENDERERS
from openrouter_otel.reporting.render.records import ROWS
from openrouter_otel.reporting.sources import JournalSource, PrometheusSource, Source

CACHE: Final = "report.sqlite"
TIMEOUT: Final = 120.0
DEFAULT_SOURCE: Final = "http://localhost:9090"
EPILOG: Final = """\
examples:
  openrouter-otel report --format terminal --since this-month
  openrouter-otel report --journal usage.db --format html --output usage.html
  openrouter-otel report --since 2026-11-01 --until 2026-11-30 --group-by user \\
    --format csv --output november.csv

exit status: 0 with a report, also where nothing was used; 1 where the source,
OpenRouter or the output fails; 2 for bad arguments; 3 where --reconcile finds
more difference than --tolerance."""


class UsageError(Exception):
    """The command line makes no sense; the text is one sentence for the user."""


@dataclass(frozen=True)
class Arguments:
    """What was asked for.

    Attributes:
        source: whom to ask.
        asked: the period.
        wanted: how the figures are to be presented.
        format: a key of `render.RENDERERS`.
        output: file to write; None for standard output.
        records: the rows of this journal are wanted instead of a report.
        reconcile: OpenRouter's own books are to be compared with; None: they are not.
        account: what to ask OpenRouter; None: nothing.
    """

    source: Source
    asked: Asked
    wanted: Wanted
    format: str
    output: Path | None
    records: JournalSource | None
    reconcile: Reconcile | None
    account: account_option.Question | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help shows what there is)")


def parse(argv: Sequence[str] | None) -> Arguments:
    """Read the command line (None: the process' own); UsageError or PeriodError if it makes no sense."""
    found = _parser().parse_args(argv)
    source = _prometheus(found) if found.journal is None else _journal(found)
    filters = _filters(found)
    budgets = budget_option.budgets(found.budgets, filters)
    reconcile = reconcile_option.reconcile(found, filters)
    calendar = frozenset(budget.period for budget in budgets or ())
    return Arguments(
        source=source,
        asked=Asked(found.since, found.until, zone(found.tz), calendar, utc_days=reconcile is not None),
        wanted=Wanted(
            timezone=found.tz,
            top=found.top,
            filters=filters,
            group_by=found.group_by,
            rows=found.format == "csv",
            budgets=budgets,
        ),
        format=found.format,
        output=found.output,
        records=_records(found, source) if found.records else None,
        reconcile=reconcile,
        account=account_option.question(found.account, _no_place(found)),
    )


def _prometheus(found: argparse.Namespace) -> PrometheusSource:
    return PrometheusSource(
        url=found.prometheus or settings.prometheus_url() or DEFAULT_SOURCE,
        access=access_options.access(found),
        timeout=found.timeout or TIMEOUT,
        cache=_cache(found),
    )


def _journal(found: argparse.Namespace) -> JournalSource:
    for option in ("prometheus", "timeout", "cache", "no_cache", *access_options.NAMES):
        if getattr(found, option):
            raise UsageError(f"--journal reads a file; --{option.replace('_', '-')} is for a Prometheus")
    return JournalSource(found.journal)


def _records(found: argparse.Namespace, source: Source) -> JournalSource:
    if not isinstance(source, JournalSource):
        raise UsageError("--records needs --journal FILE: a Prometheus knows no single calls")
    if found.format not in ROWS:
        raise UsageError(f"--records comes as --format {' or '.join(ROWS)}, not as {found.format}")
    if found.group_by is not None:
        raise UsageError("--records lists single calls: --group-by has nothing to group")
    return source


def _no_place(found: argparse.Namespace) -> str:
    """The option that leaves no place for a section."""
    if found.records:
        return "--records"
    return f"--format {found.format}" if found.format in BARE else ""


def _cache(found: argparse.Namespace) -> Path | None:
    if not found.no_cache:
        chosen: Path | None = found.cache
        return chosen or settings.cache_directory() / CACHE
    if found.cache:
        raise UsageError("--cache and --no-cache exclude each other")
    return None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="openrouter-otel report",
        usage="%(prog)s [options]",
        description="What your calls to OpenRouter cost, to the digit.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument_group("source and output").add_argument
    option("--prometheus", metavar="URL", help=f"the source; default PROMETHEUS_URL or {DEFAULT_SOURCE}")
    option("--journal", metavar="FILE", help="the source is this local journal instead")
    formats = f"{{{','.join(RENDERERS)}}}"
    option("--format", type=_format, default="json", metavar=formats, help="default json")
    option("--output", type=Path, metavar="FILE", help="default standard output")
    option = parser.add_argument_group("period").add_argument
    option(
        "--since",
        metavar="WHEN",
        help="30d ago, or the start of 2026-11-01, today, this-week, this-month, last-month; default 30 days to now",
    )
    option("--until", metavar="WHEN", help="up to the end of 2026-11-30, last-month and so on; default now")
    option("--tz", default="UTC", metavar="ZONE", help="whose days and hours, such as Europe/Berlin; default UTC")
    option = parser.add_argument_group("which calls").add_argument
    option("--user", metavar="U", help="only this user's calls; anonymous for calls without one")
    option("--model", metavar="M", help="only calls that this model served")
    option("--provider", metavar="P", help="only calls that this provider served")
    option("--service", metavar="S", help="only calls of this service (its service.name)")
    option("--environment", metavar="E", help="only calls of this deployment.environment.name")
    option(
        "--label",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only calls with this value of a label; repeatable",
    )
    option = parser.add_argument_group("what is told of them").add_argument
    groups = f"a table by {', '.join(grouping.KNOWN)}, tag.team or any other label; the CSV follows it"
    option("--group-by", type=_group, metavar="LABEL", help=groups)
    option("--budgets", metavar="FILE", help="how each budget of this file stands, such as grafana/budgets.yml")
    option(
        "--top", type=_positive(int), default=10, metavar="N", help="how many users and sessions are listed; default 10"
    )
    option("--records", action="store_true", help="the journal's single calls, as CSV or (json) one JSON object a line")
    prometheus = parser.add_argument_group("how to ask a Prometheus")
    option = prometheus.add_argument
    option("--timeout", type=_positive(float), metavar="S", help=f"seconds for one answer; default {TIMEOUT:.0f}")
    access_options.add(prometheus)
    option("--cache", type=Path, metavar="FILE", help="remember closed hours there; default in your cache directory")
    option("--no-cache", action="store_true", help="remember nothing, and ask for everything anew")
    openrouter = parser.add_argument_group("what to ask OpenRouter itself")
    account_option.add(openrouter)
    reconcile_option.add(openrouter)
    return parser


def _format(text: str) -> str:
    if text not in RENDERERS:
        raise argparse.ArgumentTypeError(f"there is no format {text!r}; there are {', '.join(RENDERERS)}")
    return text


def _filters(found: argparse.Namespace) -> Filters:
    try:
        return Filters(found.user, found.model, found.provider, found.service, found.environment, labels(found.label))
    except FilterError as error:
        raise UsageError(str(error)) from error


def _group(text: str) -> str:
    try:
        grouping.label(text)
    except grouping.GroupingError as error:
        raise UsageError(str(error)) from error
    return text


def _positive(number: type[int] | type[float]) -> Any:
    def parsed(text: str) -> int | float:
        try:
            value = number(text)
        except ValueError:
            value = 0
        if value > 0 and math.isfinite(value):
            return value
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")

    return parsed
