"""Shows what has been counted: observable instruments over our own sums, and the SDK's histograms.

Records arrive through an inbox, so that no finalizer and no signal handler ever waits for a lock here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from openrouter_otel import names
from openrouter_otel.emit.counting import Counting, minute
from openrouter_otel.emit.histograms import Histograms
from openrouter_otel.emit.semconv import GenAIHistograms
from openrouter_otel.identity import Identity
from openrouter_otel.inbox import Inbox
from openrouter_otel.quiet import quietly
from openrouter_otel.record import Record
from openrouter_otel.settings import Settings

_FEW: Final = 32  # records counted in a row: about half a millisecond
_SETTLE_WAIT: Final = 1.0  # seconds a scrape waits for a thread that is counting


class MetricsEmitter:
    """Counts Records and shows the counts on one or more meters.

    Args:
        settings: caps, tags and buckets.
        identity: who counts.
        settle: called before a collection reads, so that what finalizers left behind is in it.
        versions: of us and of the openai client, for the build info.
    """

    def __init__(
        self, settings: Settings, identity: Identity, settle: Callable[[], object], versions: dict[str, str]
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._settle = settle
        self._versions = versions
        self._recorders: list[list[Histograms | GenAIHistograms]] = []
        self.restart()

    def restart(self) -> None:
        """Forget every count and every lock, as after a fork, and count under today's identity."""
        self._counting = Counting(self._settings, self._identity.process)
        self._inbox: Inbox[Record] = Inbox(self._take)

    def record(self, record: Record) -> None:
        """Leave a Record to be counted: when somebody looks, at the end, or with the next few.

        Counting a few in a row costs two thirds of counting each on its own between a program's other work, whose data
        it would have to fetch from memory every time.
        """
        self._inbox.put(record)
        if len(self._inbox) >= _FEW:
            self._inbox.settle()

    def settle(self) -> None:
        """Count what has been left."""
        _settled(self._inbox, _SETTLE_WAIT)

    def bind(self, meter: Meter, *, gen_ai: bool = False) -> None:
        """Show the counts on one more meter, on request with the GenAI conventions' own metrics."""
        for metric in names.METRICS:
            if metric.kind == "counter":
                meter.create_observable_counter(metric.name, [self._observer(metric)], metric.unit, metric.description)
            elif metric.kind == "gauge":
                meter.create_observable_gauge(metric.name, [self._observer(metric)], metric.unit, metric.description)
        recorders: list[Histograms | GenAIHistograms] = [Histograms(meter, self._settings)]
        if gen_ai:
            recorders.append(GenAIHistograms(meter, self._settings.max_series))
        self._recorders.append(recorders)

    def unbind_last(self) -> None:
        """Record no longer on the meter bound last: it belonged to the process we were forked from."""
        self._recorders.pop()

    def _take(self, record: Record) -> None:
        counting = self._counting
        if not counting.add(record):
            return
        for recorders in self._recorders:
            for recorder in recorders:
                recorder.record(record, counting)

    def _observer(self, metric: names.Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            self._settle()
            self.settle()
            return list(_SHOWN.get(metric, MetricsEmitter._sums)(self, metric))

        return observe

    def _sums(self, metric: names.Metric) -> Iterable[Observation]:
        counting = self._counting
        return [Observation(counting.sum(series), series.attributes) for series in counting.families[metric].all()]

    def _extremes(self, metric: names.Metric) -> Iterable[Observation]:
        counting, now = self._counting, minute(time.time_ns())
        for series in counting.families[names.DURATION_MIN].all():
            value = counting.extremes.extreme(series, now, longest=metric is names.DURATION_MAX)
            if value is not None:
                yield Observation(value, series.attributes)

    def _build_info(self, metric: names.Metric) -> Iterable[Observation]:
        yield Observation(1, {names.PROCESS: self._counting.process, **self._versions})

    def _process_start(self, metric: names.Metric) -> Iterable[Observation]:
        yield Observation(self._identity.started_at, {names.PROCESS: self._counting.process})


_SHOWN: Final[dict[names.Metric, Callable[[MetricsEmitter, names.Metric], Iterable[Observation]]]] = {
    names.DURATION_MIN: MetricsEmitter._extremes,
    names.DURATION_MAX: MetricsEmitter._extremes,
    names.BUILD_INFO: MetricsEmitter._build_info,
    names.PROCESS_START: MetricsEmitter._process_start,
}


_settled = quietly(Inbox.settle)
