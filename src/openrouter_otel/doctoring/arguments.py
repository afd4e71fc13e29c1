"""The command line of `openrouter-otel doctor` -> `Arguments`."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn

from openrouter_otel import settings
from openrouter_otel.reporting import access_options
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.arguments import DEFAULT_SOURCE

USAGE: Final = "openrouter-otel doctor [options] [-- command ...]"
FORMATS: Final = ("terminal", "json")
DESCRIPTION: Final = """\
Look at a setup from end to end and say what is wrong. With a command, run that
program as it is and look at it from inside as well; findings then go to
standard error."""
EPILOG: Final = """\
examples:
  openrouter-otel doctor
  openrouter-otel doctor --prometheus https://prometheus.example.com
  openrouter-otel doctor -- python agent.py

exit status: 0 without a problem; 1 with one; 2 for bad arguments; 126 or 127
where the program cannot be started."""


class UsageError(Exception):
    """The command line makes no sense; the text is one sentence for the user."""


class Arguments(NamedTuple):
    """What to look at.

    Attributes:
        prometheus: URL of the source, credentials included.
        named: somebody has named it, so that it has to be there.
        access: how it lets us in.
        timeout: seconds that one answer may take.
        journal: path of a journal; None: there is none.
        format: one of `FORMATS`.
        command: a program to look at from inside, and its arguments; may be empty.
    """

    prometheus: str
    named: bool
    access: Access
    timeout: float
    journal: str | None
    format: str
    command: list[str]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help shows what there is)")


def parse(argv: Sequence[str]) -> Arguments:
    """Read the command line; UsageError or AccessError if it makes no sense."""
    parser = _Parser(
        prog="openrouter-otel doctor",
        usage=USAGE,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--prometheus", metavar="URL", help=f"the one to ask; default PROMETHEUS_URL or {DEFAULT_SOURCE}")
    option("--journal", metavar="FILE", help="the one to look at; default OPENROUTER_OTEL_JOURNAL, else none")
    option("--format", choices=FORMATS, default=FORMATS[0], help="default terminal")
    option("--timeout", type=_seconds, default=10.0, metavar="S", help="seconds for one answer; default 10")
    access_options.add(parser)
    option("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    found = parser.parse_args(list(argv))
    command = found.command[1:] if found.command[:1] == ["--"] else found.command
    if found.command and not command:
        parser.error("there is no command behind --")
    if found.journal is not None and not found.journal.strip():
        parser.error("--journal takes the path of a file")
    named = found.prometheus or settings.prometheus_url()
    journal = found.journal or settings.journal()
    return Arguments(
        prometheus=named or DEFAULT_SOURCE,
        named=named is not None,
        access=access_options.access(found),
        timeout=found.timeout,
        journal=None if journal is None else os.path.abspath(os.path.expanduser(journal)),
        format=found.format,
        command=command,
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value > 0 and math.isfinite(value):
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
