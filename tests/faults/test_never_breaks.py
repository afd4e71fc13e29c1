"""A fault in any function of ours stays inside: the program gets what it would get, and the log says so once.

Every function of the rooms that run inside the caller's program is replaced, one by one, by one that raises.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from opentelemetry import baggage, context

import openrouter_otel
from contract.driving import GOOD, MODEL, PRICED, PROMPT, Caller, Each, Measure, OffsetClock, Telemetry, asking, seen_by
from openrouter_otel import OpenRouterInstrumentor, RunningUsage, prices, record, usage_context
from openrouter_otel.emit import metrics
from openrouter_otel.facts.price import read_catalogue
from shapes import River, posted_stream

ROOMS = (
    "attribution",
    "body",
    "call",
    "context",
    "emit",
    "facts",
    "finalizing",
    "identity",
    "inbox",
    "record",
    "runtime",
)


class InjectedError(Exception):
    """The fault."""


EXPLOSIONS: list[str] = []


class Target(NamedTuple):
    """A function of ours, by name and without any guard around it."""

    name: str
    function: Any


def targets() -> Iterator[Target]:
    for module in modules():
        room = module.__name__.removeprefix("openrouter_otel.")
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) == module.__name__:
                if getattr(value, "_is_protocol", False):
                    continue
                members = vars(value) if inspect.isclass(value) else {"": value}
                for attribute, member in members.items():
                    written: Any = member.fget if isinstance(member, property) else member
                    written = written.__func__ if isinstance(written, staticmethod) else written
                    function = inspect.unwrap(written)
                    if is_written_in(module, function) and not attribute.startswith("__init"):
                        yield Target(f"{room}.{name}.{attribute}".rstrip("."), function)


def is_written_in(module: Any, function: Any) -> bool:
    return inspect.isfunction(function) and function.__code__.co_filename == module.__file__


def modules() -> Iterator[Any]:
    for info in pkgutil.walk_packages(openrouter_otel.__path__, "openrouter_otel."):
        if info.name.split(".")[1] in ROOMS:
            yield importlib.import_module(info.name)


# What the program itself calls: it stands outside the guard, and does nothing but call what is inside.
PUBLIC = {
    "context.usage_context.__enter__",
    "context.usage_context.__exit__",
    "context.usage_context.__aenter__",
    "context.usage_context.__aexit__",
    "context.RunningUsage._settled",
    "context.RunningUsage.__repr__",
    *(f"context.RunningUsage.{name}" for name in vars(RunningUsage) if not name.startswith("_")),
}
# Setting up, showing, forking and ending, and what is only ever made once: no call comes through here.
ELSEWHERE = {
    "emit.extremes.Extremes.extreme",
    *(
        f"emit.journal.JournalEmitter.{name}"
        for name in ("restart", "finish", "reopen", "before_fork", "after_fork", "_halt", "_close")  # ending, forking
    ),
    *(f"emit.journal.JournalEmitter.{name}" for name in ("_start", "_work")),  # here it is written at once
    *(f"emit.journal.JournalEmitter.{name}" for name in ("_troubled", "_warn")),  # trouble with the file
    "emit.journal._work",
    "emit.metrics.MetricsEmitter.bind",
    "emit.metrics.MetricsEmitter.restart",
    "emit.metrics.MetricsEmitter.unbind_last",
    "emit.metrics.MetricsEmitter._build_info",
    "emit.metrics.MetricsEmitter._extremes",
    "emit.metrics.MetricsEmitter._observer",
    "emit.metrics.MetricsEmitter._process_start",
    "emit.metrics.MetricsEmitter._sums",
    "body._inflated",
    "body._unpacked",
    "body._watched",
    "context.settle_before_reading",
    "emit.counting.Counting.sum",
    "emit.semconv.owner",
    "emit.series.Family.all",
    "facts.endpoints._has",
    "facts.endpoints._is",
    "facts.endpoints._lists",
    "facts.price._members",
    "facts.price._tiers",
    "facts.price.read_catalogue",
    "facts.price.read_prices",
    "finalizing.ignore",
    "finalizing.notice",
    "identity.Identity.fork",
    "identity.Identity.renew",
    "runtime._stand_in",  # needs a span processor that fails: test_invisible.py
    "runtime.Runtime.busy",
    "emit.metrics.MetricsEmitter.settle",
    "runtime.Runtime.exit",
    "runtime.Runtime.rest",
    "runtime.Runtime.fork",
    "runtime.Runtime.reopen",
    "runtime.Runtime.before_fork",
    "runtime.Runtime.after_fork",
    "runtime._journal",
    "runtime._exit_as_worker",
}


def plant(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a function code that raises; whoever refers to it, and the guards around it, stay as they are."""

    def raising(*_: Any, **__: Any) -> None:
        import sys  # its globals are now those of the function it stands in for

        here = sys.modules["test_never_breaks"]
        here.EXPLOSIONS.append("now")
        raise here.InjectedError

    EXPLOSIONS.clear()
    monkeypatch.setattr(target.function, "__code__", raising.__code__)


