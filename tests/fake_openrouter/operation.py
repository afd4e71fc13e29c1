"""What an endpoint that generates something consists of; ``operations.py`` has the table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .errors import ACCOUNT, Failure, refusal
from .generation import Counting, Generation, text_tokens
from .scenario import Scenario, UnknownScenarioError
from .usage import CHAT, JSON, Flavour, Usage
from .wire import Media

# Puts an error into an answer with status 200: the generation, what is told of its usage, the ``error`` object.
Carrier = Callable[[Generation, Usage, JSON], JSON]


@dataclass(frozen=True)
class Streaming:
    """How an operation streams.

    Attributes:
        opening: the events before there is any content.
        deltas: the events with content.
        closing: the events after it; the last one tells the usage.
        hiding: by a fault's name, the event that carries its error in the middle of a stream.
        numbered: whether every event has a ``sequence_number``.
    """

    opening: Callable[[Generation], Iterator[JSON]]
    deltas: Callable[[Generation], Iterator[JSON]]
    closing: Callable[[Generation, Usage], Iterator[JSON]]
    hiding: Mapping[str, Carrier]
    numbered: bool = False


def _instead(_: Generation, __: Usage, error: JSON) -> JSON:
    return {"error": error, "user_id": ACCOUNT}


BARE_ERROR: Mapping[str, Carrier] = {"body-error": _instead}


@dataclass(frozen=True)
class Operation:
    """One endpoint.

    Attributes:
        name: the contract's word for it.
        body: a whole answer.
        flavour: how its usage is told.
        streaming: how it streams; None where it does not.
        tokens: what of a request counts as tokens.
        hiding: by a fault's name, the whole answer with status 200 that carries its error.
        refusal: the body under an HTTP status, of a failure and the provider that is to blame.
    """

    name: str
    body: Callable[[Generation, Usage], JSON | Media]
    flavour: Flavour = CHAT
    streaming: Streaming | None = None
    tokens: Counting = text_tokens
    hiding: Mapping[str, Carrier] = field(default_factory=lambda: BARE_ERROR)
    refusal: Callable[[Failure, str, Scenario], JSON] = refusal

    def carrier(self, fault: str, *, streamed: bool) -> Carrier:
        """What carries a fault's error."""
        hiding = self.streaming.hiding if streamed and self.streaming else self.hiding
        if fault not in hiding:
            kind = "stream" if streamed else "answer"
            raise UnknownScenarioError(f"no {kind} of this endpoint has a {fault!r}; there are {', '.join(hiding)}")
        return hiding[fault]
