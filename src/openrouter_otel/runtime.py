"""What runs while a program is instrumented: begins calls, and brings each ended one to span, metrics and block.

One guard stands around each emitter, so that a fault in one keeps neither the others nor the program from their work.
"""

from __future__ import annotations

import atexit
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, Span, TracerProvider, get_current_span, set_span_in_context

from openrouter_otel import names
from openrouter_otel import settings as configuration
from openrouter_otel.attribution import Privacy, attribute
from openrouter_otel.call import Call, Clock
from openrouter_otel.context import RunningUsage, charge, current, settle_before_reading
from openrouter_otel.emit.journal import JournalEmitter
from openrouter_otel.emit.labels import clean
from openrouter_otel.emit.metrics import MetricsEmitter
from openrouter_otel.emit.span import close_span, open_span
from openrouter_otel.facts.request import Destinations, Request, read_request
from openrouter_otel.identity import identity
from openrouter_otel.journal.writing import Source, Writer
from openrouter_otel.prices import estimator
from openrouter_otel.quiet import quietly
from openrouter_otel.record import Record, cost_source, estimated
from openrouter_otel.settings import Settings
from openrouter_otel.telemetry import VERSION, Metering, resource, tracer


class _Open(NamedTuple):
    """What a call in progress has open: its span, the blocks it counts for, and the process generation it is of."""

    span: Span
    usages: tuple[RunningUsage, ...]
    generation: int


class Passage:
    """A call while the SDK works on it: its span is current, and what is raised ends it."""

    __slots__ = ("_span", "_token", "call")

    def __init__(self, call: Call, span: Span) -> None:
        self.call = call
        self._span = span
        self._token: Any = None

    @quietly
    def __enter__(self) -> Passage:
        self._token = otel_context.attach(set_span_in_context(self._span))
        return self

    @quietly
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.call.failed(error)
        if self._token is not None:
            otel_context.detach(self._token)


