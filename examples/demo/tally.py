"""What an application counted itself, in its own ``try`` and ``except``: a file with one JSON line per event.

It knows nothing of our instrumentation, so requests, errors and retries can be held against it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

CALL = "call"
ERROR = "error"
ATTEMPT = "attempt"
DONE = "done"


class Tally:
    """The writing side, one per process."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def count(self, event: str) -> None:
        """Write an event down at once, so that it outlives the process."""
        with self._lock:
            self._file.write(json.dumps({"event": event}) + "\n")

    def close(self) -> None:
        """Done counting."""
        self._file.close()


@dataclass(frozen=True)
class Counted:
    """The reading side, added up; whatever was sent more than once per call is a retry."""

    calls: int
    errors: int
    retries: int
    done: int


def counted(*paths: Path) -> Counted:
    """Add up the tallies of some processes."""
    events: Counter[str] = Counter()
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        events.update(json.loads(line)["event"] for line in lines)
    return Counted(events[CALL], events[ERROR], events[ATTEMPT] - events[CALL], events[DONE])
