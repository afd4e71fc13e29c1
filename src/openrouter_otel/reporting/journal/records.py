"""SQL of a journal's rows, handed out one by one as they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from openrouter_otel.journal.schema import RECORD_COLUMNS
from openrouter_otel.reporting.filters import Filters
from openrouter_otel.reporting.journal.opened import opened
from openrouter_otel.reporting.journal.sums import NEVER
from openrouter_otel.reporting.latency import DIGITS
from openrouter_otel.reporting.period import Asked, iso

# What the view `records` has besides, but for what is there under another name or in another unit.
MORE: Final = (
    "cost_source",
    "requested_model",
    "finish_reason",
    "native_finish_reason",
    "stream",
    "byok",
    "retries",
    "first_token",
    "first_chunk",
    "details",
    "charged",
    "estimated",
    "provider_cost",
    "resolved_at",
    "service_name",
    "service_instance_id",
    "environment",
    "process",
    "pid",
    "run",
    "id",
)
COLUMNS: Final = (*RECORD_COLUMNS, *MORE)
_QUERY: Final = f"SELECT {', '.join(COLUMNS)} FROM records WHERE timestamp >= ? AND timestamp < ?"

Record = Mapping[str, Any]


def read(path: str, asked: Asked, filters: Filters, now: int) -> Iterator[Record]:
    """The calls of a period, oldest first, by column; None is "not told".

    Instants are ISO 8601, money is Decimal USD, ``latency_ms`` is rounded to a nanosecond, ``first_token`` and
    ``first_chunk`` are seconds, ``tags`` and ``details`` are mappings.

    Args:
        path: the journal's file.
        asked: the period.
        filters: which calls.
        now: the clock (ms).

    Raises:
        SourceError: the journal cannot be read.
        PeriodError: the period makes no sense now.
    """
    period = asked.at(now)
    instant = partial(iso, tz=asked.tz)
    readers: dict[str, Callable[[Any], Any]] = {
        "timestamp": instant,
        "resolved_at": instant,
        "latency_ms": partial(round, ndigits=DIGITS),
        **dict.fromkeys(("cost", "charged", "estimated", "provider_cost"), Decimal),
        **dict.fromkeys(("tags", "details"), json.loads),
        **dict.fromkeys(("stream", "byok"), bool),
    }
    with opened(path, filters) as journal:
        until = NEVER if period.until == now else period.until
        query = f"{_QUERY} {journal.asked} ORDER BY timestamp, id"
        for row in journal.connection.execute(query, (period.since, until)):
            yield {
                column: value if value is None or column not in readers else readers[column](value)
                for column, value in zip(COLUMNS, row, strict=True)
            }
