"""Which group each series of each metric belongs to: by model, by user, by any label that `--group-by` names. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.books import Key
from openrouter_otel.reporting.filters import PARTIAL
from openrouter_otel.reporting.identity import OVERFLOWN, TAG, Series
from openrouter_otel.reporting.tally import Tally

# The key of one metric's series (and one part of a histogram's).
KeyFor = Callable[[Tally, names.Metric, str], Key]

NAMED: Final = {"service": names.label(names.SERVICE_NAME), "environment": names.label(names.ENVIRONMENT)}
KEYS: Final = {
    names.MODEL: books.model,
    names.UPSTREAM: books.provider,
    names.USER: books.user,
    names.REQUESTED_MODEL: books.requested_model,
}
KNOWN: Final = (*KEYS, names.OPERATION, names.OUTCOME, *NAMED)


class GroupingError(ValueError):
    """A label that nothing can be grouped by; the text is one sentence for the user."""


def always(key: Key) -> KeyFor:
    """The same key for every metric."""
    return lambda _tally, _metric, _part: key


def label(group_by: str) -> str:
    """The label's name on /metrics; GroupingError where only some metrics have it."""
    name = NAMED.get(group_by) or names.label(group_by)
    if not name or (name in PARTIAL and name != names.OUTCOME):
        takes = ", ".join(KNOWN)
        raise GroupingError(f"--group-by {group_by!r}: not every figure is kept by it; it takes {takes}, tag.team ...")
    return name


def by_label(group_by: str) -> KeyFor:
    """Any label, also one that is not part of a series' identity; what is without it is under ``(unknown)``."""
    name = label(group_by)
    if name in KEYS:
        return always(KEYS[name])

    def key_for(tally: Tally, metric: names.Metric, part: str) -> Key:
        if name == names.OUTCOME and metric is names.ERRORS:
            return lambda _series: names.ERROR  # an error's outcome needs no label
        book = tally.book(metric, part)

        def key(series: Series) -> str:
            absent = names.OVERFLOW if series.get(OVERFLOWN) == "true" else names.UNKNOWN
            return book.label_of(series, name) or absent

        return key

    return key_for


def doubt(tally: Tally, group_by: str) -> str | None:
    """One sentence where the table by this label is not what one would expect, else None."""
    name = label(group_by)
    if name == names.OUTCOME and not all(series.get(name) for series in tally.book(names.TOKENS)):
        return f"tokens are not counted by outcome: the table by outcome has all of them under {names.UNKNOWN}"
    calls = tally.book(names.REQUESTS)
    if name in KEYS or any(calls.label_of(series, name) for series in calls) or not any(True for _ in calls):
        return None
    tags = sorted({label for series in calls for label, _ in series.labels if label.startswith(TAG)})
    return f"no call has the label {name}; there are {', '.join([*KNOWN, *tags])}"
