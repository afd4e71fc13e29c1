"""``openrouter-otel resolve``: prices the calls of a journal whose price nobody told when they ended."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from openrouter_otel import settings
from openrouter_otel.journal.resolving import WaitingCalls
from openrouter_otel.journal.store import JournalError
from openrouter_otel.openrouter_api import OpenRouter, OpenRouterError
from openrouter_otel.reporting.render.cells import usd
from openrouter_otel.resolver import EVERY, Resolver
from openrouter_otel.wording import counted

USAGE: Final = "openrouter-otel resolve [--journal FILE] [--wait SECONDS]"
WAIT: Final = 30.0
_MANY: Final = 100  # calls to ask about: who waits so long wants to know


class UsageError(Exception):
    """The command line makes no sense; the text is one sentence for the user."""


class Arguments(NamedTuple):
    """What was asked for.

    Attributes:
        journal: absolute path.
        wait: seconds to wait for what OpenRouter does not know yet.
    """

    journal: str
    wait: float


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help shows what there is)")


def main(argv: Sequence[str] | None = None) -> int:
    """Price what can be priced; 0 then, 2 for bad arguments, 1 where OpenRouter or the journal fails."""
    try:
        return _resolve(_parsed(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        return _failed(error, 2)


def _resolve(arguments: Arguments) -> int:
    resolver = Resolver(_api())
    try:
        with contextlib.closing(WaitingCalls(arguments.journal)) as calls:
            status = _work(resolver, calls, arguments.wait)
            print(_told(resolver, len(calls.all())))
    except JournalError as error:
        return _failed(f"the journal {arguments.journal} cannot be used: {error}", 1)
    return status


def _work(resolver: Resolver, calls: WaitingCalls, wait: float) -> int:
    if (waiting := len(calls.all())) > _MANY:
        _failed(f"{waiting:,} calls wait for a price: asking about all takes {waiting * EVERY / 60:.0f} minutes", 0)
    until = time.time() + wait
    try:
        while (due := resolver.work(calls)) is not None and due <= until:
            time.sleep(max(due - time.time(), 0.0))
    except OpenRouterError as error:
        return _failed(_why(error), 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    return 0


def _parsed(argv: Sequence[str]) -> Arguments:
    parser = _Parser(
        prog="openrouter-otel resolve",
        usage=USAGE,
        description="Ask OpenRouter what calls came to whose price was not told when they ended, such as streams left"
        " early, and book it in the journal.",
        epilog=f"The key is that of the programs: {settings.API_KEY}. A call that OpenRouter does not know a day after"
        " it ended is given up. Exit status: 0, 1 where OpenRouter or the journal fails, 2 for bad arguments.",
        allow_abbrev=False,
    )
    parser.add_argument("--journal", metavar="FILE", help="the file with the calls; default OPENROUTER_OTEL_JOURNAL")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT,
        metavar="SECONDS",
        help=f"for calls that have just ended, which OpenRouter does not know at once; default {WAIT:g}",
    )
    found = parser.parse_args(list(argv))
    journal = (found.journal if found.journal is not None else settings.journal()) or ""
    if not journal.strip():
        raise UsageError("there is no journal: name one with --journal FILE or OPENROUTER_OTEL_JOURNAL")
    return Arguments(str(Path(journal).expanduser().absolute()), found.wait)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 10**6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _api() -> OpenRouter:
    if (key := settings.api_key()) is None:
        raise UsageError(f"set {settings.API_KEY} to a key of the account that made the calls")
    try:
        return OpenRouter(settings.openrouter_api(), key)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _why(error: OpenRouterError) -> str:
    return f"{settings.API_KEY} is refused: {error}" if error.refused else str(error)


def _told(resolver: Resolver, waiting: int) -> str:
    if not (resolver.priced or resolver.given_up or waiting):
        return "No call waits for a price."
    given_up = "given up: OpenRouter does not know them a day after they ended" if resolver.given_up else "given up"
    return (
        f"{counted(resolver.priced, 'call')} priced, {usd(resolver.cost)}; {waiting:,} still"
        f" {'waits' if waiting == 1 else 'wait'} for a price; {resolver.given_up:,} {given_up}."
    )


def _failed(why: object, status: int) -> int:
    print(f"openrouter-otel: resolve: {why}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
