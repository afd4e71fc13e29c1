"""One generation: what was asked, who served it, what it came to. Bodies and the book are functions of it."""

from __future__ import annotations

import hashlib
import itertools
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from . import catalogue, structured
from .book import Amounts, Entry, Tokens, key_hash
from .scenario import Scenario

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TEXT: Final = "the answer is short and quite certain since nobody asked twice about a river in spring"
THOUGHT: Final = "They want to know, so let me think."  # what comes first where a scenario asks for reasoning
_SAID: Final = ("messages", "input", "prompt", "query", "documents", "file")
_numbers: Final = itertools.count(1)


@dataclass(frozen=True)
class Ask:
    """A request for a generation, as it came in.

    Attributes:
        operation: the contract's word: ``chat``, ``embeddings``, ...
        body: the request's JSON.
        key: the API key.
        at: when, in seconds since the epoch.
    """

    operation: str
    body: Mapping[str, Any]
    key: str
    streamed: bool
    at: float = field(default_factory=time.time)

    @property
    def model(self) -> str:
        """The requested model; empty where the account's default is meant."""
        return str(self.body.get("model") or "")

    @property
    def fallbacks(self) -> list[str]:
        """The request's fallback list."""
        return list(self.body.get("models") or [])

    @property
    def text(self) -> str:
        """All that was said, for counting."""
        return "\n".join(_said(self.body[name]) for name in _SAID if self.body.get(name))


Counting = Callable[[Ask, Scenario], Tokens]


@dataclass(frozen=True)
class Generation:
    """What the server made of an `Ask` under a `Scenario`."""

    id: str
    created: int
    ask: Ask
    scenario: Scenario
    model: str
    provider: str
    tokens: Tokens
    spent: Amounts
    text: str

    @property
    def native_finish(self) -> str:
        """The provider's own word for the end."""
        return catalogue.model(self.model).native_stop if self.scenario.finish == "stop" else self.scenario.finish

    def pieces(self) -> Iterator[str]:
        """Its text as the chunks of a stream."""
        return cut(self.text, self.scenario.chunks)

    def entry(self) -> Entry:
        """Its line in the book, untold."""
        return Entry(
            id=self.id,
            time=self.ask.at,
            operation=self.ask.operation,
            requested_model=self.ask.model,
            model=self.model,
            provider=self.provider,
            user=str(self.ask.body.get("user") or self.ask.body.get("safety_identifier") or ""),
            key_hash=key_hash(self.ask.key),
            streamed=self.ask.streamed,
            byok=self.scenario.byok,
            tokens=self.tokens,
            spent=self.spent,
            finish=self.scenario.finish,
        )


def generate(ask: Ask, scenario: Scenario, count: Counting) -> Generation:
    """Serve a request; the same request comes to the same tokens and the same price."""
    slug = catalogue.served(ask.model, ask.fallbacks, scenario.model)
    row = catalogue.model(slug)
    tokens = count(ask, scenario)
    price = row.price(tokens) if scenario.cost is None else scenario.cost
    charge, bill = (scenario.fee, price) if scenario.byok else (price, price * 0)
    created = int(ask.at)
    return Generation(
        id=f"gen-{created}-{_id(next(_numbers))}",
        created=created,
        ask=ask,
        scenario=scenario,
        model=slug,
        provider=scenario.provider or row.provider,
        tokens=tokens,
        spent=Amounts(charge, bill, tokens.input, tokens.output),
        text=scenario.content or structured.answer(ask.body) or _prose(tokens.output),
    )


def text_tokens(ask: Ask, scenario: Scenario) -> Tokens:
    """Text in, text out."""
    if scenario.usage == "zero":
        return Tokens(0, 0)
    derived = 20 + zlib.crc32(ask.text.encode()) % 180
    return Tokens(
        input=scenario.prompt_tokens if scenario.prompt_tokens >= 0 else 4 + len(ask.text) // 4,
        output=max(scenario.completion_tokens if scenario.completion_tokens >= 0 else derived, scenario.reasoning),
        cache_read=scenario.cached,
        cache_write=scenario.cache_write,
        audio_input=scenario.audio_in,
        video_input=scenario.video_in,
        reasoning=scenario.reasoning,
        image_output=scenario.image_out,
        audio_output=scenario.audio_out,
    )


def input_tokens(ask: Ask, scenario: Scenario) -> Tokens:
    """Text in, and nothing out that is counted."""
    return replace(text_tokens(ask, scenario), output=0, reasoning=0, image_output=0, audio_output=0)


def cut(text: str, pieces: int) -> Iterator[str]:
    """A text in about so many pieces, between words."""
    words = text.split(" ")
    size = max(1, -(-len(words) // max(1, pieces)))
    for start in range(0, len(words), size):
        yield (" " if start else "") + " ".join(words[start : start + size])


def _said(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_said, value))
    return str(value.get("content") if isinstance(value, Mapping) else value)


def _prose(tokens: int) -> str:
    return " ".join(itertools.islice(itertools.cycle(_TEXT.split(" ")), min(max(tokens, 1), 400)))


def _id(number: int) -> str:
    digest = hashlib.sha256(str(number).encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:20])
