"""The iterators inside the SDK's streams: they hand on its chunks as they come and tell the call.

A stream stays the very object that the SDK built; only the iterator it reads from is ours, between it and its own. An
iterator object, since a generator that is never started runs no `finally` and so cannot tell that it was dropped.
"""

from __future__ import annotations

from threading import get_ident
from typing import Any

from openrouter_otel.call import Call


class Reading:
    """The iterator inside a `Stream`: hands on the SDK's chunks as they come and tells the call."""

    __slots__ = ("_call", "_next", "_source")

    def __init__(self, source: Any, call: Call) -> None:
        self._source = source
        self._next = source.__next__
        self._call = call

    def __iter__(self) -> Reading:
        return self

    def __next__(self) -> Any:
        call = self._call
        call.reader = get_ident()
        try:
            chunk = self._next()
        except StopIteration:
            call.exhausted()
            raise
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            call.reader = 0
        call.saw(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __del__(self) -> None:
        self._call.abandoned(later=True)


class AsyncReading:
    """The iterator inside an `AsyncStream`."""

    __slots__ = ("_call", "_next", "_source")

    def __init__(self, source: Any, call: Call) -> None:
        self._source = source
        self._next = source.__anext__
        self._call = call

    def __aiter__(self) -> AsyncReading:
        return self

    async def __anext__(self) -> Any:
        call = self._call
        call.reader = get_ident()
        try:
            chunk = await self._next()
        except StopAsyncIteration:
            call.exhausted()
            raise
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            call.reader = 0
        call.saw(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __del__(self) -> None:
        self._call.abandoned(later=True)
