"""What the contract tests drive and look at: real clients in both colours, and all that we told about their calls."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import gc
import importlib
import inspect
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar

import openai
import pydantic
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from openrouter_otel import OpenRouterInstrumentor, names
from openrouter_otel.call import Clock

HTTPX: Final[Any] = importlib.import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")
MODEL: Final = "openai/gpt-4o-mini"
KEY: Final = "sk-or-v1-0123456789abcdef0123456789abcdef"
PROMPT: Final = "What of PROMPT-SECRET, my plan for the merger?"
RESOURCE: Final = Resource({"service.name": "tests"})  # detecting one takes long
PRICED: Final = "prompt_tokens=10;completion_tokens=20;cost=0.03"
GOOD: Final = f"good;{PRICED}"

_T = TypeVar("_T")
Points = dict[frozenset[tuple[str, str]], Any]


class Each:
    """Iterates over what a client hands out, in either colour; it alone refers to the iterator."""

    def __init__(self, source: Any) -> None:
        self._asynchronous = hasattr(source, "__aiter__")
        self._items: Any = source.__aiter__() if self._asynchronous else iter(source)

    def __aiter__(self) -> Each:
        return self

    async def __anext__(self) -> Any:
        if self._asynchronous:
            return await self._items.__anext__()
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None


class Caller:
    """One body, two colours: test bodies are coroutines; with a sync client they never have anything to wait for.

    Args:
        client: ``OpenAI`` or ``AsyncOpenAI``.
        loop: where the async colour runs; None for the sync one.
    """

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        self.client = client
        self._loop = loop

    @property
    def asynchronous(self) -> bool:
        """Which colour it is."""
        return self._loop is not None

    def run(self, body: Coroutine[Any, Any, _T]) -> _T:
        """Run a test's body to its end."""
        if self._loop is not None:
            return self._loop.run_until_complete(body)
        try:
            contextvars.copy_context().run(body.send, None)
        except StopIteration as done:
            result: _T = done.value
            return result
        body.close()
        raise AssertionError("a sync client has nothing to wait for")

    def using(self, **options: Any) -> Caller:
        """The same with a client of other options."""
        return Caller(self.client.with_options(**options), self._loop)

    def make(self, kind: Callable[..., Any] | None = None, **options: Any) -> Any:
        """A new client of any class; it shares the transport, which is the slow part."""
        base = {"base_url": self.client.base_url, "api_key": KEY, "max_retries": 0}
        return (kind or type(self.client))(**{**base, "http_client": self.client._client, **options})

    @property
    def chat(self) -> Any:
        """``client.chat.completions``."""
        return self.client.chat.completions

    @property
    def structured(self) -> Any:
        """Where ``parse`` and ``stream`` are: before openai 1.92 in ``beta``."""
        return self.chat if hasattr(self.chat, "parse") else self.client.beta.chat.completions

    async def create(self, wanted: str = GOOD, **more: Any) -> Any:
        """The most ordinary call."""
        return await self.given(self.chat.create(**asking(wanted, **more)))

    async def given(self, value: Any) -> Any:
        """What a call returns, waited for where it has to be."""
        return await value if inspect.isawaitable(value) else value

    async def read(self, source: Any) -> list[Any]:
        """Everything in it."""
        return [item async for item in Each(source)]

    def collect(self) -> None:
        """Collect garbage, and let the loop close the generators that were in it."""
        gc.collect()
        while self._loop is not None and (tasks := asyncio.all_tasks(self._loop)):
            self._loop.run_until_complete(asyncio.wait(tasks))
            gc.collect()

    async def close(self, thing: Any) -> None:
        """Close a stream or a response."""
        await self.given(thing.close())

    @asynccontextmanager
    async def entered(self, manager: Any) -> AsyncIterator[Any]:
        """``with`` or ``async with``."""
        if hasattr(manager, "__aenter__"):
            async with manager as value:
                yield value
        else:
            with manager as value:
                yield value


def asking(wanted: str = GOOD, **more: Any) -> dict[str, Any]:
    """Keyword arguments of an ordinary request for this scenario."""
    headers = {"x-scenario": wanted, **more.pop("extra_headers", {})}
    return {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "extra_headers": headers, **more}


class OffsetClock:
    """The real clock, and a hand that puts it forward."""

    def __init__(self) -> None:
        self._offset = 0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += round(seconds * 1e9)

    def clock(self) -> Clock:
        """For the code under test."""
        return Clock(lambda: time.time_ns() + self._offset, lambda: time.perf_counter_ns() + self._offset)