Step = Callable[[Caller], Coroutine[Any, Any, Any]]


async def streamed(caller: Caller, wanted: str) -> Any:
    stream = await caller.create(wanted, stream=True)
    return [stream, *await caller.read(stream)]


async def by_hand(caller: Caller, *, stream: bool) -> Any:
    async with caller.entered(caller.chat.with_streaming_response.create(**asking(stream=stream))) as response:
        return [response, await caller.read(response.iter_lines())]


async def lines_that_break(caller: Caller) -> Any:
    asked = asking("stream-drop", stream=True)
    async with caller.entered(caller.chat.with_streaming_response.create(**asked)) as response:
        return await caller.read(response.iter_lines())


async def abandoned(caller: Caller) -> Any:
    async with caller.entered(await caller.create(GOOD, stream=True)) as stream:
        return [stream, await Each(stream).__anext__()]


async def forgotten(caller: Caller) -> Any:
    chunks = Each(await caller.create(GOOD, stream=True))
    return await chunks.__anext__()


async def parsed(caller: Caller) -> Any:
    return await caller.given(caller.structured.parse(**asking(f"unparsable;{PRICED}"), response_format=River))


async def accounted(caller: Caller) -> Any:
    """The whole of a block; what it has used is looked at, but not compared: a fault may have taken it away."""
    with usage_context(user="alice", session="s", tags=["batch"]) as usage:
        answer = await caller.create(user="bob", metadata={"team": "x"}, temperature=0.5)
    assert usage.requests in (0, 1)
    assert usage.cost >= 0
    return answer


async def by_baggage(caller: Caller) -> Any:
    token = context.attach(baggage.set_baggage("user.id", "carol"))
    try:
        return await caller.create(f"bare-total;{PRICED}")
    finally:
        context.detach(token)


def posted(path: str, wanted: str = GOOD, **body: Any) -> Step:
    async def step(caller: Caller) -> Any:
        options = {"headers": {"x-scenario": wanted}}
        return await caller.given(
            caller.client.post(path, cast_to=object, body={"model": MODEL, **body}, options=options)
        )

    return step


async def events(caller: Caller) -> Any:
    return await posted_stream(caller, GOOD, "/responses", input=PROMPT)


async def image_events(caller: Caller) -> Any:
    return await posted_stream(caller, GOOD, "/images", prompt=PROMPT)


async def spoken(caller: Caller) -> Any:
    speech = caller.client.audio.speech
    answer = await caller.given(speech.create(model="openai/gpt-4o-mini-tts", voice="alloy", input=PROMPT))
    return [answer, answer.content]


async def recorded(_: Caller) -> None:
    record({"choices": [{}]}, latency_ms=1)
    record({"output": [], "usage": {"input_tokens": 1}}, user="dave")


# One of each: calls that go well, fail, are abandoned, or are read by hand.
STEPS: tuple[Step, ...] = (
    lambda caller: caller.create(),
    accounted,
    by_baggage,
    parsed,
    lambda caller: caller.create("error;status=429"),
    lambda caller: caller.create("choice-error"),
    lambda caller: caller.create("choices-null"),
    lambda caller: caller.create(f"byok;{PRICED};fee=0.01"),
    lambda caller: caller.create(f"no-cost;{PRICED}"),
    posted("/responses", input=PROMPT),
    posted("/responses", "error-in-200", input=PROMPT),
    posted("/embeddings", input=PROMPT),
    spoken,
    recorded,
    events,
    image_events,
    lambda caller: streamed(caller, GOOD),
    lambda caller: streamed(caller, "stream-drop"),
    lambda caller: streamed(caller, "stream-error"),
    lambda caller: streamed(caller, "stream-choice-error"),
    lambda caller: by_hand(caller, stream=False),
    lambda caller: by_hand(caller, stream=True),
    lines_that_break,
    abandoned,
    forgotten,
)


