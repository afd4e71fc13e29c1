"""The life of one call: whichever way leads out of it, it ends once and at the right time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import openai
import pytest

from openrouter_otel.call import Call, Clock
from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.response import NOTHING
from openrouter_otel.facts.usage import Usage
from openrouter_otel.record import Attribution, Record
from records import request

SECOND = 1_000_000_000
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "cost": 0.5}
TOLD = Usage(9, 2, (), Decimal("0.5"))
ANSWER = {"id": "gen-1", "choices": [{"finish_reason": "stop"}], "usage": USAGE}
ERROR = {"message": "Provider disconnected", "metadata": {"error_type": "provider_unavailable"}}


def chunk(content: str = "", finish: str | None = None, **members: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {"id": "gen-1", "model": "m", "provider": "OpenAI", "choices": [choice], **members}


class Told(NamedTuple):
    """What the sink got."""

    record: Record
    later: bool


class Bench:
    """A call under a clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 50 * SECOND
        self.told: list[Told] = []
        clock = Clock(wall=lambda: 7 * SECOND, tick=lambda: self.now)
        who = Attribution("alice", "s-1", {"team": "search"})
        self.call = Call(request(), who, clock, self._sink, 7 * SECOND, "the span")

    def _sink(self, call: Call, record: Record, *, later: bool) -> None:
        assert call is self.call
        assert call.handle == "the span"
        self.told.append(Told(record, later))

    def after(self, seconds: float) -> Call:
        """The call, so much later."""
        self.now += round(seconds * SECOND)
        return self.call

    @property
    def record(self) -> Record:
        [told] = self.told
        return told.record


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- whole answers ---
def test_an_answer_ends_the_call_with_all_it_told(bench: Bench) -> None:
    assert not bench.call.ended

    bench.after(1.5).answered(ANSWER)

    record = bench.record
    assert bench.call.ended
    assert (record.outcome, record.cost_source, record.failure) == ("ok", "reported", None)
    assert (record.started_at, record.duration, record.ended_at) == (7 * SECOND, 1.5, round(8.5 * SECOND))
    assert (record.request, record.attribution.user, record.answer.usage) == (request(), "alice", TOLD)
    assert (record.first_token, record.retries) == (None, 0)


def test_an_error_inside_an_answer_is_an_error(bench: Bench) -> None:
    bench.call.answered({"error": ERROR})

    assert (bench.record.outcome, bench.record.cost_source) == ("error", "none")
    assert bench.record.failure == Failure("provider_unavailable", "Provider disconnected", None, answered=True)


# --- what is raised ---
class SoftTimeLimit(Exception):
    """An application's own."""


@pytest.mark.parametrize(
    ("error", "outcome", "kind", "price"),
    [
        (ValueError("x"), "error", "ValueError", "unknown"),
        (SoftTimeLimit(), "error", "SoftTimeLimit", "unknown"),
        (TimeoutError(), "error", "TimeoutError", "unknown"),
        (asyncio.CancelledError(), "cancelled", None, "unknown"),
        (KeyboardInterrupt(), "cancelled", None, "unknown"),
        (SystemExit(1), "cancelled", None, "unknown"),
        (GeneratorExit(), "abandoned", None, "unknown"),
    ],
)
def test_what_is_raised_decides_the_outcome(
    error: BaseException, outcome: str, kind: str | None, price: str, bench: Bench
) -> None:
    bench.after(2).failed(error)

    record = bench.record
    assert (record.outcome, record.cost_source, record.answer) == (outcome, price, NOTHING)
    assert (record.failure and record.failure.type) == kind


class Refused(Exception):
    """What the client raises, by its shape."""

    def __init__(self, status: int, body: object) -> None:
        self.status_code, self.body = status, body


def test_an_error_that_openrouter_answered_costs_nothing(bench: Bench) -> None:
    bench.call.failed(Refused(429, {"metadata": {"error_type": "rate_limit_exceeded"}}))

    assert (bench.record.outcome, bench.record.cost_source) == ("error", "none")
    assert bench.record.failure == Failure("rate_limit_exceeded", answered=True)


def test_an_answer_that_then_failed_to_parse_was_charged_all_the_same(bench: Bench) -> None:
    bench.call.overheard(ANSWER)
    bench.call.failed(openai.LengthFinishReasonError.__new__(openai.LengthFinishReasonError))

    record = bench.record
    assert (record.outcome, record.cost_source, record.answer.usage) == ("error", "reported", TOLD)
    assert record.failure == Failure("LengthFinishReasonError")


def test_what_openrouter_said_in_a_200_explains_more_than_how_parsing_failed(bench: Bench) -> None:
    bench.call.overheard({"error": ERROR})
    bench.call.failed(TypeError("'NoneType' object is not iterable"))

    assert bench.record.failure is not None
    assert (bench.record.failure.type, bench.record.cost_source) == ("provider_unavailable", "none")


