"""In one process and on one provider with the instrumentations that others write for the same client.

Both sides tell of every call, ours exactly once; what the caller sees is what it would see with the neighbour alone;
and whoever leaves first leaves the other at work. The packages are installed by ``tox run -e company`` (an httpx2
client) and ``-e company2`` (an httpx one).
"""

from __future__ import annotations

import importlib
import itertools
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.trace import ReadableSpan

from contract.driving import GOOD, HTTPX, MODEL, PROMPT, Caller, Measure, Telemetry, asking, seen_by
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names


@dataclass(frozen=True)
class Neighbour:
    """An instrumentation of somebody else's.

    Attributes:
        module: where it is.
        instrumentor: its class.
        clobbers: whether leaving puts back what it found on coming, whatever others have put there since.
    """

    module: str
    instrumentor: str
    clobbers: bool = False

    def make(self) -> Any:
        """It."""
        return getattr(importlib.import_module(self.module), self.instrumentor)()


GENAI: Final = Neighbour("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor")
OPENINFERENCE: Final = Neighbour("openinference.instrumentation.openai", "OpenAIInstrumentor", clobbers=True)
CLIENT: Final = Neighbour("opentelemetry.instrumentation.httpx", f"{HTTPX.__name__.upper()}ClientInstrumentor")
NEIGHBOURS: Final = {"genai-openai": GENAI, "openinference": OPENINFERENCE, "httpx": CLIENT}
each_neighbour = pytest.mark.parametrize("neighbour", NEIGHBOURS.values(), ids=NEIGHBOURS)


# --- calls ---
async def everything(c: Caller, source: Any) -> list[Any]:
    """All of a stream, by the client's colour: a neighbour's wrapping of it claims to be of both."""
    return [item async for item in source] if c.asynchronous else list(source)


async def create(c: Caller) -> Any:
    return await c.create()


async def stream(c: Caller) -> Any:
    chunks = await c.create(stream=True)
    return [chunks, *await everything(c, chunks)]


async def stream_helper(c: Caller) -> Any:
    async with c.entered(c.structured.stream(**asking())) as events:
        return await everything(c, events)


async def raw(c: Caller) -> Any:
    client = c.make()  # a client keeps the method that it has once made raw
    answer = await c.given(client.chat.completions.with_raw_response.create(**asking()))
    return answer.parse()


async def respond(c: Caller) -> Any:
    return await c.given(c.client.responses.create(model=MODEL, input=PROMPT, extra_headers={"x-scenario": GOOD}))


async def embed(c: Caller) -> Any:
    return await c.given(c.client.embeddings.create(model=MODEL, input=PROMPT, extra_headers={"x-scenario": GOOD}))


async def fail(c: Caller) -> Any:
    return await c.create("error;status=402")


async def break_off(c: Caller) -> Any:
    return await everything(c, await c.create("stream-error", stream=True))


Call = Callable[[Caller], Any]
CALLS: Final = (create, stream, stream_helper, raw, respond, embed, fail, break_off)
each_call = pytest.mark.parametrize("call", CALLS)


# --- who is there ---
@contextmanager
def beside(neighbour: Neighbour, telemetry: Telemetry) -> Iterator[None]:
    """With a neighbour on the same providers."""
    come(neighbour, telemetry)
    try:
        yield
    finally:
        leave(neighbour)


def come(neighbour: Neighbour, telemetry: Telemetry) -> None:
    neighbour.make().instrument(
        tracer_provider=telemetry.tracer_provider, meter_provider=telemetry.meter_provider, skip_dep_check=True
    )


def leave(neighbour: Neighbour) -> None:
    if neighbour.make().is_instrumented_by_opentelemetry:
        neighbour.make().uninstrument()


@pytest.fixture(autouse=True)
def _nobody_stays() -> Iterator[None]:
    """Every test begins and ends with the client as it was installed."""
    import openai

    doors = [(owner, name) for owner in (openai.OpenAI, openai.AsyncOpenAI) for name in ("request", "_prepare_request")]
    before = [owner.__dict__.get(name) for owner, name in doors]
    yield
    for neighbour in NEIGHBOURS.values():
        leave(neighbour)
    for (owner, name), was in zip(doors, before, strict=True):
        if was is not None:
            setattr(owner, name, was)
        elif name in owner.__dict__:
            delattr(owner, name)


def ours(telemetry: Telemetry) -> list[ReadableSpan]:
    return [s for s in telemetry.spans if s.instrumentation_scope and s.instrumentation_scope.name == names.SCOPE]


def theirs(telemetry: Telemetry) -> list[ReadableSpan]:
    return [s for s in telemetry.spans if s.instrumentation_scope and s.instrumentation_scope.name != names.SCOPE]


def counted(telemetry: Telemetry) -> tuple[int, int]:
    """Our spans, and the requests that we have counted."""
    return len(ours(telemetry)), telemetry.total(names.REQUESTS)


