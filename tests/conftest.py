"""The parts of every contract test: a stand-in OpenRouter, a client in both colours, and telemetry to look at."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import signal
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from contract.driving import KEY, Caller, Measure, OffsetClock, Telemetry
from fake_openrouter import Book, FakeOpenRouter
from openrouter_otel import instrumentor, quiet
from openrouter_otel.runtime import Runtime

# A shell starts what it sends to the background deaf to Ctrl-C, and so would be every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """More than a small machine has cores: many a test waits, for a scrape or for a program to start."""
    return max(4, os.cpu_count() or 1)


@pytest.fixture(scope="session", autouse=True)
def _no_one_elses_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever makes a report here writes nothing into the user's own cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _no_one_elses_account() -> None:
    """Nobody here asks the real OpenRouter, whose keys the developer's environment may hold."""
    for variable in ("OPENROUTER_API_KEY", "OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_BASE_URL"):
        os.environ.pop(variable, None)


@pytest.fixture(scope="session")
def _server() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as server:
        yield server


@pytest.fixture(scope="session")
def _quick_collections() -> Iterator[None]:
    """All that lives for ever is left out of the many collections that tests ask for."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def openrouter(_server: FakeOpenRouter, _quick_collections: None) -> Iterator[FakeOpenRouter]:
    """The stand-in, with a new book.

    Nothing is collected by chance meanwhile. A stream that was left is closed when it is collected, with or without us;
    by chance that is within httpcore's lock, which the closing waits for, for ever.
    """
    _server.book = Book()
    _server.requests.clear()
    gc.disable()
    yield _server
    gc.enable()
    gc.collect(0)


@pytest.fixture(scope="session")
def _client(_server: FakeOpenRouter) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=_server.base_url, api_key=KEY, max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(scope="session")
def _async_client(_server: FakeOpenRouter, _loop: asyncio.AbstractEventLoop) -> Iterator[openai.AsyncOpenAI]:
    client = openai.AsyncOpenAI(base_url=_server.base_url, api_key=KEY, max_retries=0, timeout=10)
    yield client
    _loop.run_until_complete(client.close())


@pytest.fixture
def sync_caller(_client: openai.OpenAI) -> Caller:
    """A real sync client, made before `instrument()`."""
    return Caller(_client, None)


@pytest.fixture
def async_caller(_async_client: openai.AsyncOpenAI, _loop: asyncio.AbstractEventLoop) -> Caller:
    """A real async client, made before `instrument()`."""
    return Caller(_async_client, _loop)


@pytest.fixture(params=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """A real client, made before `instrument()`, in each colour."""
    made: Caller = request.getfixturevalue(f"{request.param}_caller")
    return made


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The places of ours in which something went wrong."""
    told: set[str] = set()
    monkeypatch.setattr(quiet, "_told", told)
    return told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> OffsetClock:
    """What `instrument()` takes for the time."""
    offset = OffsetClock()
    monkeypatch.setattr(instrumentor, "Runtime", functools.partial(Runtime, clock=offset.clock()))
    return offset


@pytest.fixture
def measure(openrouter: FakeOpenRouter, faults: set[str], clock: OffsetClock) -> Iterator[Measure]:
    """Begins to measure, with settings of `instrument()`; nothing of ours may have failed when the test is over.

    Prices are not estimated unless asked for: whether they could be depends on what is installed.
    """
    open_ones: list[Telemetry] = []

    def begin(**settings: Any) -> Telemetry:
        telemetry = Telemetry(clock, **{"base_urls": [openrouter.base_url], "estimate_costs": False, **settings})
        open_ones.append(telemetry)
        return telemetry

    yield begin
    for telemetry in open_ones:
        telemetry.close()
    assert not faults


@pytest.fixture
def telemetry(measure: Measure) -> Telemetry:
    """Measuring, with the default settings."""
    return measure()
