"""Programs to watch, each with ten free ports of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from endpoint.programs import PRELUDE, Program, hosts
from fake_openrouter import FakeOpenRouter

Run = Callable[..., Program]
_HOSTS = hosts()


@pytest.fixture
def host() -> str:
    """A loopback address that nobody else uses."""
    return next(_HOSTS)


@pytest.fixture
def run(openrouter: FakeOpenRouter, host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Starts a program; keywords are environment variables, None takes one away."""
    with ExitStack() as stack:

        def start(
            code: str, command: tuple[str, ...] = (sys.executable,), prelude: str = PRELUDE, **variables: str | None
        ) -> Program:
            folder: Path = tmp_path_factory.mktemp("program")
            environment = {
                "OTEL_EXPORTER_PROMETHEUS_HOST": host,
                "OPENROUTER_OTEL_BASE_URLS": openrouter.base_url,
                **variables,
            }
            return stack.enter_context(Program(folder, code, environment, command, prelude))

        yield start


@pytest.fixture
def launcher() -> tuple[str, ...]:
    """OpenTelemetry's own launcher, which knows providers and exporters once its distribution is installed."""
    script = Path(sys.executable).parent / "opentelemetry-instrument"
    assert script.exists()
    return (str(script), sys.executable)