class Telemetry:
    """Providers of our own, instrumented, and what arrives there.

    Args:
        clock: what our code takes for the time.
        settings: keyword arguments of `instrument()`.
    """

    def __init__(self, clock: OffsetClock, **settings: Any) -> None:
        self.clock = clock
        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader], RESOURCE, shutdown_on_exit=False)
        providers = {"tracer_provider": self.tracer_provider, "meter_provider": self.meter_provider}
        self.settings = {**providers, **settings}
        self.instrument()

    def instrument(self) -> None:
        """Begin, or go on."""
        OpenRouterInstrumentor().instrument(
            skip_dep_check=True, **self.settings
        )  # the check is OpenTelemetry's, and slow

    def uninstrument(self) -> None:
        """Stop."""
        OpenRouterInstrumentor().uninstrument()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """A block that nobody watches."""
        self.uninstrument()
        yield
        self.instrument()

    def close(self) -> None:
        """Stop for good."""
        if OpenRouterInstrumentor().is_instrumented_by_opentelemetry:
            self.uninstrument()
        runtime = OpenRouterInstrumentor._runtime
        if runtime is not None:  # whatever a test left open is of no interest at exit
            atexit.unregister(runtime.exit)
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()

    def collected(self) -> dict[str, Points]:
        """All points by metric; histograms show their count, and ``process`` is left out."""
        data = self.reader.get_metrics_data()
        found: dict[str, Points] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = {
                        labels(**dict(point.attributes or {})): _value(point) for point in metric.data.data_points
                    }
        return found

    def points(self, metric: names.Metric) -> Points:
        """The points of one metric."""
        return self.collected().get(metric.name, {})

    def total(self, metric: names.Metric, **wanted: str) -> Any:
        """Their sum, of those with the wanted attributes."""
        return sum(value for point, value in self.points(metric).items() if labels(**wanted) <= point)

    def processes(self) -> set[str]:
        """The values of ``process``."""
        data = self.reader.get_metrics_data()
        return {
            str((point.attributes or {})[names.PROCESS])
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        }

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """Those that have ended; like a scrape, looking brings in what finalizers have left behind."""
        self.reader.get_metrics_data()
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        """The only one."""
        (span,) = self.spans
        return span

    def the_only_call(self) -> dict[str, Any]:
        """The attributes of the only span, after showing that the only call was counted exactly once."""
        span = self.span
        attributes = dict(span.attributes or {})
        requests = self.points(names.REQUESTS)
        assert list(requests.values()) == [1]
        ((point, _),) = requests.items()
        told = dict(point)
        assert told["outcome"] == attributes["openrouter.outcome"]
        assert told["cost_source"] == attributes["openrouter.cost_source"]
        assert sum(self.points(names.ERRORS).values()) == (told["outcome"] == "error")
        assert self.points(names.DURATION).keys() <= {point - {("cost_source", told["cost_source"])} - _reason(told)}
        return attributes


def _reason(told: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(name, value) for name, value in told.items() if name == names.FINISH_REASON}


def _value(point: Any) -> Any:
    return point.count if isinstance(point, HistogramDataPoint) else point.value


def labels(**attributes: Any) -> frozenset[tuple[str, str]]:
    """An attribute set; None is left out, and so is ``process``."""
    return frozenset((k, v) for k, v in attributes.items() if v is not None and k != names.PROCESS)


def seconds(span: ReadableSpan) -> float:
    """How long a span says it took."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


_VARYING: Final = re.compile(r"gen-\d+-\w+|(?:call|msg|rs|fc|resp)_\w+|\b1\d{9}\b|0x[0-9a-f]+")  # ids, times, addresses


def described(value: Any) -> Any:
    """What a caller sees: exact types, and all content but what differs between any two calls."""
    if isinstance(value, (list, tuple)):
        return type(value), [described(item) for item in value]
    if isinstance(value, BaseException):
        return type(value), _steady(str(value)), _steady(repr(getattr(value, "body", None)))
    if isinstance(value, (pydantic.BaseModel, str, bytes, dict)):
        return type(value), _steady(repr(value))
    return type(value)


def _steady(text: str) -> str:
    return _VARYING.sub("…", text)


def seen_by(caller: Caller, call: Coroutine[Any, Any, Any]) -> Any:
    """What a call returns or raises, described."""
    try:
        return described(caller.run(call))
    except Exception as error:  # noqa: BLE001  # whatever the client raises is what is compared
        return described(error)


Measure = Callable[..., Telemetry]
"""Starts measuring with settings; what was emitted is in what it returns."""
