"""Asks a Prometheus for what the checks need: values, and what it says about itself where it does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openrouter_otel import names
from openrouter_otel.reporting.access import Access
from openrouter_otel.reporting.address import Address
from openrouter_otel.reporting.ledger import Reading
from openrouter_otel.reporting.prometheus import Prometheus
from openrouter_otel.reporting.transport import NoAnswerError, Transport

MINUTE: Final = 60_000  # ms
WINDOWS: Final = {10 * MINUTE: "10 minutes", 60 * MINUTE: "hour", 1440 * MINUTE: "day", 43_200 * MINUTE: "30 days"}
SAMPLE: Final = 20  # processes looked at more closely

START: Final = names.PROCESS_START.prometheus
# However a backend has spelt us: with dots, with a prefix, without a suffix.
OURS: Final = '{__name__=~"(.*[.:_])?openrouter[._](requests|otel[._]build|process[._]start).*"}'
# The same as the reports know us.
WELL_NAMED: Final = f'{{__name__=~"{names.REQUESTS.prometheus}|{names.BUILD_INFO.prometheus}|{START}"}}'


class Source:
    """One Prometheus.

    Args:
        url: as the report takes it; AddressError if it is none.
        access: how it lets us in; AccessError if that cannot be.
        timeout: seconds that one answer may take.
    """

    def __init__(self, url: str, access: Access, timeout: float) -> None:
        self._prometheus = Prometheus(url, access, timeout)
        self._transport = Transport(Address.parse(url), access, timeout)
        self.url = self._prometheus.url

    def now(self) -> int:
        """Its clock in ms; SourceError where it cannot be reached or does not answer."""
        return self._prometheus.now()

    def ask(self, query: str, at: int) -> list[Reading]:
        """A query at an instant (ms); SourceError."""
        return self._prometheus.instant(query, at)

    def steps(self, query: str, first: int, last: int, step: int) -> list[Reading]:
        """A query at many instants (ms); SourceError."""
        return self._prometheus.range(query, first, last, step)

    def number(self, query: str, at: int) -> float | None:
        """The one value of a query; None where it has none."""
        found = self.ask(query, at)
        return float(found[0].points[-1][1]) if found and found[0].points else None

    def about(self, endpoint: str) -> Mapping[str, Any]:
        """What it says about itself at an endpoint; nothing where it does not: not every backend is a Prometheus."""
        try:
            return self._transport.get(endpoint, _data)
        except NoAnswerError:
            return {}


def _data(status: int, pieces: Iterator[bytes]) -> Mapping[str, Any]:
    try:
        data = json.loads(b"".join(pieces))["data"]
    except (ValueError, KeyError, TypeError):
        return {}
    return data if status == 200 and isinstance(data, dict) else {}


def within(selector: str, window: int) -> str:
    """The last value of each series within a window (ms)."""
    return f"last_over_time({selector}[{window}ms])"


def a_few(selector: str, window: int, matching: str = "") -> str:
    """Some of the processes with samples within a window (ms), the longest-lived first."""
    return f"bottomk({SAMPLE}, {within(f'{selector}{matching}', window)})"


def one_of(processes: Mapping[str, object] | list[str]) -> str:
    """Matches processes, whose names are hex digits."""
    return f'{{{names.PROCESS}=~"{"|".join(sorted(re.sub("[^0-9a-f]", "", process) for process in processes))}"}}'
