"""Many chunks to one answer: later known beats earlier unknown, usage is the last one told and never summed."""

from __future__ import annotations

from openrouter_otel.facts.errors import Failure
from openrouter_otel.facts.reading import field, text
from openrouter_otel.facts.response import ANSWERED_NOTHING, Answer, has_content, hidden_failure
from openrouter_otel.facts.usage import read_usage


class StreamFacts:
    """Folds the chunks of one stream; `saw` is on the hot path and touches only what can still change.

    OpenRouter ends a stream in one of three shapes: usage in a chunk of its own without choices, usage in an extra
    chunk that repeats the finish reason, or usage on the finishing chunk itself.

    Attributes:
        has_content: the first token has been seen.
    """

    __slots__ = ("_finishing", "_id", "_last", "_model", "_null", "_provider", "_usage", "has_content")

    def __init__(self) -> None:
        self.has_content = False
        self._id: str | None = None
        self._model: str | None = None
        self._provider: str | None = None
        self._usage: object = None
        self._finishing: object = None
        self._last: object = None
        self._null = False

    def saw(self, chunk: object) -> None:
        """Take in one chunk, an SDK model or parsed JSON."""
        if self._provider is None:
            self._identify(chunk)
        values = chunk if isinstance(chunk, dict) else chunk.__dict__
        usage = values.get("usage")
        if usage is not None:
            self._usage = usage
        choices = values.get("choices")
        if not choices:
            if field(chunk, "error"):
                self._finishing = chunk
            self._null = self._null or choices is None
            return
        self._last = chunk
        if not self.has_content:
            self.has_content = has_content(chunk)
        if self._finishing is None and _finishes(choices[0]):
            self._finishing = chunk

    def answer(self) -> Answer:
        """What the stream has told so far."""
        failure = hidden_failure(self._finishing) or hidden_failure(self._last)
        if failure is None and self._null and self._finishing is None:
            failure = Failure(ANSWERED_NOTHING, answered=True)  # `choices: null`, and no word on how it finished
        choices = field(self._finishing, "choices")
        finish = choices[0] if isinstance(choices, list) and choices else None
        reason = text(field(finish, "finish_reason"))
        return Answer(
            self._id,
            self._model,
            self._provider or (failure.provider if failure else None),
            (reason,) if reason else (),
            text(field(finish, "native_finish_reason")),
            read_usage(self._usage),
            failure,
        )

    def _identify(self, chunk: object) -> None:
        self._id = self._id or text(field(chunk, "id"))
        self._model = self._model or text(field(chunk, "model"))
        self._provider = text(field(chunk, "provider"))


def _finishes(choice: object) -> bool:
    """Whether a choice tells the stream's end: choice 0, also where another ends first, or any that failed."""
    reason = field(choice, "finish_reason")
    return bool(reason) and (reason == "error" or not field(choice, "index"))
