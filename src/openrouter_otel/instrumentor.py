"""`OpenRouterInstrumentor`: resolves the settings once, opens the doors, and closes them again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # untyped

from openrouter_otel import finalizing
from openrouter_otel import settings as configuration
from openrouter_otel.context import usage_context
from openrouter_otel.facts.endpoints import ENDPOINTS, endpoint_of
from openrouter_otel.facts.reading import field, text
from openrouter_otel.facts.request import HOST, Request
from openrouter_otel.identity import identity
from openrouter_otel.quiet import quietly
from openrouter_otel.runtime import Passage, Runtime

_log = logging.getLogger("openrouter_otel")


class OpenRouterInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # untyped base
    """Measures every call to OpenRouter that goes through the openai client.

    ``OpenRouterInstrumentor().instrument()`` is all it takes; clients made before are measured too. `instrument` takes
    ``tracer_provider``, ``meter_provider`` and the settings of the README's table as keyword arguments; they beat the
    environment.

    Raises:
        ValueError: a keyword argument is unknown or has a value that the setting does not take.
    """

    _runtime: Runtime | None = None
    _made_from: tuple[object, ...] = ()
    _doors: Any = None
    _by_hand = False
    _automatic = False

    def instrument(self, **kwargs: Any) -> None:
        """Begin to measure; see the class. What `openrouter-otel run` has begun gives way to the program's own wish."""
        cls = type(self)
        cls._by_hand = True
        if cls._automatic:
            cls._automatic = False
            self.uninstrument()
        super().instrument(**kwargs)

    def instrumentation_dependencies(self) -> Collection[str]:
        """The client versions that are known to work."""
        return ("openai >= 1.40, < 4",)

    def _instrument(self, **kwargs: Any) -> None:
        if configuration.sdk_disabled():
            _log.info("OTEL_SDK_DISABLED is set: nothing is measured")
            return
        from openrouter_otel import watch  # not before it is known that the client is installed

        tracer_provider, meter_provider = kwargs.pop("tracer_provider", None), kwargs.pop("meter_provider", None)
        resolved = configuration.resolve(kwargs)
        made_from = (resolved, tracer_provider, meter_provider)
        cls = type(self)
        if cls._runtime is not None and cls._made_from == made_from:
            cls._runtime.reopen()  # counts go on where they stood
        else:
            if cls._runtime is not None:
                identity.renew()
            cls._runtime = Runtime(resolved, tracer_provider, meter_provider, watch.VERSION)
            cls._made_from = made_from
        cls._doors = watch.Doors(_start)
        cls._doors.open()

    def _uninstrument(self, **kwargs: Any) -> None:
        cls = type(self)
        if cls._doors is not None:
            cls._doors.close()
        if cls._runtime is not None:
            if not cls._runtime.busy:
                finalizing.ignore()  # else streams still open may yet be closed by the garbage collector
            cls._runtime.rest()


def automatically() -> None:
    """Measure a program that `openrouter-otel run` has started, unless it does so itself."""
    if not OpenRouterInstrumentor._by_hand:
        BaseInstrumentor.instrument(OpenRouterInstrumentor())
        OpenRouterInstrumentor._automatic = True


def record(
    response: object,
    *,
    latency_ms: float | None = None,
    model: str | None = None,
    user: str | None = None,
    session: str | None = None,
    tags: Mapping[str, object] | Iterable[str] | None = None,
) -> None:
    """Count a completion or response that was made without the openai client.

    Works after `instrument()`; before it, one WARNING says so. Never raises.

    Args:
        response: OpenRouter's answer, as a dict or as an object with the same members.
        latency_ms: how long the call took, in milliseconds; unknown if left out.
        model: the requested model; the answer's if left out.
        user: the end user; else that of the enclosing `usage_context`.
        session: the session; likewise.
        tags: a mapping or a list of words, over those of the enclosing block.
    """
    runtime = OpenRouterInstrumentor._runtime
    if configuration.sdk_disabled():
        return
    if runtime is None or not OpenRouterInstrumentor().is_instrumented_by_opentelemetry:
        _warn_uninstrumented()
        return
    _note(runtime, response, latency_ms, model, user, session, tags)


@quietly
def _note(
    runtime: Runtime,
    response: object,
    latency_ms: float | None,
    model: str | None,
    user: str | None,
    session: str | None,
    tags: Mapping[str, object] | Iterable[str] | None,
) -> None:
    route = endpoint_of(response)
    operation = ENDPOINTS[route].operation
    request = Request(operation, model or text(field(response, "model")), False, HOST, None, route=route)
    with usage_context(user, session, tags):
        runtime.note(response, request, None if latency_ms is None else latency_ms / 1000)


_warned: list[bool] = []


def _warn_uninstrumented() -> None:
    if not _warned:
        _warned.append(True)
        _log.warning("record() counts nothing before OpenRouterInstrumentor().instrument()")


def _start(client: Any, options: Any, stream: bool) -> Passage | None:
    runtime = OpenRouterInstrumentor._runtime
    return None if runtime is None else runtime.start(client, options, stream)


def _around_fork(step: Callable[[Runtime], object]) -> Callable[[], None]:
    def run() -> None:
        if OpenRouterInstrumentor._runtime is not None:
            step(OpenRouterInstrumentor._runtime)

    return run


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_around_fork(Runtime.before_fork),
        after_in_parent=_around_fork(Runtime.after_fork),
        after_in_child=_around_fork(Runtime.fork),
    )
