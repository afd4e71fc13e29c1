"""A journal as a scrape shows it: the metrics of the programs that write it, under one identity that never resets.

Counters come from the journal's sums of all time, so they survive a restart of the exporter and a pruning. They are
read when something has been written since the last scrape, and put into text once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from openrouter_otel.emit.counting import minute
from openrouter_otel.exporting.figures import Figures
from openrouter_otel.exposition import Exposition
from openrouter_otel.journal.store import JournalError, NothingYetError
from openrouter_otel.journal.totals import TotalsReader
from openrouter_otel.settings import Settings

_log = logging.getLogger("openrouter_otel")

_MINUTE_MS: Final = 60_000


class JournalExport:
    """Serves one journal, whatever becomes of its file. Safe for many threads.

    Where the file cannot be read nothing of it is served: a gap is seen for what it is, old figures would not be.

    Args:
        path: the file; it need not be there yet.
        settings: the caps.
        versions: attributes of the build info.
        clock: nanoseconds since the epoch.
    """

    def __init__(
        self, path: str, settings: Settings, versions: Mapping[str, str], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._path = path
        self._settings = settings
        self._versions = versions
        self._clock = clock
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._trouble = ""

    def text(self) -> str:
        """What there is to scrape, empty where nothing has been written yet; JournalError where it cannot be read."""
        with self._lock:
            try:
                text = self._read()
            except JournalError as error:
                self._let_go()
                self._tell(error)
                if isinstance(error, NothingYetError):
                    return ""
                raise
            if self._trouble:
                self._trouble = ""
                _log.info("the journal %s is served", self._path)
            return text

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()

    def _read(self) -> str:
        if self._open is not None and self._open.reader.replaced:
            self._let_go()
        if self._open is None:
            self._open = _Open(self._path, self._settings, self._versions)
        return self._open.text(self._clock())

    def _let_go(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.reader.close()

    def _tell(self, error: JournalError) -> None:
        """Say what is the matter, once."""
        if self._trouble == str(error):
            return
        self._trouble = str(error)
        if isinstance(error, NothingYetError):
            _log.info("nothing to show of %s yet: %s; what programs write to it will be served", self._path, error)
        else:
            _log.warning("the journal %s cannot be read, and nothing of it is served: %s", self._path, error)


class _Open:
    """A journal that is open.

    Raises:
        JournalError: it cannot be read.
    """

    def __init__(self, path: str, settings: Settings, versions: Mapping[str, str]) -> None:
        self.reader = TotalsReader(path)
        self._figures = Figures(self.reader.identity, self.reader.began, settings, versions)
        self._counted = Exposition({})
        self._recent = Exposition({})
        self._text = ""

    def text(self, now: int) -> str:
        news = self.reader.news()
        if news is not None:
            self._text = self._counted.write_points(self._figures.counted(news))
        recent = self.reader.extremes((minute(now) - 1) * _MINUTE_MS)
        return self._text + self._recent.write_points(self._figures.extremes(recent))
