"""The command line of `openrouter-otel tail` -> `Arguments`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from openrouter_otel import names, settings


class UsageError(Exception):
    """The command line makes no sense; the text is one sentence for the user."""


class Arguments(NamedTuple):
    """What was asked for.

    Attributes:
        journal: path of the file.
        number: calls of the past to begin with.
        follow: go on with those to come.
        only: what columns of the journal's records must have.
    """

    journal: str
    number: int
    follow: bool
    only: dict[str, str | None]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help shows what there is)")


def parse(argv: Sequence[str]) -> Arguments:
    """Read the command line; UsageError if it makes no sense."""
    parser = _Parser(
        prog="openrouter-otel tail",
        description="Print calls as they are written to a journal.",
        epilog="Costs marked ~ are estimated; unknown and ? are what nobody told us, - is what there is none of."
        " Ctrl-C ends it. Exit status: 0, 1 where the journal cannot be read, 2 for bad arguments, 130 after Ctrl-C.",
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--journal", metavar="FILE", help="the file that programs write; default OPENROUTER_OTEL_JOURNAL")
    option("-n", "--lines", type=_number, default=10, metavar="N", help="begin with the last N calls; default 10")
    option("--no-follow", action="store_true", help="print these and end, instead of waiting for more")
    option("--user", metavar="U", help=f"only this user's calls; {names.ANONYMOUS} for calls without one")
    option("--model", metavar="M", help="only calls that this model served")
    found = parser.parse_args(list(argv))
    journal = (settings.journal() if found.journal is None else found.journal.strip()) or ""
    if not journal:
        raise UsageError("there is no journal: name one with --journal FILE or OPENROUTER_OTEL_JOURNAL")
    only: dict[str, str | None] = {}
    if found.user is not None:
        only["user_id"] = None if found.user == names.ANONYMOUS else found.user
    if found.model is not None:
        only["model"] = found.model
    return Arguments(os.path.expanduser(journal), found.lines, not found.no_follow, only)


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of calls")
