"""The command line of `openrouter-otel exporter` -> `Arguments`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from openrouter_otel import settings
from openrouter_otel.account.asking import KEYS, Books, from_environment
from openrouter_otel.openrouter_api import OpenRouter

USAGE: Final = """openrouter-otel exporter [--journal FILE [--resolve]] [--account]
                                [--host HOST] [--port PORT]"""


class UsageError(Exception):
    """The command line makes no sense; the text is one sentence for the user."""


class Arguments(NamedTuple):
    """What was asked for.

    Attributes:
        journal: absolute path of the journal to serve; None: none.
        books: those of the account to serve; None: none.
        host: where to listen.
        port: exactly there; None: at the first free of the ten usual ones.
        resolve: whom to ask for prices that were not told; None: nobody.
    """

    journal: str | None
    books: Books | None
    host: str
    port: int | None
    resolve: OpenRouter | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help shows what there is)")


def parse(argv: Sequence[str]) -> Arguments:
    """Read the command line; UsageError if it makes no sense."""
    parser = _Parser(
        prog="openrouter-otel exporter",
        usage=USAGE,
        description="Serve /metrics for a Prometheus: the calls of all programs that write to a journal, however short"
        " they live, and what OpenRouter says of the account.",
        epilog="Runs until it is interrupted or terminated, and ends with status 0 then; 1 where the journal or the"
        " port cannot be used.",
        allow_abbrev=False,
    )
    host, port = settings.metrics_address()
    option = parser.add_argument
    option("--journal", metavar="FILE", help="serve this journal; default OPENROUTER_OTEL_JOURNAL; it may come later")
    option(
        "--account",
        action="store_true",
        help=f"serve what OpenRouter says of limits and credit; needs {KEYS}",
    )
    option("--host", default=host, help=f"listen there; default OTEL_EXPORTER_PROMETHEUS_HOST, else {host}")
    option(
        "--port",
        type=_port,
        default=port,
        help="exactly this port; default OTEL_EXPORTER_PROMETHEUS_PORT, else the first free one from"
        f" {settings.DEFAULT_PORT} on, where the bundled Prometheus looks",
    )
    option(
        "--resolve",
        action="store_true",
        help=f"ask OpenRouter what calls came to whose price was not told; needs {settings.API_KEY}",
    )
    found = parser.parse_args(list(argv))
    if found.journal is not None and not found.journal.strip():
        parser.error("--journal takes the path of a file")
    journal = found.journal or (None if found.account else settings.journal())
    if journal is None and not found.account:
        parser.error("there is nothing to serve without --journal or --account")
    if journal is None and found.resolve:
        parser.error("--resolve needs --journal")
    return Arguments(
        None if journal is None else str(Path(journal).expanduser().absolute()),
        _books() if found.account else None,
        found.host,
        found.port,
        _api() if found.resolve else None,
    )


def _books() -> Books:
    try:
        books = from_environment(waits=())  # it is asked again anyway
    except ValueError as error:
        raise UsageError(str(error)) from None
    if books is None:
        raise UsageError(f"--account needs {KEYS}")
    return books


def _api() -> OpenRouter:
    if (key := settings.api_key()) is None:
        raise UsageError(f"--resolve needs {settings.API_KEY}, a key of the account that made the calls")
    try:
        return OpenRouter(settings.openrouter_api(), key)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port number")
    return int(text)
