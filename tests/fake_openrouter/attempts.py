"""Which attempt of a call a request is, so that a fault can strike the first two and spare the third."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final

from .scenario import Scenario

_COUNT: Final = "x-stainless-retry-count"


class Attempts:
    """Reads the client's own count; for clients that send none (openai before 1.46) it counts itself."""

    def __init__(self) -> None:
        self._seen: Counter[object] = Counter()
        self._lock = threading.Lock()

    def number(self, headers: Mapping[str, str], content: bytes, scenario: Scenario) -> int:
        """0 for a first attempt."""
        if _COUNT in headers:
            return int(headers[_COUNT])
        key = self._key(headers, content, scenario)
        with self._lock:
            attempt = self._seen[key]
            # An idempotency key is one call's for ever; a repeated body becomes a new call once it has succeeded.
            spared = attempt >= scenario.failures and "idempotency-key" not in headers
            self._seen[key] = 0 if spared else attempt + 1
        return attempt

    def _key(self, headers: Mapping[str, str], content: bytes, scenario: Scenario) -> object:
        return headers.get("idempotency-key") or (scenario.key or content, headers.get("x-scenario"))