OURS: Final = {target.function.__code__ for target in targets()}
ASYNCHRONOUS_FROM: Final = STEPS.index(events)  # reading is what the two colours do differently


class Passed(NamedTuple):
    """A step, what is seen of it without us, and which of our code it runs through."""

    step: Step
    bare: Any
    code: frozenset[Any]


EVERYTHING: Final[dict[str, Any]] = {"metric_tags": ["batch"], "estimate_costs": True, "semconv_metrics": True}


def write_at_once() -> None:
    """A journal is written in a thread; here inside each call, as at the end of a program."""
    runtime = OpenRouterInstrumentor._runtime
    assert runtime is not None
    assert runtime._journal is not None
    runtime._journal._finished = True


@pytest.fixture(scope="module", autouse=True)
def _prices() -> Iterator[None]:
    pricing = {"prompt": "0.001", "completion": "0.002"}
    prices._catalogue.update(read_catalogue({"data": [{"id": MODEL, "pricing": pricing}]}))
    yield
    prices._catalogue.clear()


@pytest.fixture(scope="module", autouse=True)
def _counted_at_once() -> Iterator[None]:
    """Counting a few calls in a row happens inside one of them; here inside each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "_FEW", 1)
        yield


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all calls go."""
    return tmp_path_factory.mktemp("journal") / "usage.db"


@pytest.fixture(scope="module")
def passed(request: pytest.FixtureRequest, journal: Path) -> list[tuple[Caller, Passed]]:
    """Every step in both colours, once bare and once measured under a profiler."""
    sync = Caller(request.getfixturevalue("_client"), None)
    asynchronous = Caller(request.getfixturevalue("_async_client"), request.getfixturevalue("_loop"))
    found = []
    for caller in (sync, asynchronous):
        for step in STEPS if caller is sync else STEPS[ASYNCHRONOUS_FROM:]:
            bare = seen_by(caller, step(caller))
            settings = {**EVERYTHING, "base_urls": [str(caller.client.base_url)], "journal": str(journal)}
            telemetry = Telemetry(OffsetClock(), **settings)
            write_at_once()
            code: set[Any] = set()
            sys.setprofile(lambda frame, event, _, code=code: event == "call" and code.add(frame.f_code))  # type: ignore[misc]
            try:
                seen_by(caller, step(caller))
                caller.collect()
                seen_by(caller, STEPS[0](caller))
            finally:
                sys.setprofile(None)
                telemetry.close()
            found.append((caller, Passed(step, bare, frozenset(code & OURS))))
    return found


def steps_through(target: Target, passed: list[tuple[Caller, Passed]]) -> list[tuple[Caller, Passed]]:
    """The first and the last of the steps that run a function: the last ones read streams, in the async colour."""
    through = [(caller, one) for caller, one in passed if target.function.__code__ in one.code]
    return [through[0], through[-1]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What our logger warns of; nobody formats the many tracebacks."""
    lines: list[str] = []
    ours = logging.getLogger("openrouter_otel")
    monkeypatch.setattr(ours, "handle", lambda record: lines.append(record.getMessage()))
    return lines


@pytest.mark.parametrize(
    "target", [pytest.param(target, id=target.name) for target in targets() if target.name not in PUBLIC | ELSEWHERE]
)
def test_a_fault_in_any_function_of_ours_stays_inside(
    target: Target,
    passed: list[tuple[Caller, Passed]],
    journal: Path,
    measure: Measure,
    faults: set[str],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measure(**EVERYTHING, journal=journal)
    write_at_once()
    told.clear()
    steps = steps_through(target, passed)
    with monkeypatch.context() as faulty:
        plant(target, faulty)
        for caller, one in (*steps, steps[-1]):  # the same fault again
            assert seen_by(caller, one.step(caller)) == one.bare
        caller.collect()
        caller.run(caller.create())

    assert EXPLOSIONS
    assert told, "a fault is not swallowed silently"
    assert len(told) == len(set(told)), "nor told twice"
    faults.clear()


def test_what_is_not_tried_exists() -> None:
    assert {target.name for target in targets()} >= PUBLIC | ELSEWHERE
