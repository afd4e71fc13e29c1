"""/metrics: our reader served over HTTP, and the port it is served at."""

from __future__ import annotations

import dataclasses
import gzip
import logging
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from opentelemetry.sdk.metrics.export import Metric, MetricsData
from prometheus_client import CollectorRegistry, generate_latest

from openrouter_otel import names, settings
from openrouter_otel.exposition import CONTENT_TYPE, Exposition
from openrouter_otel.identity import identity
from openrouter_otel.reader import OpenRouterMetricReader

_log = logging.getLogger("openrouter_otel")

PORTS: Final = range(settings.DEFAULT_PORT, settings.DEFAULT_PORT + 10)
"""Where the bundled Prometheus looks for us."""

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ServedMetricReader(OpenRouterMetricReader):
    """Our reader, served over HTTP: what ``OTEL_METRICS_EXPORTER=openrouter_prometheus`` stands for.

    Metrics of ours are written directly; whatever else is on the provider or in the registry goes the exporter's way.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self._restart()

    def _restart(self) -> None:
        self._scraping = threading.Lock()
        self._scraper: int | None = None
        self._ours: list[Metric] = []
        self._exposition: Exposition | None = None
        self.server = serve(self._app)

    def leave_parent(self) -> None:
        """Close our copy of the parent's socket; its serving thread is not ours to stop."""
        if self.server is not None:
            self.server.socket.close()
            self.server = None

    def resume(self) -> None:
        """Serve on a socket and a port of our own."""
        if self.server is None:
            self._restart()

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Leave the registry and stop serving."""
        super().shutdown(timeout_millis, **kwargs)
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def text(self) -> bytes:
        """Everything there is to scrape."""
        with self._scraping:
            self._scraper = threading.get_ident()
            self._ours = []
            try:
                rest = generate_latest(self.registry)
            finally:
                self._scraper = None
            ours = self._exposition.write(self._ours) if self._exposition is not None else ""
            return rest + ours.encode()

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        if metrics_data is not None and self._scraper == threading.get_ident():
            metrics_data = self._without_ours(metrics_data)
        super()._receive_metrics(metrics_data, timeout_millis, **kwargs)

    def _without_ours(self, data: MetricsData) -> MetricsData:
        """Keep what is ours aside to be written, and return the rest."""
        rest = []
        for resource in data.resource_metrics:
            if self._exposition is None:
                attributes = resource.resource.attributes
                self._exposition = Exposition(
                    {name: str(attributes[name]) for name in names.RESOURCE_ATTRIBUTES if name in attributes}
                )
            scopes = [scope for scope in resource.scope_metrics if scope.scope.name != names.SCOPE]
            ours = (scope for scope in resource.scope_metrics if scope.scope.name == names.SCOPE)
            self._ours += [mine for scope in ours for metric in scope.metrics if (mine := _not_inherited(metric))]
            rest.append(dataclasses.replace(resource, scope_metrics=scopes))
        return dataclasses.replace(data, resource_metrics=rest)

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return answered(self.text(), environ, start_response)


def answered(text: bytes, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Text as the answer to a scrape."""
    headers = [("Content-Type", CONTENT_TYPE)]
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        text = gzip.compress(text, compresslevel=1)
        headers.append(("Content-Encoding", "gzip"))
    start_response("200 OK", [*headers, ("Content-Length", str(len(text)))])
    return [text]


def unavailable(why: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An answer that makes a scrape fail, and says why to who looks at the target."""
    start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{why}\n".encode()]


class NoPortError(Exception):
    """There is no socket to serve at; the text says where, and why."""


def serve(app: App) -> WSGIServer | None:
    """Serve at the first free of our ten ports, or at exactly the one that was set; None: at none."""
    try:
        return listen(app, *settings.metrics_address())
    except NoPortError as error:
        _log.warning(
            "this process' usage is on no /metrics: %s; set OTEL_EXPORTER_PROMETHEUS_PORT to a free port", error
        )
    return None


def listen(app: App, host: str, explicit: int | None) -> WSGIServer:
    """Serve at the first free of our ten ports, or at exactly the explicit one; NoPortError where there is none."""
    fault: OSError | None = None
    for port in PORTS if explicit is None else (explicit,):
        try:
            server = make_server(host, port, app, _Server, _QuietHandler)
        except OSError as error:
            fault = error
            continue
        threading.Thread(target=server.serve_forever, args=(0.1,), name="openrouter-otel /metrics", daemon=True).start()
        _log.info("metrics are at http://%s:%d/metrics", host, server.server_port)
        return server
    tried = f"{PORTS[0]}-{PORTS[-1]}" if explicit is None else explicit
    raise NoPortError(f"no socket at {host}:{tried} ({fault})")


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Not HTTPServer's: it asks the name service for the host's full name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the application's standard error."""


def _not_inherited(metric: Metric) -> Metric | None:
    if not identity.inherited:
        return metric
    data: Any = metric.data
    points = [p for p in data.data_points if (p.attributes or {}).get(names.PROCESS) not in identity.inherited]
    return dataclasses.replace(metric, data=dataclasses.replace(data, data_points=points)) if points else None
