"""The endpoints that generate something: one row each, one file each.

A new endpoint is a module with these functions and a row in `OPERATIONS`; faults, latency and the book come free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from . import chat, usage
from .generation import Generation
from .usage import JSON, Usage


@dataclass(frozen=True)
class Streaming:
    """How an operation streams.

    Attributes:
        opening: the first event, before there is any content.
        deltas: the events with content.
        closing: the events after it; the last one tells the usage.
        failing: the event of an error in between: usage, what goes beside ``choices``, what goes into choice 0.
    """

    opening: Callable[[Generation], JSON]
    deltas: Callable[[Generation], Iterator[JSON]]
    closing: Callable[[Generation, Usage], Iterator[JSON]]
    failing: Callable[[Generation, Usage, JSON, JSON], JSON]


@dataclass(frozen=True)
class Operation:
    """One endpoint.

    Attributes:
        name: the contract's word for it.
        usage: its flavour of usage, in the form that the scenario asks for.
        body: a whole answer.
        streaming: how it streams; None where it does not.
    """

    name: str
    usage: Callable[[Generation], Usage]
    body: Callable[[Generation, Usage], JSON]
    streaming: Streaming | None = None


OPERATIONS: Final[Mapping[str, Operation]] = {
    "/chat/completions": Operation(
        "chat", usage.usage, chat.body, Streaming(chat.opening, chat.deltas, chat.closing, chat.failing)
    ),
}
