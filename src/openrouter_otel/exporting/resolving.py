"""Prices calls while an exporter runs; trouble is told once and tried again."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import Final

from openrouter_otel.journal.resolving import WaitingCalls
from openrouter_otel.journal.store import JournalError, NothingYetError
from openrouter_otel.openrouter_api import OpenRouter, OpenRouterError
from openrouter_otel.resolver import Resolver

_log = logging.getLogger("openrouter_otel")

_EVERY: Final = (1.0, 10.0)  # seconds between two looks at a journal: at least, at most
_PAUSE: Final = 60.0  # seconds after trouble


class Resolving:
    """A thread that prices the calls of one journal.

    Args:
        path: the journal; it need not be there yet.
        api: OpenRouter, with a key of the account that made the calls.
        end: set when it is time to go.
    """

    def __init__(self, path: str, api: OpenRouter, end: threading.Event) -> None:
        self._path = path
        self._end = end
        self._resolver = Resolver(api, sleep=end.wait)
        self._trouble = ""

    def start(self) -> None:
        """Work until the end."""
        threading.Thread(target=self._work, name="openrouter-otel resolver", daemon=True).start()

    def _work(self) -> None:
        pause = 0.0
        while not self._end.wait(pause):
            pause = self._look()

    def _look(self) -> float:
        """Price what can be priced now; seconds until there may be more."""
        try:
            with contextlib.closing(WaitingCalls(self._path)) as calls:
                due = self._resolver.work(calls)
        except NothingYetError:
            due = None
        except (JournalError, OpenRouterError) as error:
            self._tell(str(error))
            return _PAUSE
        self._trouble = ""
        least, most = _EVERY
        return most if due is None else min(max(due - time.time(), least), most)

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            _log.warning("calls of unknown price stay so for now: %s", trouble)
