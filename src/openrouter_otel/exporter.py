"""``openrouter-otel exporter``: /metrics for what no Prometheus could scrape: programs that come and go."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry

from openrouter_otel import settings
from openrouter_otel.exporting.account import AccountCollector
from openrouter_otel.exporting.arguments import Arguments, UsageError, parse
from openrouter_otel.exporting.journal import JournalExport
from openrouter_otel.exporting.page import Page
from openrouter_otel.exporting.resolving import Resolving
from openrouter_otel.journal.store import JournalError
from openrouter_otel.metrics_endpoint import NoPortError, listen


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to end: 0 then, 2 for bad arguments, 1 where journal or port cannot be used."""
    logging.basicConfig(level=logging.INFO, format="openrouter-otel: exporter: %(message)s")
    try:
        return _serve(parse(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        return _failed(error, 2)
    except NoPortError as error:
        return _failed(f"{error}; --port takes another one", 1)


def _serve(arguments: Arguments) -> int:
    with _told_to_end() as end, contextlib.ExitStack() as stack:
        try:
            journal = None if arguments.journal is None else stack.enter_context(_journal(arguments.journal))
        except JournalError:
            return 1  # it has been said
        registry = CollectorRegistry()
        server = listen(Page(journal, registry), arguments.host, arguments.port)
        if arguments.books is not None:
            account = AccountCollector(arguments.books)
            registry.register(account)
            account.start()
            stack.callback(account.stop)
        if arguments.journal is not None and arguments.resolve is not None:
            Resolving(arguments.journal, arguments.resolve, end).start()
        while not end.wait(0.5):  # not for ever: on some systems a signal is only noticed between two waits
            pass
        server.shutdown()
        server.server_close()
    return 0


@contextlib.contextmanager
def _journal(path: str) -> Iterator[JournalExport]:
    """A journal that can be served, now or once it is there; JournalError where it cannot."""
    with contextlib.closing(JournalExport(path, settings.resolve({}), _versions())) as journal:
        journal.text()
        yield journal


@contextlib.contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Set by Ctrl-C and by whoever ends a service."""
    end = threading.Event()
    before = {sign: signal.signal(sign, lambda *_: end.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield end
    finally:
        end.set()
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _versions() -> dict[str, str]:
    found = {"version": version("openrouter-otel")}
    with contextlib.suppress(PackageNotFoundError):  # nothing here needs it
        found["openai_version"] = version("openai")
    return found


def _failed(why: object, status: int) -> int:
    print(f"openrouter-otel: exporter: {why}", file=sys.stderr)
    return status
