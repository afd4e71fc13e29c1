"""One connection: what goes out on it, and whether anybody is still there to read."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

_GONE: Final = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


@dataclass(frozen=True)
class Media:
    """A body that is not JSON."""

    content_type: str
    content: bytes

    def pieces(self, number: int) -> Iterator[bytes]:
        """It in so many pieces."""
        size = max(1, -(-len(self.content) // max(1, number)))
        return (self.content[start : start + size] for start in range(0, len(self.content), size))


class ClientGoneError(ConnectionError):
    """The client has closed its end."""


class Wire:
    """The answering side of one exchange."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self._socket: socket.socket = handler.connection

    def wait(self, seconds: float) -> None:
        """Let time pass, but notice a client that leaves meanwhile."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | _GONE)
        if poll.poll(seconds * 1000) and self._left():
            raise ClientGoneError

    def _left(self) -> bool:
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def answer(self, status: int, content_type: str, content: bytes, headers: Mapping[str, str]) -> None:
        """A whole response."""
        self.wait(0)
        self._open(status, content_type, {**headers, "Content-Length": str(len(content))})
        self._write(content)

    def answer_json(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
        """A whole response in JSON."""
        self.answer(status, "application/json", to_json(body), headers)

    def open_stream(self, headers: Mapping[str, str], content_type: str = "text/event-stream") -> None:
        """The headers of a body whose length nobody knows yet."""
        self._open(200, content_type, {**headers, "Transfer-Encoding": "chunked", "Cache-Control": "no-cache"})

    def comment(self) -> None:
        """The line OpenRouter keeps idle connections alive with."""
        self._write_chunk(b": OPENROUTER PROCESSING\n\n")

    def event(self, data: Any, name: str = "") -> None:
        """One event of a stream."""
        self._write_chunk((f"event: {name}\n" if name else "").encode() + b"data: " + to_json(data) + b"\n\n")

    def piece(self, content: bytes) -> None:
        """A part of a body that is not made of events."""
        self._write_chunk(content)

    def close_stream(self, *, done: bool = True) -> None:
        """The regular end, in one write: a client that reads no further than [DONE] keeps its connection."""
        self._write((_chunk(b"data: [DONE]\n\n") if done else b"") + _chunk(b""))

    def break_off(self, content_type: str, content: bytes, headers: Mapping[str, str]) -> None:
        """Half of a response, then nothing."""
        self._open(200, content_type, {**headers, "Content-Length": str(len(content))})
        self._write(content[: len(content) // 2])
        self.drop()

    def drop(self) -> None:
        """Hang up without another word."""
        self._handler.close_connection = True
        self._socket.shutdown(socket.SHUT_RDWR)

    def _open(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in {"Content-Type": content_type, **headers}.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def _write_chunk(self, content: bytes) -> None:
        self.wait(0)
        self._write(_chunk(content))

    def _write(self, content: bytes) -> None:
        self._handler.wfile.write(content)
        self._handler.wfile.flush()


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def rendered(body: Any) -> Media:
    """A body as it goes on the wire."""
    return body if isinstance(body, Media) else Media("application/json", to_json(body))


def to_json(body: Any) -> bytes:
    """JSON whose money a client reads back, through a float and its repr, as the same decimal."""
    return json.dumps(body, default=_number).encode()


def _number(value: object) -> float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no place in a body")
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ValueError(f"{value} does not survive a float; use at most 15 significant digits")
    return number
