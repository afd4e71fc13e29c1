"""The sums of one process: what a Record changes, and nothing about how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from openrouter_otel import names
from openrouter_otel.emit.extremes import Extremes
from openrouter_otel.emit.increments import increments
from openrouter_otel.emit.labels import Users, clean
from openrouter_otel.emit.series import Base, Family, Series
from openrouter_otel.exact import plus
from openrouter_otel.record import Record
from openrouter_otel.settings import Settings

_LAST: Final = None  # the key under which the last committed Record stands among the sums


class Counting:
    """Exact sums behind a process' counters.

    OpenTelemetry's counters add floats and forget attributes beyond a limit of their own; these add Decimals and
    integers and keep every total right when a cap is reached. A Record's changes are computed first and committed,
    together with the Record itself, by one `dict.update` that neither another thread nor a signal can cut in two.

    Args:
        settings: caps and tags.
        process: the identity on every series.
    """

    def __init__(self, settings: Settings, process: str) -> None:
        self.process = process
        self.families = {metric: Family(metric, process, settings.max_series) for metric in names.USAGE_METRICS}
        self.extremes = Extremes()
        self._sums: dict[Series | None, Any] = {_LAST: None}
        self._users = Users(settings.max_users, "max_users")
        self._histogram_users = Users(settings.max_histogram_users, "max_histogram_users")
        self._tags = settings.metric_tags
        self._bases: dict[tuple[str | None, ...], Base] = {}
        self._max_bases = 4 * settings.max_series

    def sum(self, series: Series) -> float:
        """A sum as the float64 nearest to it."""
        return float(self._sums.get(series, 0))

    def add(self, record: Record) -> bool:
        """Count a Record; False if it was counted already (see `Inbox`)."""
        if self._sums[_LAST] is record:
            return False
        base, user = self._base(record), self._users.label(record.attribution.user)
        changes: dict[Series | None, Any] = {_LAST: record}
        for metric, extra, amount in increments(record):
            series = self.families[metric].find(base, user, extra)
            known = changes.get(series, self._sums.get(series, 0))
            changes[series] = plus(amount, known) if isinstance(amount, Decimal) else known + amount
        self._sums.update(changes)
        if record.outcome == names.OK and record.duration is not None:
            # Both gauges have the same attributes, so one family serves both.
            series = self.families[names.DURATION_MIN].find(base, None)
            self.extremes.saw(series, minute(record.ended_at), record.duration)
        return True

    def histogram_attributes(
        self, metric: names.Metric, record: Record, extra: tuple[str | None, ...] = ()
    ) -> Mapping[str, str]:
        """The attributes of one observation, under the histograms' own cap on users."""
        user = self._histogram_users.label(record.attribution.user)
        return self.families[metric].find(self._base(record), user, extra).attributes

    def _base(self, record: Record) -> Base:
        tags = record.attribution.tags
        key = (
            record.answer.model,
            record.request.model,
            record.provider,
            record.request.operation,
            *map(tags.get, self._tags),
        )
        base = self._bases.get(key)
        if base is None:
            if len(self._bases) > self._max_bases:
                self._bases.clear()
            base = self._bases[key] = Base(self._attributes(record))
        return base

    def _attributes(self, record: Record) -> dict[str, str]:
        model, requested = record.model, record.request.model
        known = {
            names.MODEL: model,
            names.REQUESTED_MODEL: requested if requested != model else None,
            names.UPSTREAM: record.provider,
            names.OPERATION: record.request.operation,
            **{names.TAG_PREFIX + tag: record.attribution.tags.get(tag) for tag in self._tags},
        }
        return {name: cleaned for name, value in known.items() if value and (cleaned := clean(value))}


def minute(nanoseconds: int) -> int:
    """The minute since the epoch."""
    return nanoseconds // 60_000_000_000
