"""One line on standard error that says how far the reading has come; nothing where it is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from typing import Final, TextIO

PATIENCE: Final = 1.0  # seconds of silence: most reports are done by then
PAUSE: Final = 0.1
CLEAR: Final = "\r\x1b[K"


class Progress:
    """Counts answers. Safe to be used from several threads.

    Args:
        stream: where to tell; None for nowhere.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._began = self._told = time.monotonic()
        self._answers = 0
        self._part = ""
        self._shown = False

    @classmethod
    def to_terminal(cls) -> Progress:
        """On standard error, if somebody is watching."""
        watched = sys.stderr is not None and sys.stderr.isatty()
        return cls(sys.stderr if watched else None)

    def part(self, name: str) -> None:
        """Tell what is being read."""
        self._part = name
        self._tell()

    def step(self) -> None:
        """One more answer has come."""
        with self._lock:
            self._answers += 1
        self._tell()

    def done(self) -> None:
        """Leave the line as it was."""
        if self._stream is not None and self._shown:
            self._stream.write(CLEAR)
            self._stream.flush()
            self._shown = False

    def _tell(self) -> None:
        now = time.monotonic()
        if self._stream is None or now - self._began < PATIENCE or now - self._told < PAUSE:
            return
        with self._lock:
            self._told, self._shown = now, True
            self._stream.write(f"{CLEAR}reading {self._part}: {self._answers} answers, {now - self._began:.0f} s")
            self._stream.flush()
