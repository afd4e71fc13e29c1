"""How the SDK is met: the one door that all calls pass, and the streams it hands out. Only this file knows openai.

`OpenAI.request` and `AsyncOpenAI.request` are wrapped; at `_prepare_request`, the SDK's own hook before every attempt,
we listen so that retries can be counted. Answers are given back as they are: a stream stays the very `Stream` that the
SDK built, with our iterator between it and its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Protocol

import openai
import wrapt
from openai import AsyncStream, BaseModel, Stream

from openrouter_otel import body, finalizing
from openrouter_otel.call import Call
from openrouter_otel.quiet import quietly
from openrouter_otel.streams import AsyncReading, Reading

VERSION: Final = openai.__version__
"""Of the openai client."""

_current: ContextVar[Call | None] = ContextVar("openrouter_otel_call", default=None)
_INHERITED: Final = object()


class Passage(Protocol):
    """A call in progress: a context manager around the SDK's work on it, which ends the call if that raises."""

    call: Call

    def __enter__(self) -> object:
        """Make its span current."""

    def __exit__(self, *error: Any) -> None:
        """Make current again what was before."""


class Start(Protocol):
    """Begins a call; None: it is not for OpenRouter, or not inference."""

    def __call__(self, client: Any, options: Any, stream: bool) -> Passage | None:
        """Read the request and open what belongs to it."""


class Doors:
    """Our wrappers on the SDK's classes, hung anew each time: what others did to them meanwhile does not matter.

    Args:
        start: begins a call.
    """

    def __init__(self, start: Start) -> None:
        self._begin = quietly(start)
        self._open = False
        self._hung: list[tuple[type, str, object, object]] = []

    def open(self) -> None:
        """Watch calls from now on, those of clients made earlier included."""
        finalizing.notice()
        self._open = True
        self._hang(openai.OpenAI, "request", self._request)
        self._hang(openai.AsyncOpenAI, "request", self._arequest)
        for owner in (openai.OpenAI, openai.AsyncOpenAI):
            self._hang(owner, "_prepare_request", self._attempt)

    def close(self) -> None:
        """Take back what is ours, for good; a wrapper that others have wrapped since stays where it is and sleeps."""
        self._open = False
        while self._hung:
            owner, name, ours, before = self._hung.pop()
            if owner.__dict__.get(name) is not ours:
                continue
            if before is _INHERITED:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def _hang(self, owner: type, name: str, wrapper: Callable[..., Any]) -> None:
        before = owner.__dict__.get(name, _INHERITED)
        ours = wrapt.FunctionWrapper(inspect.getattr_static(owner, name), wrapper)
        setattr(owner, name, ours)
        self._hung.append((owner, name, ours, before))

    def _request(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        passage = self._start(client, args, kwargs)
        if passage is None:
            return wrapped(*args, **kwargs)
        token = _current.set(passage.call)
        try:
            with passage:
                answer = wrapped(*args, **kwargs)
        finally:
            _current.reset(token)
        _answered(passage.call, answer)
        return answer

    async def _arequest(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        passage = self._start(client, args, kwargs)
        if passage is None:
            return await wrapped(*args, **kwargs)
        token = _current.set(passage.call)
        try:
            with passage:
                answer = await wrapped(*args, **kwargs)
        finally:
            _current.reset(token)
        _answered(passage.call, answer)
        return answer

    def _start(self, client: Any, args: Any, kwargs: Any) -> Passage | None:
        if not self._open:
            return None
        options = args[1] if len(args) > 1 else kwargs.get("options")
        passage = self._begin(client, options, bool(kwargs.get("stream")))
        if passage is not None:
            _overhear(options, passage.call)
        return passage

    def _attempt(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        call = _current.get()
        if call is not None and self._open:
            call.attempts += 1
        return wrapped(*args, **kwargs)


class Peephole(Doors):
    """Sees calls begin and has no part in them: what it is given says None to all."""

    def open(self) -> None:
        """See calls from now on."""
        self._open = True
        self._hang(openai.OpenAI, "request", self._request)
        self._hang(openai.AsyncOpenAI, "request", self._arequest)


@quietly
def _answered(call: Call, answer: object) -> None:
    """Look at what the SDK hands out: is it complete, or will the caller read on?"""
    if isinstance(answer, BaseModel):
        call.answered(answer)
    elif isinstance(answer, Stream):
        call.identified(_generation(answer.response))
        call.streams()
        answer._iterator = Reading(answer._iterator, call)
        body.follow(answer.response, call)
    elif isinstance(answer, AsyncStream):
        call.identified(_generation(answer.response))
        call.streams()
        answer._iterator = AsyncReading(answer._iterator, call)
        body.follow(answer.response, call)
    elif isinstance(answer, (str, bytes)):
        call.answered(body.parsed(answer))  # asked for as it came
    elif (response := _response(answer)) is None:
        call.answered(answer)
    else:
        call.identified(_generation(response))
        if response.is_closed:
            call.answered(body.parsed(response.content))
        else:
            call.streams()
            body.follow(response, call)


def _response(answer: object) -> Any:
    """The HTTP response of a raw or binary answer, or the answer itself if it is one."""
    if hasattr(answer, "is_stream_consumed"):
        return answer
    return getattr(answer, "http_response", None) or getattr(answer, "response", None)


def _generation(response: Any) -> str | None:
    generation: str | None = response.headers.get("x-generation-id")
    return generation


class Overheard:
    """Stands before the parser of a structured answer: an answer that fails to parse was charged all the same."""

    def __init__(self, parser: Callable[[Any], Any], call: Call) -> None:
        self.parser = parser
        self._call = call

    def __call__(self, answer: Any) -> Any:
        """Hear the answer, then parse it."""
        self._call.overheard(answer)
        return self.parser(answer)


@quietly
def _overhear(options: Any, call: Call) -> None:
    parser = getattr(options, "post_parser", None)
    if callable(parser):
        options.post_parser = Overheard(parser.parser if isinstance(parser, Overheard) else parser, call)