# --- together ---
@each_call
@each_neighbour
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_both_tell_of_a_call_and_the_caller_sees_no_more_than_one_of_them(
    first: str, neighbour: Neighbour, call: Call, caller: Caller, openrouter: FakeOpenRouter, measure: Measure
) -> None:
    telemetry = measure()
    with telemetry.asleep(), beside(neighbour, telemetry):
        alone = seen_by(caller, call(caller))
    theirs_alone = len(theirs(telemetry))
    if first == "theirs":
        telemetry.uninstrument()
    with beside(neighbour, telemetry):
        if first == "theirs":
            telemetry.instrument()
        together = seen_by(caller, call(caller))
        caller.collect()
        telemetry.uninstrument()

    assert together == alone
    assert counted(telemetry) == (1, 1)
    assert len(theirs(telemetry)) == 2 * theirs_alone > 0
    openrouter.book.settle()
    charged = sum(entry.told.charge for entry in openrouter.book.entries[1:])
    assert telemetry.total(names.COST) == float(charged)


@each_call
def test_all_of_them_at_once(call: Call, caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry) -> None:
    with ExitStack() as street:
        for neighbour in NEIGHBOURS.values():
            street.enter_context(beside(neighbour, telemetry))
        seen_by(caller, call(caller))
        caller.collect()

    assert counted(telemetry) == (1, 1)
    told = {s.instrumentation_scope.name for s in theirs(telemetry) if s.instrumentation_scope}
    assert len(told) == len(NEIGHBOURS)
    assert telemetry.total(names.COST) == float(openrouter.book.totals().told.charge)


@pytest.mark.parametrize("call", [create, stream, respond])
def test_requests_are_inside_the_call_they_belong_to(call: Call, caller: Caller, telemetry: Telemetry) -> None:
    with beside(CLIENT, telemetry):
        seen_by(caller, call(caller))

    (mine,), (request,) = ours(telemetry), theirs(telemetry)
    assert request.parent is not None
    assert mine.context is not None
    assert request.parent.span_id == mine.context.span_id


def test_every_attempt_is_a_request_of_one_call(caller: Caller, telemetry: Telemetry) -> None:
    with beside(CLIENT, telemetry):
        caller.run(caller.using(max_retries=2).create("flaky;retry_after=0.01"))

    assert counted(telemetry) == (1, 1)
    assert len(theirs(telemetry)) == 3
    assert telemetry.total(names.RETRIES) == 2


# --- coming and going ---
@each_neighbour
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_our_leaving_leaves_the_neighbour_at_work(
    first: str, neighbour: Neighbour, caller: Caller, telemetry: Telemetry
) -> None:
    if first == "theirs":
        telemetry.uninstrument()
    with beside(neighbour, telemetry):
        if first == "theirs":
            telemetry.instrument()
        telemetry.uninstrument()
        caller.run(create(caller))
        assert counted(telemetry) == (0, 0)
        assert len(theirs(telemetry)) == 1

        telemetry.instrument()
        caller.run(create(caller))
        assert counted(telemetry) == (1, 1)
        assert len(theirs(telemetry)) == 2


@each_neighbour
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_the_neighbours_leaving_leaves_us_at_work(
    first: str, neighbour: Neighbour, caller: Caller, telemetry: Telemetry
) -> None:
    """One that puts back what it once found takes us away when we came later; we are whole again at `instrument()`."""
    if first == "theirs":
        telemetry.uninstrument()
    with beside(neighbour, telemetry):
        if first == "theirs":
            telemetry.instrument()
    if first == "theirs" and neighbour.clobbers:
        telemetry.uninstrument()
        telemetry.instrument()
    caller.run(create(caller))

    assert counted(telemetry) == (1, 1)
    assert theirs(telemetry) == []


MOVES: Final = ("ours in", "theirs in", "ours out", "theirs out")


@each_neighbour
@pytest.mark.parametrize(
    "moves",
    [
        order
        for order in itertools.permutations(MOVES)
        if order.index("ours in") < order.index("ours out") and order.index("theirs in") < order.index("theirs out")
    ],
    ids=" ".join,
)
def test_after_any_coming_and_going_a_new_beginning_counts_once(
    moves: tuple[str, ...], neighbour: Neighbour, caller: Caller, telemetry: Telemetry
) -> None:
    telemetry.uninstrument()
    steps: dict[str, Callable[[], None]] = {
        "ours in": telemetry.instrument,
        "ours out": telemetry.uninstrument,
        "theirs in": lambda: come(neighbour, telemetry),
        "theirs out": lambda: leave(neighbour),
    }
    for move in moves:
        steps[move]()
    caller.run(create(caller))
    assert (counted(telemetry), len(theirs(telemetry))) == ((0, 0), 0), "nobody is there"

    telemetry.instrument()
    caller.run(create(caller))
    assert (counted(telemetry), len(theirs(telemetry))) == ((1, 1), 0)
    with beside(neighbour, telemetry):
        caller.run(create(caller))
    assert (counted(telemetry), len(theirs(telemetry))) == ((2, 2), 1)


# --- one name, one owner ---
def test_the_conventions_metrics_are_the_neighbours_where_it_has_them(
    caller: Caller, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry.uninstrument()
    telemetry.settings["semconv_metrics"] = True
    with beside(GENAI, telemetry):
        with caplog.at_level(logging.INFO, logger="openrouter_otel"):
            telemetry.instrument()
        caller.run(create(caller))

    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "semconv_metrics" in warning.getMessage()
    data = telemetry.reader.get_metrics_data()
    assert data is not None
    durations = [
        (scope.scope.name, point.count)
        for scope in data.resource_metrics[0].scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name == names.GEN_AI_DURATION.name and isinstance(point, HistogramDataPoint)
    ]
    assert [count for _, count in durations] == [1]
    assert durations[0][0] != names.SCOPE
