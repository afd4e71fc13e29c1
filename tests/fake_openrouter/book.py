"""The stand-in's own book: what it charged, and how much of that it told the client.

This is the ground truth of every exactness test. An entry is opened, untold, the moment a generation exists; it is
told just before its usage goes out and taken back when that write fails. So whoever has read an answer to its end
finds it told, and whatever was cut off in between stays in the column "charged without the client being told".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Final

OPEN: Final = "open"
ANSWERED: Final = "answered"
CLIENT_GONE: Final = "client gone"


@dataclass(frozen=True)
class Tokens:
    """Tokens of one generation; all but `input` and `output` are subsets of these two."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    audio_input: int = 0
    video_input: int = 0
    reasoning: int = 0
    image_output: int = 0
    audio_output: int = 0

    @property
    def total(self) -> int:
        """All of them, each once."""
        return self.input + self.output


@dataclass(frozen=True)
class Amounts:
    """Money and tokens.

    Attributes:
        charge: USD that OpenRouter charged; under BYOK its fee.
        bill: USD that the provider bills the caller under BYOK.
    """

    charge: Decimal = Decimal(0)
    bill: Decimal = Decimal(0)
    input: int = 0
    output: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(**{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)})


NOTHING: Final = Amounts()


def key_hash(key: str) -> str:
    """What a key is known by."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One generation that was charged.

    Attributes:
        spent: what it truly came to.
        told: what the client has been told of that.
        complete: whether the client was told everything there is to know: cost, tokens and, under BYOK, the bill.
        outcome: how it ended as the server saw it: `OPEN`, `ANSWERED`, `CLIENT_GONE` or the fault's name.
        finish: its finish_reason.
    """

    id: str
    time: float
    operation: str
    requested_model: str
    model: str
    provider: str
    user: str
    key_hash: str
    streamed: bool
    byok: bool
    tokens: Tokens
    spent: Amounts
    told: Amounts = NOTHING
    complete: bool = False
    outcome: str = OPEN
    finish: str = ""


@dataclass(frozen=True)
class Totals:
    """The book, added up.

    Attributes:
        told: what clients were told; a report must equal this.
        untold: what was charged without the client being told.
        generations: entries.
        untold_generations: entries of which the client was not told everything; the report's unpriced requests.
        requests: HTTP requests for an operation, each attempt counted.
        errors: answers that said or carried an error.
        retries: requests that were a repeated attempt.
    """

    told: Amounts
    untold: Amounts
    generations: int
    untold_generations: int
    requests: int
    errors: int
    retries: int


@dataclass
class Book:
    """Thread-safe."""

    _entries: dict[str, Entry] = field(default_factory=dict)
    _requests: int = 0
    _errors: int = 0
    _retries: int = 0
    _lock: threading.Condition = field(default_factory=threading.Condition)

    def requested(self, *, retry: bool) -> None:
        """An HTTP request for an operation has arrived."""
        with self._lock:
            self._requests += 1
            self._retries += retry

    def answered_error(self) -> None:
        """The client is about to be told of an error."""
        with self._lock:
            self._errors += 1

    def open(self, entry: Entry) -> None:
        """A generation exists and is charged; the client knows nothing of it yet."""
        with self._lock:
            self._entries[entry.id] = entry

    def tell(self, id: str, told: Amounts, *, complete: bool) -> None:
        """Usage is about to go out."""
        self._change(id, told=told, complete=complete)

    def take_back(self, id: str) -> None:
        """It did not get out."""
        self._change(id, told=NOTHING, complete=False)

    def close(self, id: str, outcome: str) -> None:
        """The exchange is over; says nothing about money."""
        self._change(id, outcome=outcome)

    def _change(self, id: str, **changes: Any) -> None:
        with self._lock:
            if id in self._entries:  # an uncharged one has no entry
                self._entries[id] = replace(self._entries[id], **changes)
                self._lock.notify_all()

    def settle(self, timeout: float = 5.0) -> None:
        """Wait until the server is through with every generation; TimeoutError when one stays open."""
        with self._lock:
            if not self._lock.wait_for(lambda: all(e.outcome != OPEN for e in self._entries.values()), timeout):
                raise TimeoutError(f"still open: {[e.id for e in self._entries.values() if e.outcome == OPEN]}")

    @property
    def entries(self) -> list[Entry]:
        """A copy, in the order of charging."""
        with self._lock:
            return list(self._entries.values())

    def entry(self, id: str) -> Entry | None:
        """The entry of a generation."""
        with self._lock:
            return self._entries.get(id)

    def totals(self) -> Totals:
        """Everything so far."""
        entries = self.entries
        spent = sum((entry.spent for entry in entries), NOTHING)
        told = sum((entry.told for entry in entries), NOTHING)
        return Totals(
            told=told,
            untold=spent - told,
            generations=len(entries),
            untold_generations=sum(not entry.complete for entry in entries),
            requests=self._requests,
            errors=self._errors,
            retries=self._retries,
        )

    def as_json(self) -> dict[str, Any]:
        """The whole book for another process; decimals are strings."""
        return {
            "totals": _plain(asdict(self.totals())),
            "entries": [_plain(asdict(entry)) for entry in self.entries],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return f"{value:f}" if isinstance(value, Decimal) else value
