"""The command line of `openrouter-otel run` -> `Arguments`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple, NoReturn

USAGE: Final = "openrouter-otel run [options] -- command ..."
EPILOG: Final = """\
examples:
  openrouter-otel run -- python agent.py
  openrouter-otel run --max-cost 2 --kill -- python agent.py
  openrouter-otel run --journal usage.db -- pytest tests/evals

exit status: the program's own (128+n for signal n); 3 where it cost more than
--max-cost; 2 for bad arguments; 126 or 127 where it cannot be started."""


class UsageError(Exception):
    """The command line makes no sense; the text is one sentence for the user."""


class Arguments(NamedTuple):
    """What was asked for.

    Attributes:
        command: the program and its arguments.
        max_cost: USD; None: any.
        kill: stop the program once it has cost more.
        journal: the file to keep the calls in; None: one that is deleted afterwards.
    """

    command: list[str]
    max_cost: Decimal | None
    kill: bool
    journal: str | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help shows what there is)")


def parse(argv: Sequence[str]) -> Arguments:
    """Read the command line; UsageError if it makes no sense."""
    parser = _Parser(
        prog="openrouter-otel run",
        usage=USAGE,
        description="Run a program and tell what its calls to OpenRouter cost; no code, no server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--max-cost", type=_usd, metavar="USD", help="exit with status 3 where the calls cost more than this")
    option("--kill", action="store_true", help="stop the program as soon as they do (looked at every second)")
    option(
        "--journal", metavar="FILE", help="keep the calls in this file; default OPENROUTER_OTEL_JOURNAL, else nowhere"
    )
    option("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    found = parser.parse_args(list(argv))
    command = found.command[1:] if found.command[:1] == ["--"] else found.command
    if not command:
        parser.error("there is no command to run")
    if found.kill and found.max_cost is None:
        parser.error("--kill needs --max-cost")
    if found.journal is not None and not found.journal.strip():
        parser.error("--journal takes the path of a file")
    return Arguments(command, found.max_cost, found.kill, found.journal)


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of USD")
    return amount