def test_an_answer_that_a_strict_client_refuses_was_charged_all_the_same(bench: Bench) -> None:
    bench.call.failed(Refused(200, ANSWER))

    assert (bench.record.outcome, bench.record.cost_source) == ("error", "reported")
    assert bench.record.failure == Failure("Refused")
    assert bench.record.answer.usage == TOLD


# --- streams ---
def test_a_stream_read_to_its_end_is_told_with_its_first_token(bench: Bench) -> None:
    bench.after(0.5).streams()
    bench.after(0.25).saw(chunk())  # only a role: not the first token
    bench.after(0.25).saw(chunk("Hi"))
    bench.after(1).saw(chunk("", "stop", usage=USAGE))
    bench.after(0.5).exhausted()

    record = bench.record
    assert (record.outcome, record.cost_source, record.answer.usage) == ("ok", "reported", TOLD)
    assert (record.duration, record.first_token, record.output_rate) == (2.5, 1.0, 2 / 1.5)
    assert record.answer.finish_reasons == ("stop",)


def test_an_error_in_a_stream_is_an_error_also_where_nothing_is_raised(bench: Bench) -> None:
    bench.call.streams()
    bench.call.saw(chunk("", "error", error=ERROR))
    bench.call.exhausted()

    assert bench.record.outcome == "error"
    assert bench.record.failure is not None
    assert bench.record.failure.type == "provider_unavailable"


def test_a_stream_that_breaks_keeps_what_it_had_told(bench: Bench) -> None:
    bench.call.streams()
    bench.call.saw(chunk("Hi", usage=USAGE))
    bench.after(1).failed(ConnectionError())

    assert (bench.record.outcome, bench.record.cost_source) == ("error", "reported")
    assert bench.record.failure == Failure("ConnectionError")


def test_an_abandoned_stream_ends_at_its_last_chunk(bench: Bench) -> None:
    bench.after(0.5).streams()
    bench.after(1).saw(chunk("Hi"))
    bench.after(3600).abandoned()

    record = bench.record
    assert (record.outcome, record.cost_source, record.duration) == ("abandoned", "unknown", 1.5)
    assert bench.told[0].later is False


def test_a_stream_abandoned_before_its_first_chunk_ends_when_it_began_to_stream(bench: Bench) -> None:
    bench.after(0.5).streams()
    bench.after(3600).abandoned()

    assert (bench.record.duration, bench.record.first_token) == (0.5, None)


def test_an_abandoned_stream_has_whatever_usage_it_had_shown(bench: Bench) -> None:
    bench.call.streams()
    bench.call.saw(chunk("", "stop", usage=USAGE))
    bench.call.abandoned(later=True)

    assert (bench.record.outcome, bench.record.cost_source) == ("abandoned", "reported")
    assert bench.told[0].later is True


def test_a_cancelled_stream_ends_now(bench: Bench) -> None:
    bench.call.streams()
    bench.after(1).saw(chunk("Hi"))
    bench.after(2).failed(asyncio.CancelledError())

    assert (bench.record.outcome, bench.record.duration) == ("cancelled", 3.0)


def test_a_chunk_of_something_that_is_no_stream_is_not_looked_at(bench: Bench) -> None:
    bench.call.saw(chunk("Hi"))
    bench.call.answered(ANSWER)

    assert bench.record.first_token is None


def test_a_chunk_that_cannot_be_read_does_not_reach_the_caller(bench: Bench) -> None:
    bench.call.streams()
    bench.call.saw(None)
    bench.call.saw(chunk("", "stop", usage=USAGE))
    bench.call.exhausted()

    assert (bench.record.outcome, bench.record.answer.usage) == ("ok", TOLD)


# --- attempts ---
@pytest.mark.parametrize(("attempts", "retries"), [(0, 0), (1, 0), (3, 2)])
def test_retries_are_the_attempts_beyond_the_first(attempts: int, retries: int, bench: Bench) -> None:
    bench.call.attempts = attempts
    bench.call.answered(ANSWER)

    assert bench.record.retries == retries


# --- ending once ---
WAYS_OUT: list[Callable[[Call], None]] = [
    lambda call: call.answered(ANSWER),
    lambda call: call.exhausted(),
    lambda call: call.failed(ValueError()),
    lambda call: call.failed(KeyboardInterrupt()),
    lambda call: call.abandoned(),
    lambda call: call.abandoned(later=True),
]


@pytest.mark.parametrize("first", range(len(WAYS_OUT)))
def test_the_first_way_out_ends_the_call_and_all_others_find_it_ended(first: int, bench: Bench) -> None:
    bench.call.streams()
    WAYS_OUT[first](bench.call)
    expected = list(bench.told)

    for way in WAYS_OUT:
        way(bench.call)

    assert len(expected) == 1
    assert bench.told == expected