class Runtime:
    """The wiring of one `instrument()`.

    Args:
        settings: how to measure.
        tracer_provider: passed by the application, if any.
        meter_provider: passed by the application, if any.
        openai_version: for the build info.
        clock: tells the time.

    Attributes:
        settings: as given.
        destinations: which hosts are measured.
        metering: where metrics are shown.
    """

    def __init__(
        self,
        settings: Settings,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        openai_version: str,
        clock: Clock = Clock(),  # noqa: B008  # immutable
    ) -> None:
        self.settings = settings
        self.destinations = Destinations(settings.base_urls)
        self._privacy = Privacy(settings.users, settings.user_hash_key)
        self._clock = clock
        self._tracer = tracer(tracer_provider)
        self._open_calls: set[Call] = set()
        self._later: deque[tuple[Call, Record]] = deque()
        self._generation = 0
        self._forked = False
        self._exit_hooked = False
        self._price = estimator() if settings.estimate_costs else None
        versions = {"version": VERSION, "openai_version": openai_version}
        self._metrics = MetricsEmitter(settings, identity, self.settle, versions)
        settle_before_reading(self.settle)
        self.metering = Metering(self._metrics, meter_provider, settings)
        self._journal = _journal(settings, tracer_provider, meter_provider)

    def start(self, client: Any, options: Any, stream: bool) -> Passage | None:
        """Begin a call, or say None: it is not for OpenRouter, not inference, or telemetry is suppressed."""
        # The attributes behind the client's properties, which since openai 3 do more than look.
        base_url, headers = getattr(client, "_base_url", None), getattr(client, "_custom_headers", None)
        request = read_request(self.destinations, base_url or client.base_url, headers, options, stream)
        if request is None or not is_instrumentation_enabled():
            return None
        self._wake()
        if self._later:
            self.settle()
        self.metering.follow()
        attribution = attribute(request, self._privacy)
        now = self._clock.wall()
        span = _opened(self._tracer, request, attribution, now) or _stand_in()
        handle = _Open(span, current().usages, self._generation)
        call = Call(request, attribution, self._clock, self._sink, now, handle)
        self._open_calls.add(call)
        return Passage(call, span)

    def note(self, body: object, request: Request, seconds: float | None, retries: int = 0) -> None:
        """Record a call that was made without the openai client and has just ended."""
        if not is_instrumentation_enabled():
            return
        self._wake()
        answer = request.endpoint.read(body)
        outcome = names.ERROR if answer.failure else names.OK
        attribution = attribute(request, self._privacy)
        started_at = self._clock.wall() - round((seconds or 0.0) * 1e9)
        price = cost_source(answer.usage, outcome, answer.failure)
        record = Record(
            request, attribution, answer, outcome, price, answer.failure, started_at, seconds, None, retries
        )
        span = _opened(self._tracer, request, attribution, started_at) or _stand_in()
        self._emit(_Open(span, current().usages, self._generation), record)

    @quietly
    def settle(self) -> None:
        """Emit what finalizers have left behind."""
        while self._later:
            try:
                call, record = self._later.popleft()
            except IndexError:  # another thread was quicker
                return
            self._emit(call.handle, record)

    @quietly
    def exit(self) -> None:
        """The interpreter ends: streams still open are abandoned, and everything is emitted."""
        for call in list(self._open_calls):
            call.abandoned()
        self.settle()
        self._metrics.settle()
        if self._journal is not None:
            self._journal.finish()

    def rest(self) -> None:
        """We are uninstrumented: emit what is left and stop serving."""
        self.settle()
        self._metrics.settle()
        self.metering.close()
        if self._journal is not None:
            self._journal.finish()

    def reopen(self) -> None:
        """We are instrumented again, with the same settings: counts go on where they stood."""
        self.metering.reopen()
        if self._journal is not None:
            self._journal.reopen()

    @property
    def busy(self) -> bool:
        """Whether calls are under way."""
        return bool(self._open_calls)

    @quietly
    def before_fork(self) -> None:
        """We are about to fork."""
        if self._journal is not None:
            self._journal.before_fork()

    @quietly
    def after_fork(self) -> None:
        """We have forked, and are the parent."""
        if self._journal is not None:
            self._journal.after_fork()

    def fork(self) -> None:
        """We are a forked child: forget the parent's calls and counts, its locks and its socket."""
        self._generation += 1
        self._open_calls = set()
        self._later = deque()
        self._metrics.restart()
        self.metering.forget_parent()
        if self._journal is not None:
            self._journal.restart()
        self._forked = True

    def _wake(self) -> None:
        """The first call of a process is at hand."""
        if self._forked:
            self._forked = False
            self.metering.resume()
            _exit_as_worker(self.exit)
        if not self._exit_hooked:
            # As late as the first call: handlers run in reverse, and providers set up until now must flush after us.
            self._exit_hooked = True
            atexit.register(self.exit)
            _exit_as_worker(self.exit)

    def _sink(self, call: Call, record: Record, *, later: bool) -> None:
        self._open_calls.discard(call)
        if later:
            self._later.append((call, record))
        else:
            self._emit(call.handle, record)

    def _emit(self, opened: object, record: Record) -> None:
        if not isinstance(opened, _Open) or opened.generation != self._generation:
            return  # begun by the process we were forked from, which counts it
        if self._price is not None and record.cost_source == names.UNPRICED:
            record = _estimated(record, self._price) or record
        _close(opened.span, record)
        _count(self._metrics, record)
        if self._journal is not None:
            _keep(self._journal, record)
        _charge(opened.usages, record)


def _journal(
    settings: Settings, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
) -> JournalEmitter | None:
    path = settings.journal
    if path is None:
        return None

    # Not later: it is made in a pool of threads, for which the end of a program is too late.
    default = resource(meter_provider, tracer_provider) or Resource.create()

    def writer() -> Writer:  # as late as the first writing: by then the application's providers are set up
        told = (resource(meter_provider, tracer_provider) or default).attributes
        service = (clean(str(told.get(name, ""))) for name in names.RESOURCE_ATTRIBUTES)
        return Writer(path, Source(identity.process, configuration.run(), *service), settings.journal_retention_days)

    return JournalEmitter(path, writer, settings.metric_tags)


def _exit_as_worker(exit: Callable[[], object]) -> None:
    """Workers of these packages end without the interpreter's exit handlers; they have some of their own."""
    for package in ("multiprocessing", "billiard"):
        process, util = (sys.modules.get(f"{package}.{part}") for part in ("process", "util"))
        if process is not None and util is not None and process.current_process().name != "MainProcess":
            util.Finalize(None, exit, exitpriority=0)
    celery = sys.modules.get("celery.signals")
    if celery is not None:  # the children of its pool pass billiard's handlers by, and call these
        celery.worker_process_shutdown.connect(lambda **_: exit(), weak=False)


def _stand_in() -> Span:
    """For a span that could not be started: an application's span processor that fails costs no call its count."""
    return NonRecordingSpan(get_current_span().get_span_context())


_estimated = quietly(estimated)
_opened = quietly(open_span)
_close = quietly(close_span)
_count = quietly(MetricsEmitter.record)
_keep = quietly(JournalEmitter.record)
_charge = quietly(charge)
