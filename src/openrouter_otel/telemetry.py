"""Which providers telemetry goes to: those passed, else the application's own, else a private one that serves /metrics.

OpenTelemetry's globals are read and never written.
"""

from __future__ import annotations

import logging
from importlib.metadata import version

from opentelemetry import metrics, trace
from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SDKMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Tracer, TracerProvider
from prometheus_client import CollectorRegistry

from openrouter_otel import names, reader
from openrouter_otel.emit import semconv
from openrouter_otel.emit.metrics import MetricsEmitter
from openrouter_otel.metrics_endpoint import ServedMetricReader
from openrouter_otel.settings import Settings

_log = logging.getLogger("openrouter_otel")

VERSION = version("openrouter-otel")


def tracer(provider: TracerProvider | None) -> Tracer:
    """Our tracer; without a provider one that follows the application's, also if it is set later."""
    return trace.get_tracer(names.SCOPE, VERSION, provider)


def resource(meters: MeterProvider | None, tracers: TracerProvider | None) -> Resource | None:
    """The resource of the MeterProvider in use, else of the TracerProvider; None where neither is an SDK's."""
    configuration = getattr(meters or _global_provider(), "_sdk_config", None)  # it has no public way to ask
    found = getattr(configuration, "resource", None) or getattr(
        tracers or trace.get_tracer_provider(), "resource", None
    )
    return found if isinstance(found, Resource) else None


class Metering:
    """Where an emitter's counts are shown.

    Args:
        emitter: has the counts.
        provider: the MeterProvider passed by the application, if any.
        settings: whether to serve /metrics, and whether to emit the GenAI conventions' own metrics.

    Attributes:
        theirs: the application's MeterProvider, which is in use; None: there was none.
    """

    def __init__(self, emitter: MetricsEmitter, provider: MeterProvider | None, settings: Settings) -> None:
        self._emitter = emitter
        self._gen_ai = settings.semconv_metrics
        serve = settings.serve_metrics
        self._private: ServedMetricReader | None = None
        self.theirs = provider or _global_provider()
        if self.theirs is not None:
            self._bind(self.theirs)
            if not reader.readers() and not serve:
                _log.info(
                    "the MeterProvider in use has no reader of ours; for exact reports from Prometheus give it"
                    " openrouter_otel.metrics_reader()"
                )
        self._serves = serve if serve is not None else self.theirs is None
        self._watches_for_a_provider = self.theirs is None
        if self._serves:
            self._open_private()

    @property
    def port(self) -> int | None:
        """Where we serve /metrics ourselves; None: nowhere."""
        server = self._private.server if self._private is not None else None
        return server.server_port if server is not None else None

    def follow(self) -> None:
        """Say once that a MeterProvider has appeared which we do not use."""
        if self._watches_for_a_provider and _global_provider() is not None:
            self._watches_for_a_provider = False
            _log.warning(
                "a MeterProvider was set after instrument(), so openrouter metrics are not on it; set it before, or"
                " pass it as instrument(meter_provider=...)"
            )

    def forget_parent(self) -> None:
        """Let go of what a forked child shares with its parent; nothing is shut down, it is still in use there."""
        if self._private is not None:
            reader.forget(self._private)
            self._emitter.unbind_last()
            self._private = None

    def resume(self) -> None:
        """Show the counts of a forked child: on a socket and port of its own where we serve."""
        for one in reader.readers():
            one.resume()
        if self._serves:
            self._open_private()

    def close(self) -> None:
        """Stop what we serve ourselves."""
        if self._private is not None:
            reader.forget(self._private)
            self._emitter.unbind_last()
            self._private.shutdown()
            self._private = None

    def reopen(self) -> None:
        """Serve again what `close` stopped."""
        if self._serves and self._private is None:
            self._open_private()

    def _open_private(self) -> None:
        self._private = ServedMetricReader(CollectorRegistry())
        # A pull reader has nothing to flush at exit, and in a forked child the parent's must be left alone.
        provider = SDKMeterProvider([self._private], shutdown_on_exit=False)
        self._bind(provider)

    def _bind(self, provider: MeterProvider) -> None:
        owner = semconv.owner(provider) if self._gen_ai else None
        if owner:
            _log.warning("semconv_metrics is left out: %s has the gen_ai.client metrics of this MeterProvider", owner)
        self._emitter.bind(_meter(provider), gen_ai=self._gen_ai and not owner)


def _meter(provider: MeterProvider) -> Meter:
    return provider.get_meter(names.SCOPE, VERSION)


def _global_provider() -> MeterProvider | None:
    """The application's MeterProvider; None while nothing but OpenTelemetry's stand-in is set."""
    provider = metrics.get_meter_provider()
    return None if type(provider).__name__ == "_ProxyMeterProvider" else provider
