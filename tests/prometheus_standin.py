"""A real HTTP server on loopback that answers like a Prometheus, or as badly as a test wants."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

NOTHING: dict[str, Any] = {"status": "success", "data": {"resultType": "matrix", "result": []}}
CLOCK: dict[str, Any] = {
    "status": "success",
    "data": {"resultType": "scalar", "result": [1795400000.5, "1795400000.5"]},
}
Answer = tuple[int, dict[str, str], bytes]
Reply = Callable[[str, dict[str, str], dict[str, str]], Answer]  # path, headers, form


def as_json(body: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def empty_prometheus(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
    return as_json(CLOCK if form["query"] == "time()" else NOTHING)


def always(answer: Answer) -> Reply:
    return lambda path, headers, form: answer


@contextmanager
def served(
    reply: Reply, tls: ssl.SSLContext | None = None, seen: Callable[[Any], object] | None = None
) -> Iterator[str]:
    """A server that answers each POST as `reply` says; gives its host and port, and `seen` each request's origin."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if seen is not None:
                seen(self.client_address)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, headers, answer = reply(self.path, dict(self.headers), form)
            try:
                self.send_response(status)
                length = {} if "Transfer-Encoding" in headers else {"Content-Length": str(len(answer))}
                for name, value in {**length, "Connection": "close", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                pass  # the client has lost patience

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
