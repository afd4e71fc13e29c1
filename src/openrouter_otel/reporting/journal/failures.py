"""SQL of the errors that came last, with what OpenRouter said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting.evidence import FailedCall
from openrouter_otel.reporting.journal.opened import Journal
from openrouter_otel.reporting.period import Interval

RECENT: Final = 20
_TYPE: Final = names.label(names.ERROR_TYPE)
_FAILED: Final = f"""SELECT series_id, ended_at, error_message FROM calls WHERE ended_at >= ? AND ended_at < ?
    AND series_id IN (SELECT id FROM series WHERE outcome = '{names.ERROR}')"""


def recent(journal: Journal, span: Interval) -> tuple[FailedCall, ...]:
    """The last errors of some time (ms), the newest first."""
    query = f"{_FAILED} {journal.asked} ORDER BY ended_at DESC, id DESC LIMIT {RECENT}"
    found = journal.connection.execute(query, (span.since, span.until))
    return tuple(_failed(journal.labels[series], at, message) for series, at, message in found)


def _failed(labels: Mapping[str, str], at: int, message: str | None) -> FailedCall:
    asked_for = labels.get(names.REQUESTED_MODEL) or labels.get(names.MODEL) or names.UNKNOWN
    return FailedCall(at, asked_for, labels.get(_TYPE, names.UNKNOWN), message)
