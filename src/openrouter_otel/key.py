"""``openrouter-otel key``: what OpenRouter says of the key and the account that the environment names.

Exit status: 0, 2 for bad arguments or without a key, 1 with one line where OpenRouter refuses a key or cannot be
reached, 130 after Ctrl-C. A key itself is never printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from openrouter_otel.account.asking import KEYS, Books, from_environment
from openrouter_otel.openrouter_api import OpenRouterError
from openrouter_otel.reporting import output
from openrouter_otel.reporting.account import AccountStatus
from openrouter_otel.reporting.account_status import status
from openrouter_otel.reporting.render import json, plain
from openrouter_otel.reporting.render.account import account

USAGE: Final = "openrouter-otel key [--format terminal|json]"
WAITS: Final = (0.5,)  # seconds before asking again after a hiccup: a person sits there and can do so, too


class UsageError(Exception):
    """The command line or the environment makes no sense; the text is one sentence for the user."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; usage: {USAGE}")


def main(argv: Sequence[str] | None = None) -> int:
    """Ask and tell; returns the exit status."""
    try:
        told = FORMATS[_format(sys.argv[1:] if argv is None else argv)]
        output.write([told(status(_books().account()))], None)
    except UsageError as error:
        return _failed(error, 2)
    except (OpenRouterError, output.OutputError) as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _format(argv: Sequence[str]) -> str:
    parser = _Parser(
        prog="openrouter-otel key",
        usage=USAGE,
        description="What OpenRouter says of your key (limit, what is left of it, spend) and of the account's credit.",
        epilog=f"The environment names what to ask about: {KEYS}; the credit takes the management key. JSON is as the"
        " report's `account` section. Exit status: 0 with an answer; 1 where OpenRouter refuses a key or cannot be"
        " reached; 2 for bad arguments or without a key.",
        allow_abbrev=False,
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="terminal", help="default terminal")
    found: str = parser.parse_args(list(argv)).format
    return found


def _books() -> Books:
    try:
        books = from_environment(waits=WAITS)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if books is None:
        raise UsageError(f"there is no key to ask about: set {KEYS}")
    return books


def _terminal(found: AccountStatus) -> str:
    try:
        from openrouter_otel.reporting.render import terminal  # rich comes with an extra
    except ModuleNotFoundError:
        return plain.alone(account(found))
    return terminal.alone(account(found), output.paper(None))


FORMATS: Final[dict[str, Callable[[AccountStatus], str]]] = {"terminal": _terminal, "json": json.alone}


def _failed(why: object, exit_status: int) -> int:
    print(f"openrouter-otel: key: {why}", file=sys.stderr)
    return exit_status
