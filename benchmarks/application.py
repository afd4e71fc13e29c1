"""An application that calls OpenRouter, in both colours; its requests to openrouter.ai reach the stand-in."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final

import openai

HTTPX: Final[Any] = import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")
BASE_URL: Final = "https://openrouter.ai/api/v1"  # some rivals look at the address
MODEL: Final = "openai/gpt-4o-mini"


class Application:
    """One program.

    Args:
        port: the stand-in's.
        loop: where it runs; None for the sync colour.
    """

    def __init__(self, port: int, loop: asyncio.AbstractEventLoop | None) -> None:
        self._port = port
        self._loop = loop
        self._kept: list[object] = []
        self._made: list[Any] = []
        self.kinds: list[str] = []
        self.client = self.make()

    @property
    def asynchronous(self) -> bool:
        """Which colour it is."""
        return self._loop is not None

    def make(self, port: int | None = None) -> Any:
        """A new client, as some rivals instrument it when it is made."""
        transport = _transport(port or self._port, asynchronous=self.asynchronous)
        http = (HTTPX.AsyncClient if self.asynchronous else HTTPX.Client)(transport=transport)
        kind = openai.AsyncOpenAI if self.asynchronous else openai.OpenAI
        client = kind(base_url=BASE_URL, api_key="sk-or-v1-test", max_retries=0, timeout=10, http_client=http)
        self._made.append(client)
        return client

    def asking(self, wanted: str, prompt: str = "messages") -> dict[str, Any]:
        """Keyword arguments of an ordinary request for one of the stand-in's scenarios."""
        text = "How long is the river?"
        said: object = [{"role": "user", "content": text}] if prompt == "messages" else text
        return {"model": MODEL, prompt: said, "extra_headers": {"x-scenario": wanted}}

    def handed_out(self, thing: object) -> None:
        """Note what kind of object the client gave us."""
        streams = [kind.__name__ for kind in (openai.Stream, openai.AsyncStream) if isinstance(thing, kind)]
        self.kinds.append(f"{type(thing).__name__}/{','.join(streams)}")

    def keep(self, thing: object) -> None:
        """Go on referring to something until the program ends."""
        self._kept.append(thing)

    @asynccontextmanager
    async def entered(self, manager: Any) -> AsyncIterator[Any]:
        """``with`` or ``async with``."""
        if self.asynchronous:
            async with manager as value:
                yield value
        else:
            with manager as value:
                yield value

    def run(self, body: Coroutine[Any, Any, Any]) -> Any:
        """Run a body to its end; with a sync client it never has anything to wait for, and no loop runs."""
        if self._loop is not None:
            task = self._loop.create_task(body)
            try:
                return self._loop.run_until_complete(task)
            finally:
                del task, body
                self._settle()
        try:
            contextvars.copy_context().run(body.send, None)
        except StopIteration as done:
            return done.value
        raise RuntimeError("a sync client has nothing to wait for")

    def _settle(self) -> None:
        """Let the loop close the generators that are garbage."""
        assert self._loop is not None
        for _ in range(3):
            gc.collect()
            if tasks := asyncio.all_tasks(self._loop):
                self._loop.run_until_complete(asyncio.wait(tasks, timeout=2))


def _transport(port: int, *, asynchronous: bool) -> Any:
    base: Any = HTTPX.AsyncHTTPTransport if asynchronous else HTTPX.HTTPTransport
    inner = base()

    def forwarded(request: Any) -> Any:
        return HTTPX.Request(
            request.method,
            request.url.copy_with(scheme="http", host="127.0.0.1", port=port),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    class Forward(HTTPX.BaseTransport):  # type: ignore[misc]  # which library depends on the openai version
        def handle_request(self, request: Any) -> Any:
            return inner.handle_request(forwarded(request))

    class AsyncForward(HTTPX.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            return await inner.handle_async_request(forwarded(request))

    return AsyncForward() if asynchronous else Forward()
