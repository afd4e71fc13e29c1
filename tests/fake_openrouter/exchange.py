"""One request being answered: the good way. ``faults.py`` has the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .book import ANSWERED, CLIENT_GONE, Book
from .generation import Ask, Generation, generate
from .operation import Operation, Streaming
from .scenario import Scenario, UnknownScenarioError
from .usage import JSON, Usage
from .wire import Media, Wire


@dataclass(frozen=True)
class Exchange:
    """A request, what is to become of it, and where the answer goes."""

    wire: Wire
    book: Book
    operation: Operation
    ask: Ask
    scenario: Scenario
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def streaming(self) -> Streaming:
        """How the operation streams."""
        if self.operation.streaming is None:
            raise UnknownScenarioError(f"{self.operation.name} does not stream")
        return self.operation.streaming

    @contextmanager
    def generating(self, *, charged: bool = True) -> Iterator[Generation]:
        """Serve the request; a charged generation is in the book from here on, untold."""
        generation = generate(self.ask, self.scenario, self.operation.tokens)
        if charged:
            self.book.open(generation.entry())
        outcome = CLIENT_GONE
        try:
            yield generation
            outcome = self.scenario.fault or ANSWERED
        finally:
            self.book.close(generation.id, outcome)

    @contextmanager
    def telling(self, generation: Generation, usage: Usage) -> Iterator[None]:
        """Around the write that carries the usage."""
        self.book.tell(generation.id, usage.told, complete=usage.complete)
        try:
            yield
        except OSError:
            self.book.take_back(generation.id)
            raise

    def headers(self, generation: Generation) -> dict[str, str]:
        """OpenRouter's headers of a successful answer."""
        cache = self.scenario.cache
        age = {"X-OpenRouter-Cache-Age": "12"} if cache == "HIT" else {}
        status = {"X-OpenRouter-Cache-Status": cache, "X-OpenRouter-Cache-TTL": "300", **age} if cache else {}
        return {"X-Generation-Id": generation.id, **status}

    def send_body(self, generation: Generation, usage: Usage, body: JSON | Media) -> None:
        """A whole answer, in time."""
        self.wire.wait(self.scenario.latency)
        if isinstance(body, Media):
            self._send_media(generation, body)
        else:
            with self.telling(generation, usage):
                self.wire.answer_json(200, body, self.headers(generation))

    def _send_media(self, generation: Generation, media: Media) -> None:
        """In pieces, as it is made; it tells no usage."""
        self.wire.open_stream(self.headers(generation), media.content_type)
        for number, piece in enumerate(media.pieces(self.scenario.chunks)):
            self.wire.wait(self.scenario.chunk_delay if number else 0)
            self.wire.piece(piece)
        self.wire.close_stream(done=False)

    def open_stream(self, generation: Generation) -> None:
        """A stream up to where its content begins."""
        self.wire.wait(self.scenario.latency)
        self.wire.open_stream(self.headers(generation))
        for event in self.streaming.opening(generation):
            self.send_event(event)

    def send_deltas(self, generation: Generation, limit: int | None = None) -> None:
        """A stream's content, at most `limit` chunks of it."""
        for number, delta in enumerate(self.streaming.deltas(generation)):
            if number == limit:
                return
            self.wire.wait(self.scenario.chunk_delay)
            self.send_event(delta)

    def send_event(self, event: JSON) -> None:
        """One event, with the comment lines that OpenRouter puts before it."""
        for _ in range(self.scenario.comments):
            self.wire.comment()
        if self.streaming.numbered:
            event = {**event, "sequence_number": next(self._numbers)}
        self.wire.event(event, str(event.get("type", "")) if self.scenario.named else "")


def answer(exchange: Exchange) -> None:
    """Answer well."""
    with exchange.generating() as generation:
        usage = exchange.operation.flavour.usage(generation)
        if exchange.ask.streamed:
            _stream(exchange, generation, usage)
        else:
            exchange.send_body(generation, usage, exchange.operation.body(generation, usage))


def _stream(exchange: Exchange, generation: Generation, usage: Usage) -> None:
    exchange.open_stream(generation)
    exchange.send_deltas(generation)
    *before, last = exchange.streaming.closing(generation, usage)
    for event in before:
        exchange.send_event(event)
    with exchange.telling(generation, usage):
        exchange.send_event(last)
    exchange.wire.close_stream()
