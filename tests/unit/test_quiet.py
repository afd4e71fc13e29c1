"""The one guard: faults of ours are told once and kept in, the program's own pass."""

from __future__ import annotations

import asyncio
import logging

import pytest

from openrouter_otel import quiet
from openrouter_otel.quiet import quietly


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "_told", set())


@quietly
def divide(a: int, *, by: int) -> int:
    """Say what a / by is."""
    return a // by


@quietly
def other() -> None:
    raise LookupError("secondly")


def test_what_goes_well_is_given_back() -> None:
    assert divide(6, by=3) == 2
    assert (divide.__name__, divide.__doc__) == ("divide", "Say what a / by is.")


def test_a_fault_becomes_none_and_one_warning_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert divide(1, by=0) is None
    assert divide(2, by=0) is None

    [line] = caplog.records
    assert (line.name, line.levelno) == ("openrouter_otel", logging.WARNING)
    assert line.getMessage() == "openrouter-otel failed in divide; the call itself is not affected"
    assert line.exc_info is not None
    assert line.exc_info[0] is ZeroDivisionError


def test_each_place_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        divide(1, by=0)
        other()

    assert [line.getMessage().split()[3] for line in caplog.records] == ["divide;", "other;"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_the_programs_own_passes(kind: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    @quietly
    def interrupted() -> None:
        raise kind

    with pytest.raises(kind):
        interrupted()
    assert caplog.records == []


def test_a_logger_that_fails_is_kept_in_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(logging.getLogger("openrouter_otel"), "warning", fail)

    assert divide(1, by=0) is None
