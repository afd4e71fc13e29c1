"""A stand-in for Grafana's HTTP API in front of a real Prometheus: health, provisioned boards, and `/api/ds/query`.

It is not Grafana: it takes what Grafana is documented to take and answers in that shape, so that ``smoke.py`` can be
tried where there is no container engine. Queries are answered by the Prometheus, macros put in as Grafana does it.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
UID = "openrouter-prometheus"
SPAN = 86400  # every board is asked about its last day
STEP = 600


class Refused(Exception):
    """What Grafana answers with another status than 200."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(body)
        self.status, self.body = status, body


class GrafanaStandin:
    """What it answers.

    Args:
        prometheus: the address of the server behind the data source.
        boards: by uid.
    """

    def __init__(self, prometheus: str, boards: Mapping[str, Json]) -> None:
        self._prometheus = prometheus
        self._boards = boards

    def get(self, path: str) -> Json:
        if path == "/api/health":
            return {"database": "ok", "version": "stand-in"}
        uid = path.removeprefix("/api/dashboards/uid/")
        if uid not in self._boards:
            raise Refused(404, {"message": "Dashboard not found"})
        return {"meta": {"provisioned": True}, "dashboard": self._boards[uid]}

    def query(self, asked: Json) -> Json:
        """`/api/ds/query`: as soon as one query fails, the status is 400."""
        results = {query["refId"]: self._answer(query) for query in asked["queries"]}
        if any("error" in result for result in results.values()):
            raise Refused(400, {"results": results})
        return {"results": results}

    def _answer(self, query: Json) -> Json:
        if query["datasource"] != {"type": "prometheus", "uid": UID}:
            return {"error": "data source not found", "status": 404}
        left = re.findall(r"\$\{?[a-z]\w*", query["expr"])
        if left:  # variables are the browser's to put in
            return {"error": f"bad_data: unexpected character: {left[0]}", "status": 400}
        try:
            return {"status": 200, "frames": [_frame(series) for series in self._series(query)]}
        except urllib.error.HTTPError as refusal:
            return {"error": json.load(refusal)["error"], "status": 400}

    def _series(self, query: Json) -> list[Json]:
        now = int(time.time())
        step = {"1d": 86400}.get(query["interval"], STEP)
        macros = {
            "__interval": f"{step}s",
            "__range": f"{SPAN}s",
            "__range_s": str(SPAN),
            "__range_ms": str(1000 * SPAN),
        }
        expr = re.sub(r"\$\{?(__\w+)\}?", lambda macro: macros[macro[1]], query["expr"])
        if query["instant"]:
            kind, when = "query", {"time": now}
        else:
            kind, when = "query_range", {"start": now - SPAN, "end": now, "step": step}
        form = urllib.parse.urlencode({"query": expr, **when}).encode()
        with urllib.request.urlopen(f"{self._prometheus}/api/v1/{kind}", form, timeout=60) as answer:
            result: list[Json] = json.load(answer)["data"]["result"]
        return result


def _frame(series: Json) -> Json:
    points = series.get("values") or [series["value"]]
    return {"schema": {"fields": []}, "data": {"values": [[at for at, _ in points], [value for _, value in points]]}}


@contextmanager
def serving(standin: GrafanaStandin) -> Iterator[str]:
    """The address at which it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._tell(lambda: standin.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._tell(lambda: standin.query(json.loads(body)))

        def _tell(self, find: Any) -> None:
            try:
                status, answer = 200, find()
            except Refused as refused:
                status, answer = refused.status, refused.body
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
