"""Waiting for what other processes do."""

from __future__ import annotations

import sqlite3
import time
import urllib.error
from collections.abc import Callable
from typing import Any


def until(true: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for something to hold; what nobody answers yet, and a journal without tables, do not."""
    end = time.monotonic() + seconds
    while not _holds(true):
        assert time.monotonic() < end
        time.sleep(0.05)


def _holds(true: Callable[[], Any]) -> bool:
    try:
        return bool(true())
    except urllib.error.HTTPError:
        raise  # an answer, and no good one
    except (OSError, sqlite3.OperationalError):
        return False
