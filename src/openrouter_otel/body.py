"""A response's bytes, watched on their way to the caller: for raw responses, bodies read by hand, and `close()`.

The client's response holds a byte stream; ours stands in its place, hands on every chunk as it comes and keeps only
what it needs. Nothing is read ahead of the caller and nothing is read that the caller does not read.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from functools import lru_cache, partial
from typing import Any, Final

from openrouter_otel import finalizing
from openrouter_otel.call import Call
from openrouter_otel.quiet import quietly

_JSON_LIMIT: Final = 16 * 1024 * 1024  # an answer beyond this is not kept to be read; its usage is then unknown


class Body:
    """Takes in a body's bytes for a call, and notices how reading it ended.

    Args:
        call: the call.
        content_type: of the response.
        encoding: its content-encoding.
        unpack: undoes any encoding that the client asks for, but only for a body as a whole.
    """

    def __init__(self, call: Call, content_type: str, encoding: str, unpack: Callable[[bytes], bytes | None]) -> None:
        self.call = call
        self._events = "event-stream" in content_type
        self._keeps = "json" in content_type or not content_type  # of sound and pictures nothing is kept
        decoder = _DECODERS.get(encoding)
        self._decode = decoder() if decoder else None
        self._unpack = unpack
        self._packed = b""
        self._rest = b""
        self._size = 0

    @quietly
    def saw(self, data: bytes) -> None:
        """Bytes on their way to the caller; those that a typed stream reads are counted there."""
        if self.call.reader or self.call.ended:
            return
        if self._decode is not None:
            self._take(self._decode(data))
        elif (self._events or self._keeps) and len(self._packed) <= _JSON_LIMIT:
            self._packed += data

    def _take_packed(self) -> None:
        packed, self._packed = self._packed, b""
        if 0 < len(packed) <= _JSON_LIMIT and not self.call.ended:
            self._take(self._unpack(packed) or b"")

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._events:
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._saw_line(line)
        elif self._keeps and self._size <= _JSON_LIMIT:
            self._rest += data

    @quietly
    def finished(self) -> None:
        """The body has been read to its end."""
        if self.call.reader:
            return
        self._take_packed()
        if self._events or not self._keeps or not 0 < self._size <= _JSON_LIMIT:
            self.call.exhausted()
        else:
            self.call.answered(parsed(self._rest))

    @quietly
    def failed(self, error: BaseException) -> None:
        """Reading the body raised."""
        if not self.call.reader:
            self.call.failed(error)

    @quietly
    def closed(self) -> None:
        """The response was closed; while a typed stream is reading, that one decides how the call ended."""
        if not self.call.reader:
            in_finalizer = finalizing.here()
            if self._events and not in_finalizer:
                self._take_packed()  # the SDK reads no further than [DONE]
            self.call.abandoned(later=in_finalizer)

    @quietly
    def dropped(self) -> None:
        """The response was forgotten."""
        self.call.abandoned(later=True)

    def _saw_line(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        payload = line[5:].strip()
        if payload == b"[DONE]":
            self.call.exhausted()
        elif isinstance(event := parsed(payload), dict):
            self.call.saw(event)


def follow(response: Any, call: Call) -> None:
    """Watch an open response of httpx (or httpx2, as of openai 3) for a call."""
    headers = response.headers
    encoding = headers.get("content-encoding", "").lower()
    body = Body(call, headers.get("content-type", ""), encoding, partial(_unpacked, type(response), encoding))
    stream = response.stream
    kind = next(k for k in type(stream).__mro__ if k.__name__ in ("SyncByteStream", "AsyncByteStream"))
    response.stream = _watched(kind)(stream, body)


@lru_cache(maxsize=8)
def _watched(kind: type) -> Any:
    """A byte stream that tells a `Body` what passes; a subclass of the library's own, which it checks for."""

    class Watched(kind):  # type: ignore[misc]  # which library it is depends on the openai version
        def __init__(self, stream: Any, body: Body) -> None:
            self._stream = stream
            self._body = body

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return getattr(self._stream, name)  # httpx2 keeps `elapsed` here

        def __iter__(self) -> Iterator[bytes]:
            call = self._body.call
            try:
                for data in self._stream:
                    if not call.reader:  # a typed stream counts for itself
                        self._body.saw(data)
                    yield data
            except GeneratorExit:
                raise  # told by close()
            except BaseException as error:
                self._body.failed(error)
                raise
            self._body.finished()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            call = self._body.call
            try:
                async for data in self._stream:
                    if not call.reader:
                        self._body.saw(data)
                    yield data
            except GeneratorExit:
                raise
            except BaseException as error:
                self._body.failed(error)
                raise
            self._body.finished()

        def close(self) -> None:
            self._body.closed()
            self._stream.close()

        async def aclose(self) -> None:
            self._body.closed()
            await self._stream.aclose()

        def __del__(self) -> None:
            self._body.dropped()

    return Watched


def _as_it_is() -> Callable[[bytes], bytes]:
    return bytes


def _inflated() -> Callable[[bytes], bytes]:
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress


@quietly
def _unpacked(kind: Any, encoding: str, data: bytes) -> bytes:
    content: bytes = kind(200, headers={"content-encoding": encoding}, content=data).content
    return content


# What can be decoded as it comes. Others (br, zstd) are left to the client's library once the body has been read.
_DECODERS: Final = {"": _as_it_is, "identity": _as_it_is, "gzip": _inflated, "x-gzip": _inflated}


def parsed(data: bytes | str) -> object:
    """JSON, or None where it is none."""
    try:
        return json.loads(data)
    except ValueError:
        return None
