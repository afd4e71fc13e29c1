"""The ways in which an answer goes wrong, by name."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Final

from .errors import EDGE_PAGE, failure
from .exchange import Exchange
from .generation import Generation
from .usage import JSON, Usage
from .wire import to_json

_ACCOUNT: Final = "user_2abcDEFghi"
_PATIENCE: Final = 60.0  # a client that never gives up must not keep the server from stopping


def _status(exchange: Exchange) -> None:
    """OpenRouter's usual error body under its status."""
    _refuse(exchange, lambda generation: _error(exchange, generation))


def _flat_status(exchange: Exchange) -> None:
    """The same in the availability flavour, with `error_type` directly under ``error``."""
    _refuse(exchange, lambda _: failure(exchange.scenario.status).flat(exchange.scenario.error_type))


def _refuse(exchange: Exchange, error: Callable[[Generation], JSON]) -> None:
    scenario = exchange.scenario
    headers = {"Retry-After": scenario.retry_after} if scenario.retry_after else {}
    with exchange.generating(charged=scenario.charged == "yes") as generation:
        exchange.wire.wait(scenario.latency)
        exchange.book.answered_error()
        body = {"error": error(generation), "user_id": _ACCOUNT}
        exchange.wire.answer_json(scenario.status, body, {"X-Generation-Id": generation.id, **headers})


def _edge(exchange: Exchange) -> None:
    """An HTML page from whoever stands in front of OpenRouter."""
    exchange.wire.wait(exchange.scenario.latency)
    exchange.book.answered_error()
    exchange.wire.answer(exchange.scenario.status, "text/html; charset=UTF-8", EDGE_PAGE.encode(), {})


def _body_error(exchange: Exchange) -> None:
    """Status 200, and ``error`` beside ``choices`` in a stream's chunk, or instead of everything in a body."""
    with exchange.generating(charged=exchange.scenario.charged == "yes") as generation:
        error = {"error": _error(exchange, generation)}
        exchange.book.answered_error()
        if exchange.ask.streamed:
            _fail_midway(exchange, generation, _NO_USAGE, error, {})
        else:
            exchange.wire.wait(exchange.scenario.latency)
            exchange.wire.answer_json(200, {**error, "user_id": _ACCOUNT}, exchange.headers(generation))


def _choice_error(exchange: Exchange) -> None:
    """Status 200, partial content, and the error only in choice 0; charged where it tells a usage."""
    with exchange.generating(charged=_tells_usage(exchange) or exchange.scenario.charged == "yes") as generation:
        usage = exchange.operation.usage(generation)
        error = {"error": _error(exchange, generation)}
        exchange.book.answered_error()
        if exchange.ask.streamed:
            _fail_midway(exchange, generation, usage, {}, error)
        else:
            body = exchange.operation.body(generation, usage)
            choice = {**body["choices"][0], **error, "finish_reason": "error", "native_finish_reason": "error"}
            exchange.send_body(generation, usage, {"choices": [choice]})


def _choices_null(exchange: Exchange) -> None:
    """Status 200 and no choices, without a word why."""
    with exchange.generating(charged=exchange.scenario.charged == "yes") as generation:
        exchange.book.answered_error()
        if exchange.ask.streamed:
            exchange.open_stream(generation)
            exchange.wire.event({**exchange.streaming.opening(generation), "choices": None})
            exchange.wire.close_stream()
        else:
            exchange.send_body(generation, _NO_USAGE, {"choices": None, "usage": None})


def _fail_midway(exchange: Exchange, generation: Generation, usage: Usage, top: JSON, choice: JSON) -> None:
    exchange.open_stream(generation)
    exchange.send_deltas(generation, exchange.scenario.at)
    with exchange.telling(generation, usage):
        exchange.send_event(exchange.streaming.failing(generation, usage, top, choice))
    exchange.wire.close_stream(done=False)


def _drop(exchange: Exchange) -> None:
    """The connection is gone before the first byte."""
    with exchange.generating(charged=exchange.scenario.charges_lost_answer):
        exchange.wire.wait(exchange.scenario.latency)
        exchange.wire.drop()


def _cut(exchange: Exchange) -> None:
    """The connection is gone in the middle of the answer."""
    with exchange.generating(charged=exchange.scenario.charges_lost_answer) as generation:
        if exchange.ask.streamed:
            exchange.open_stream(generation)
            exchange.send_deltas(generation, exchange.scenario.at)
            exchange.wire.drop()
        else:
            exchange.wire.wait(exchange.scenario.latency)
            body = exchange.operation.body(generation, exchange.operation.usage(generation))
            exchange.wire.break_off("application/json", to_json(body), exchange.headers(generation))


def _hang(exchange: Exchange) -> None:
    """No answer at all, until the client gives up."""
    with exchange.generating(charged=exchange.scenario.charges_lost_answer):
        exchange.wire.wait(_PATIENCE)
        exchange.wire.drop()


def _stall(exchange: Exchange) -> None:
    """A stream that falls silent, until the client gives up."""
    with exchange.generating(charged=exchange.scenario.charges_lost_answer) as generation:
        exchange.open_stream(generation)
        exchange.send_deltas(generation, exchange.scenario.at)
        exchange.wire.wait(_PATIENCE)
        exchange.wire.drop()


def _endless(exchange: Exchange) -> None:
    """A stream with content for as long as anybody listens: whoever stops reading is sure not to have seen usage."""
    with exchange.generating(charged=exchange.scenario.charges_lost_answer) as generation:
        exchange.open_stream(generation)
        until = time.monotonic() + _PATIENCE
        for delta in itertools.cycle(list(exchange.streaming.deltas(generation))):
            exchange.wire.wait(exchange.scenario.chunk_delay)
            exchange.send_event(delta)
            if time.monotonic() > until:
                break
        exchange.wire.drop()


def _streams_only(fault: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Without a stream to spoil, the client gets no answer at all."""
    return lambda exchange: (fault if exchange.ask.streamed else _hang)(exchange)


def _error(exchange: Exchange, generation: Generation) -> JSON:
    scenario = exchange.scenario
    body = failure(scenario.status).body(generation.provider, scenario.error_type)
    return {**body, **({"code": scenario.code} if scenario.code else {})}


def _tells_usage(exchange: Exchange) -> bool:
    return exchange.scenario.usage not in {"none", "null"}


_NO_USAGE: Final = Usage.untold()

FAULTS: Final[Mapping[str, Callable[[Exchange], None]]] = {
    "status": _status,
    "flat-status": _flat_status,
    "edge": _edge,
    "body-error": _body_error,
    "choice-error": _choice_error,
    "choices-null": _choices_null,
    "drop": _drop,
    "cut": _cut,
    "hang": _hang,
    "stall": _streams_only(_stall),
    "endless": _streams_only(_endless),
}
