"""Programs that end in ways no test can end itself; run as ``python programs.py NAME BASE_URL OUTPUT``."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

import openai
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contract.driving import KEY, asking
from openrouter_otel import OpenRouterInstrumentor


class Witness(InMemorySpanExporter):
    """Writes down what has arrived when the providers shut down, the last thing a program does."""

    def __init__(self, path: str, reader: InMemoryMetricReader) -> None:
        super().__init__()
        self._path = path
        self._reader = reader

    def shutdown(self) -> None:
        """Write, once."""
        spans = [dict(span.attributes or {}) for span in self.get_finished_spans()]
        requests = _requests(self._reader)
        with open(self._path, "w", encoding="utf-8") as file:
            json.dump({"spans": spans, "requests": requests}, file, default=str)


def _requests(reader: InMemoryMetricReader) -> list[dict[str, Any]]:
    data = reader.get_metrics_data()
    return [
        {**dict(point.attributes or {}), "count": getattr(point, "value", None)}
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "openrouter.requests"
        for point in metric.data.data_points
    ]


def measure(path: str, base_url: str) -> None:
    """Providers as an application has them, flushed at exit; the meter's provider outlives them to be read."""
    reader = InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Witness(path, reader)))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    OpenRouterInstrumentor().instrument(base_urls=[base_url], tracer_provider=provider, meter_provider=meters)


def interrupted(base_url: str) -> None:
    """Ctrl-C while a stream has fallen silent, and while an answer is waited for."""
    client = openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it runs in the background
    client.models.list()  # what a client imports at its first call would take longer than the signal
    assert client.chat.completions
    silent: list[Callable[[], Iterable[Any]]] = [
        lambda: client.chat.completions.create(**asking("stream-hang"), stream=True),
        lambda: client.chat.completions.create(**asking("hang")),
    ]
    for number, call in enumerate(silent):
        noticed = threading.Event()
        threading.Thread(target=press_ctrl_c, args=(noticed,), daemon=True).start()
        try:
            for _ in call():
                pass
        except KeyboardInterrupt:
            noticed.set()
            continue
        raise SystemExit(f"{number} was not interrupted")


def press_ctrl_c(noticed: threading.Event) -> None:
    """As people do: again, if nothing happens. One that arrives in a finalizer is printed and forgotten by Python."""
    while not noticed.wait(0.5):
        os.kill(os.getpid(), signal.SIGINT)


def exiting(base_url: str) -> None:
    """The end of the program while streams are open, in both colours."""
    global kept
    wanted = "endless;chunk_delay=0.001"
    sync = openai.OpenAI(base_url=base_url, api_key=KEY).chat.completions.create(**asking(wanted), stream=True)
    next(sync)

    async def begin() -> Any:
        client = openai.AsyncOpenAI(base_url=base_url, api_key=KEY)
        stream = await client.chat.completions.create(**asking(wanted), stream=True)
        await stream.__anext__()
        return stream

    loop = asyncio.new_event_loop()
    kept = (sync, loop.run_until_complete(begin()), loop)


kept: tuple[Any, ...] = ()

if __name__ == "__main__":
    name, base_url, path = sys.argv[1:]
    measure(path, base_url)
    {"interrupted": interrupted, "exiting": exiting}[name](base_url)
