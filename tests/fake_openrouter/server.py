"""The HTTP side: one thread a connection, routes by table, a quick start and a clean stop."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from . import forms
from .accounts import RefusedError, Terms, Visit, answers, page, query
from .attempts import Attempts
from .book import Book
from .errors import failure
from .exchange import Exchange, answer
from .faults import FAULTS, HIDDEN
from .generation import Ask
from .operations import OPERATIONS
from .scenario import Scenario, scenario
from .wire import Wire

PREFIX: Final = "/api/v1"
_KEPT: Final = 10_000  # requests remembered for assertions


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON or its form; empty where it has neither."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            return forms.fields(kind, self.content)
        value = json.loads(self.content) if self.content else {}
        return value if isinstance(value, dict) else {}

    @property
    def key(self) -> str:
        """The API key."""
        return self.headers.get("authorization", "").removeprefix("Bearer ").strip()


class FakeOpenRouter:
    """The stand-in, listening from construction on; also a context manager.

    Attributes:
        book: what it charged and told.
        requests: what it received, the newest 10,000.
        default: laid under the scenario of every request, e.g. ``scenario("good;latency=0.01")``.
        faults: exceptions of its own, which are bugs; `stop` raises the first.
        ingestion: seconds until ``/generation`` knows of a generation.
        terms: what the account is like.
        clock: the time that ``/generation`` and ``/activity`` go by.
        called_at: the time that a call goes into the book with.
    """

    def __init__(self, port: int = 0, default: Scenario | None = None) -> None:
        self.book = Book()
        self.requests: deque[Received] = deque(maxlen=_KEPT)
        self.default = default or Scenario()
        self.faults: list[BaseException] = []
        self.attempts = Attempts()
        self.ingestion = 0.0
        self.terms = Terms()
        self.clock: Callable[[], float] = time.time
        self.called_at: Callable[[], float] = time.time
        self._server = _Server(port, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="fake-openrouter", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        """What an openai client takes as `base_url`."""
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    @property
    def book_url(self) -> str:
        """The book as JSON."""
        return f"{self.base_url}/__book"

    def visit(self, received: Received) -> Visit:
        """A request as one for a page."""
        known = (received.path, received.key, received.query, received.body if received.content else {})
        return Visit(*known, self.book, self.terms, self.clock(), self.ingestion)

    def stop(self) -> None:
        """Hang up on everybody and wait for every thread."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()
        if self.faults:
            raise self.faults[0]

    def __enter__(self) -> FakeOpenRouter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024  # a burst of new connections must not be refused
    daemon_threads = False  # joined by server_close(): no thread outlives the server

    def __init__(self, port: int, openrouter: FakeOpenRouter) -> None:
        self.openrouter = openrouter
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Wake the threads that wait for a kept-alive connection's next request."""
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception() if sys.version_info >= (3, 11) else sys.exc_info()[1]
        if isinstance(error, OSError):
            return  # a client that left
        self.openrouter.faults.append(error or RuntimeError("unknown"))
        traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake-openrouter"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # headers and body leave together; `Wire` flushes
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is its own."""

    def do_GET(self) -> None:
        self._show(self._receive(), page)

    def do_POST(self) -> None:
        received = self._receive()
        if answers(received.path):
            self._show(received, query)
            return
        operation = OPERATIONS.get(received.path)
        if operation is None or not received.key:
            Wire(self).answer_json(*_refusal(401 if operation else 404), {})
            return
        openrouter = self.server.openrouter
        body = received.body
        streamed = operation.streaming is not None and bool(body.get("stream"))
        try:
            wanted = scenario(received.headers.get("x-scenario", ""), openrouter.default)
            if wanted.fault in HIDDEN:
                operation.carrier(wanted.fault, streamed=streamed)
        except ValueError as error:  # loud in a test: the client raises BadRequestError with this text
            Wire(self).answer_json(*_refusal(400, str(error)), {})
            return
        same = forms.fingerprint(received.headers.get("content-type", ""), received.content)
        attempt = openrouter.attempts.number(received.headers, same, wanted)
        openrouter.book.requested(retry=attempt > 0)
        ask = Ask(operation.name, body, received.key, streamed, openrouter.called_at())
        strikes = bool(wanted.fault) and (not wanted.failures or attempt < wanted.failures)
        play = FAULTS[wanted.fault] if strikes else answer
        play(Exchange(Wire(self), openrouter.book, operation, ask, wanted if strikes else replace(wanted, fault="")))

    def _show(self, received: Received, shown: Callable[[Visit], dict[str, Any]]) -> None:
        visit = self.server.openrouter.visit(received)
        try:
            status, body = 200, shown(visit)
        except RefusedError as error:
            status, body = _refusal(error.status, error.message)
        Wire(self).answer_json(status, body, {})

    def _receive(self) -> Received:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = urlsplit(self.path)
        path = unquote(url.path).removeprefix(PREFIX)
        received = Received(self.command, path, headers, content, dict(parse_qsl(url.query)))
        self.server.openrouter.requests.append(received)
        return received


def _refusal(status: int, message: str = "") -> tuple[int, dict[str, Any]]:
    row = failure(status)
    return status, {"error": replace(row, message=message or row.message).body("")}
