"""Inside a program that `openrouter-otel doctor` has started: looks on, and writes down what it has seen.

Nothing is measured here and nothing changed: calls pass as they are, log records go on to where they were going. What
is new is written at once, since a program may be killed; the rest as late as the interpreter's end.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # untyped
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from openrouter_otel import settings
from openrouter_otel.doctoring import observed
from openrouter_otel.doctoring.observed import Observed
from openrouter_otel.facts.request import Destinations, Place, read_request
from openrouter_otel.identity import identity
from openrouter_otel.instrumentor import OpenRouterInstrumentor
from openrouter_otel.quiet import quietly
from openrouter_otel.reader import OpenRouterMetricReader
from openrouter_otel.runtime import Runtime

_MOST: Final = 20  # warnings
_OPENROUTER_ONLY: Final = Destinations()


@functools.cache
def witness(folder: str) -> Witness:
    """The one of this program."""
    return Witness(Path(folder))


class Witness(logging.Filter):
    """Sees calls pass and hears our warnings.

    Args:
        folder: where it writes down what it has seen, in a file for each process.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._openai: str | None = None
        self._calls: dict[str, int] = {}
        self._said: dict[str, None] = {}
        self._counting = threading.Lock()
        logging.getLogger("openrouter_otel").addFilter(self)
        atexit.register(self.save)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def imported(self, module: str) -> None:
        """The program has imported openai or us."""
        if module == "openai" and self._openai is None:
            from openrouter_otel import watch

            self._openai = watch.VERSION
            watch.Peephole(self._passes).open()
        self.save()

    def filter(self, record: logging.LogRecord) -> bool:
        """Hear what we log, and let it go on."""
        if record.levelno >= logging.WARNING and len(self._said) < _MOST:
            self._said[record.getMessage()] = None
        return True

    def _passes(self, client: Any, options: Any, stream: bool) -> None:
        place, why = _read(client, options, stream)
        key = f"{why} {place.host}{'' if place.port is None else f':{place.port}'}"
        with self._counting:
            self._calls[key] = self._calls.get(key, 0) + 1
            new = self._calls[key] == 1
        if new:
            self.save()

    def _forked(self) -> None:
        self._counting = threading.Lock()
        self._calls = {}

    @quietly
    def save(self) -> None:
        """Write down everything so far."""
        draft = self._folder / f"{os.getpid()}.draft"
        draft.write_text(json.dumps(asdict(self._seen())), encoding="utf-8")
        draft.replace(draft.with_suffix(".json"))

    def _seen(self) -> Observed:
        seen = Observed(
            pid=os.getpid(),
            python=sys.executable,
            installed=importlib.util.find_spec("openai") is not None,
            openai=self._openai,
            disabled=settings.sdk_disabled(),
            process=identity.process,
            calls=dict(self._calls),
            company=sorted(set(_company(BaseInstrumentor))),
            said=list(self._said),
        )
        runtime = OpenRouterInstrumentor._runtime
        if runtime is not None:
            seen.instrumented = True
            seen.journal = runtime.settings.journal
            seen.serves = runtime.metering.port
            readers = _readers(runtime)
            if readers is not None:
                seen.readers = [type(reader).__name__ for reader in readers]
                seen.ours = any(isinstance(reader, OpenRouterMetricReader) for reader in readers)
        return seen


def _read(client: Any, options: Any, stream: bool) -> tuple[Place, str]:
    """Where a call goes, and why it is measured or not."""
    runtime = OpenRouterInstrumentor._runtime
    destinations = _OPENROUTER_ONLY if runtime is None else runtime.destinations
    base_url = (
        getattr(client, "_base_url", None) or client.base_url
    )  # as `Runtime.start` does: the property may do more
    place = destinations.of(base_url)
    if settings.sdk_disabled():
        return place, observed.DISABLED
    if runtime is None or not OpenRouterInstrumentor().is_instrumented_by_opentelemetry:
        return place, observed.UNINSTRUMENTED
    if not place.included:
        return place, observed.ELSEWHERE
    if not is_instrumentation_enabled():
        return place, observed.SUPPRESSED
    if read_request(destinations, base_url, None, options, stream) is None:
        return place, observed.OTHER
    return place, observed.MEASURED


def _readers(runtime: Runtime) -> list[object] | None:
    """Those of the application's own MeterProvider, which has no public way to ask; None: none, or it does not tell."""
    consumer = getattr(runtime.metering.theirs, "_measurement_consumer", None)
    readers = getattr(consumer, "_reader_storages", None)
    return None if readers is None else list(readers)


def _company(kind: Any) -> Iterator[str]:
    """Other instrumentations of the openai client that are active."""
    for one in kind.__subclasses__():
        instance = one.__dict__.get("_instance")
        active = instance is not None and instance.is_instrumented_by_opentelemetry
        if active and "openai" in one.__module__ and one is not OpenRouterInstrumentor:
            yield one.__module__
        yield from _company(one)
