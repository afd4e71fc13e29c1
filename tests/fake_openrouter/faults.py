"""The ways in which an answer goes wrong, by name."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from .errors import ACCOUNT, EDGE_PAGE, failure
from .exchange import Exchange
from .generation import Generation
from .usage import JSON, Usage
from .wire import rendered

_PATIENCE: Final = 60.0  # a client that never gives up must not keep the server from stopping


def _status(exchange: Exchange) -> None:
    """The endpoint's usual error body under its status."""
    scenario = exchange.scenario
    refusal = exchange.operation.refusal
    _refuse(exchange, lambda generation: refusal(failure(scenario.status), generation.provider, scenario))


def _flat_status(exchange: Exchange) -> None:
    """The same in the availability flavour, with `error_type` directly under ``error``."""
    error = failure(exchange.scenario.status).flat(exchange.scenario.error_type)
    _refuse(exchange, lambda _: {"error": error, "user_id": ACCOUNT})


def _refuse(exchange: Exchange, body: Callable[[Generation], JSON]) -> None:
    scenario = exchange.scenario
    headers = {"Retry-After": scenario.retry_after} if scenario.retry_after else {}
    with exchange.generating(charged=scenario.charged == "yes") as generation:
        exchange.wire.wait(scenario.latency)
        exchange.book.answered_error()
        headers = {"X-Generation-Id": generation.id, **headers}
        exchange.wire.answer_json(scenario.status, body(generation), headers)


def _edge(exchange: Exchange) -> None:
    """An HTML page from whoever stands in front of OpenRouter."""
    exchange.wire.wait(exchange.scenario.latency)
    exchange.book.answered_error()
    exchange.wire.answer(exchange.scenario.status, "text/html; charset=UTF-8", EDGE_PAGE.encode(), {})


def _body_error(exchange: Exchange) -> None:
    """Status 200, and ``error`` beside everything in a stream's event, or instead of everything in a body."""
    _hide(exchange, told=False)


def _partial_error(exchange: Exchange) -> None:
    """Status 200, and the error where only a careful reader sees it; charged where it tells a usage."""
    _hide(exchange, told=exchange.scenario.usage not in {"none", "null"})


def _choices_null(exchange: Exchange) -> None:
    """Status 200 and no choices, without a word why; a stream says so at once, and then ends well."""
    _hide(replace(exchange, scenario=replace(exchange.scenario, at=0)), told=False, done=True)


def _hide(exchange: Exchange, *, told: bool, done: bool = False) -> None:
    scenario = exchange.scenario
    carrier = exchange.operation.carrier(scenario.fault, streamed=exchange.ask.streamed)
    with exchange.generating(charged=told or scenario.charged == "yes") as generation:
        usage = exchange.operation.flavour.usage(generation)
        usage = usage if told else Usage.untold(present=usage.present and usage.body is None)
        answer = carrier(generation, usage, _error(exchange, generation))
        exchange.book.answered_error()
        if not exchange.ask.streamed:
            exchange.send_body(generation, usage, answer)
            return
        exchange.open_stream(generation)
        exchange.send_deltas(generation, scenario.at)
        with exchange.telling(generation, usage):
            exchange.send_event(answer)
        exchange.wire.close_stream(done=done)


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
            usage = exchange.operation.flavour.usage(generation)
            half = rendered(exchange.operation.body(generation, usage))
            exchange.wire.break_off(half.content_type, half.content, exchange.headers(generation))


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


# Those that an operation must have a place for.
HIDDEN: Final[Mapping[str, Callable[[Exchange], None]]] = {
    "body-error": _body_error,
    "choice-error": _partial_error,
    "choices-null": _choices_null,
    "failed": _partial_error,
    "event-error": _body_error,
}
FAULTS: Final[Mapping[str, Callable[[Exchange], None]]] = {
    **HIDDEN,
    "status": _status,
    "flat-status": _flat_status,
    "edge": _edge,
    "drop": _drop,
    "cut": _cut,
    "hang": _hang,
    "stall": _streams_only(_stall),
    "endless": _streams_only(_endless),
}
