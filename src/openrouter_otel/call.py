"""The life of one API call: started, saw chunks, and ended exactly once as a frozen `Record`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from openrouter_otel import names
from openrouter_otel.facts.endpoints import Folding
from openrouter_otel.facts.errors import Failure, raised_failure
from openrouter_otel.facts.request import Request
from openrouter_otel.facts.response import NOTHING, Answer
from openrouter_otel.quiet import quietly
from openrouter_otel.record import Attribution, Record, cost_source


class Clock(NamedTuple):
    """Nanoseconds: `wall` since the epoch for stamps, `tick` monotonic for durations."""

    wall: Callable[[], int] = time.time_ns
    tick: Callable[[], int] = time.perf_counter_ns


class Sink(Protocol):
    """Where an ended call goes."""

    def __call__(self, call: Call, record: Record, *, later: bool) -> None:
        """Take the record; `later`: we are in a finalizer, where no lock may be taken."""


class Call:
    """One call. However many ways lead out of it, the first one ends it and the others find it ended.

    Args:
        request: what was asked.
        attribution: who asked.
        clock: tells the time.
        sink: gets the Record.
        handle: whatever the sink wants to find again at the end (the open span).
    """

    __slots__ = (
        "__weakref__",
        "_answer",
        "_attribution",
        "_clock",
        "_ends",
        "_first_chunk",
        "_first_token",
        "_generation",
        "_last",
        "_sink",
        "_start_tick",
        "_started_at",
        "_stream",
        "attempts",
        "handle",
        "reader",
        "request",
    )

    def __init__(
        self, request: Request, attribution: Attribution, clock: Clock, sink: Sink, started_at: int, handle: object
    ) -> None:
        self.request = request
        self.handle = handle
        self.attempts = 0
        self.reader = 0  # ident of the thread that is reading a chunk right now
        self._attribution = attribution
        self._clock = clock
        self._sink = sink
        self._ends = [None]  # popped by whoever ends the call: one atomic step, so nobody ends it twice
        self._started_at = started_at
        self._start_tick = self._last = clock.tick()
        self._first_chunk: int | None = None
        self._first_token: int | None = None
        self._stream: Folding | None = None
        self._answer: Answer = NOTHING
        self._generation: str | None = None

    # --- what happens on the way ---
    def identified(self, generation: str | None) -> None:
        """The response's headers have told the generation's id: all there is where the body is never read."""
        self._generation = generation or None

    def streams(self) -> None:
        """The answer is a stream: it has begun and will be read."""
        self._last = self._clock.tick()
        self._stream = self.request.endpoint.fold()

    @quietly
    def saw(self, chunk: object) -> None:
        """One chunk has been handed to the caller."""
        stream = self._stream
        if stream is None:
            return
        self._last = self._clock.tick()
        if self._first_chunk is None:
            self._first_chunk = self._last
        stream.saw(chunk)
        if self._first_token is None and stream.has_content:
            self._first_token = self._last

    @quietly
    def overheard(self, body: object) -> None:
        """An answer is about to be parsed further, which may fail: keep what it cost."""
        self._answer = self._read(body)

    # --- the ways out ---
    @quietly
    def answered(self, body: object) -> None:
        """A whole answer has been handed to the caller, who may not have noticed an error in it."""
        answer = self._read(body)
        self._end(names.ERROR if answer.failure else names.OK, answer.failure, answer=answer)

    @quietly
    def exhausted(self) -> None:
        """The stream was read to its end."""
        failure = self._facts().failure
        self._end(names.ERROR if failure else names.OK, failure)

    @quietly
    def failed(self, error: BaseException) -> None:
        """Something was raised at the caller."""
        if isinstance(error, GeneratorExit):
            self.abandoned()
        elif not isinstance(error, Exception):
            self._end(names.CANCELLED, None)  # CancelledError, KeyboardInterrupt, SystemExit
        else:
            self._keep_unparsed(error)
            # What OpenRouter said in an HTTP 200 explains more than how the parsing of it then failed.
            self._end(names.ERROR, self._answer.failure or raised_failure(error))

    @quietly
    def abandoned(self, *, later: bool = False) -> None:
        """The caller stopped reading, at its last chunk's time; `later`: noticed by a finalizer."""
        failure = self._facts().failure  # an error that was told is one, also for a caller that stops there
        self._end(names.ERROR if failure else names.ABANDONED, failure, at=self._last, later=later)

    @property
    def ended(self) -> bool:
        """Whether somebody has ended it."""
        return not self._ends

    def _seconds_to(self, tick: int | None) -> float | None:
        return None if tick is None else (tick - self._start_tick) / 1e9

    def _read(self, body: object) -> Answer:
        return self.request.endpoint.read(body)

    def _facts(self) -> Answer:
        return self._answer if self._stream is None else self._stream.answer()

    def _keep_unparsed(self, error: Exception) -> None:
        # A strict client refuses an answer that was charged all the same.
        status, body = getattr(error, "status_code", None), getattr(error, "body", None)
        if self._answer is NOTHING and isinstance(status, int) and status < 400 and isinstance(body, dict):
            self._answer = self._read(body)

    def _end(
        self,
        outcome: str,
        failure: Failure | None,
        *,
        answer: Answer | None = None,
        at: int | None = None,
        later: bool = False,
    ) -> None:
        try:
            self._ends.pop()
        except IndexError:
            return
        facts = answer or self._facts()
        if facts.id is None and self._generation is not None:
            facts = facts._replace(id=self._generation)
        elapsed = (self._clock.tick() if at is None else at) - self._start_tick
        record = Record(
            self.request,
            self._attribution,
            facts,
            outcome,
            cost_source(facts.usage, outcome, failure),
            failure,
            self._started_at,
            elapsed / 1e9,
            self._seconds_to(self._first_token),
            max(0, self.attempts - 1),
            first_chunk=self._seconds_to(self._first_chunk),
        )
        self._sink(self, record, later=later)
