"""What a source told about usage: the hand-over from reading to reckoning. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from typing import Final

from openrouter_otel.reporting.books import Book
from openrouter_otel.reporting.coverage import Coverage
from openrouter_otel.reporting.distributions import Distributions
from openrouter_otel.reporting.period import DAY, Interval
from openrouter_otel.reporting.restarts import Restarts

LONG_AGO: Final = 5 * 366 * DAY
ROLLING: Final = {"last_24h": DAY, "last_7d": 7 * DAY, "last_30d": 30 * DAY}


class SourceError(Exception):
    """The source cannot be reached or does not answer; the text is one sentence for the user."""


@dataclass(frozen=True)
class Session:
    """Calls of the period that have a session in common.

    Attributes:
        users: who made them, sorted.
        tokens: input and output, as far as told.
        cost: USD of those whose price is known; None where not one is.
        first: when the first of them ended (ms).
        last: when the last of them did.
    """

    session_id: str
    users: tuple[str, ...]
    requests: int
    tokens: int
    cost: Decimal | None
    errors: int
    first: int
    last: int


@dataclass(frozen=True)
class FailedCall:
    """A call that failed.

    Attributes:
        at: when it ended (ms).
        model: the one that was asked for.
        type: ``error.type``.
        message: OpenRouter's own; None where it told none, or one that might quote a prompt.
    """

    at: int
    model: str
    type: str
    message: str | None


@dataclass(frozen=True)
class SingleCalls:
    """What only a source of single calls can tell.

    Attributes:
        sessions: the dearest ones, the dearest first.
        failed: the last calls of the period that failed, the newest first.
    """

    sessions: tuple[Session, ...]
    failed: tuple[FailedCall, ...]


@dataclass(frozen=True)
class Evidence:
    """What a source told about usage.

    Attributes:
        source: its kind and its address, without secrets, as the report repeats them.
        identity: how counters are told apart, where the source settles that; None: by what their labels say.
        tz: the zone that days and hours are local to.
        now: the source's clock in ms.
        period: what was asked for.
        previous: the one before it, to compare with.
        month: the running local month, up to now.
        explicit: whether the start was asked for, rather than the default.
        data_since: the earliest sample in ms, None where there is none.
        books: entries by the metric's Prometheus name.
        distributions: how durations and rates are spread over the period.
        coverage: how completely processes were seen.
        warnings: what the source itself warned of.
        restarts: what start times told of processes without a `process` label.
        notes: what went wrong on our side and took nothing away from the figures.
        values: what the labels that were filtered by were seen to be, by label (`filters.Sieve`).
        calls: what only a source of single calls can tell; None: this one knows none.
    """

    source: Mapping[str, str]
    tz: tzinfo
    now: int
    period: Interval
    previous: Interval
    month: Interval
    explicit: bool
    data_since: int | None
    books: dict[str, Book]
    distributions: Distributions
    coverage: Coverage
    warnings: tuple[str, ...]
    restarts: Restarts = field(default_factory=Restarts)
    notes: tuple[str, ...] = ()
    values: Mapping[str, Iterable[str]] = field(default_factory=dict)
    identity: str | None = None
    calls: SingleCalls | None = None

    def interval(self, name: str) -> Interval:
        """One of the summary's intervals by its name in the report."""
        if name == "period":
            return self.period
        return Interval(self.now - ROLLING[name] if name in ROLLING else -LONG_AGO, self.now)
