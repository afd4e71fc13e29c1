"""A small OTLP/HTTP receiver, as a Collector's is: real HTTP, protobuf decoded, everything kept for assertions."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span

CUMULATIVE: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_ANSWERS: Final[Mapping[str, Any]] = {
    "/v1/metrics": ExportMetricsServiceResponse(),
    "/v1/traces": ExportTraceServiceResponse(),
}


@dataclass(frozen=True)
class Point:
    """A point of a metric as it was pushed.

    Attributes:
        value: of a number, by its text; of a histogram, its count.
        temporality: `CUMULATIVE`, `DELTA`, or None for a gauge.
    """

    metric: str
    unit: str
    attributes: Mapping[str, str]
    resource: Mapping[str, str]
    value: Decimal
    temporality: int | None

    @property
    def series(self) -> tuple[object, ...]:
        """What it has in common with the point before."""
        return self.metric, *sorted(self.resource.items()), *sorted(self.attributes.items())


class OtlpReceiver:
    """Listens from construction on; also a context manager.

    Args:
        port: 0 takes a free one.

    Attributes:
        exports: points by export, in the order of arrival.
        spans: all spans.
    """

    def __init__(self, port: int = 0) -> None:
        self.exports: list[list[Point]] = []
        self.spans: list[Span] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def points(self, metric: str) -> list[Point]:
        """All points of a metric, in the order of arrival."""
        return [point for export in self.exports for point in export if point.metric == metric]

    def latest(self, metric: str) -> list[Point]:
        """The last point of every series: what a backend shows of cumulative ones."""
        return list({point.series: point for point in self.points(metric)}.values())

    def total(self, metric: str, **attributes: str) -> Decimal:
        """The sum of the latest points that have these attributes."""
        return sum((p.value for p in self.latest(metric) if attributes.items() <= p.attributes.items()), Decimal(0))

    def take(self, path: str, body: bytes) -> None:
        """Keep what was pushed."""
        if path == "/v1/metrics":
            self.exports.append(list(_points(ExportMetricsServiceRequest.FromString(body))))
        else:
            traces = ExportTraceServiceRequest.FromString(body)
            self.spans += [span for r in traces.resource_spans for scope in r.scope_spans for span in scope.spans]

    def __enter__(self) -> OtlpReceiver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes as a mapping."""
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}


def _points(request: ExportMetricsServiceRequest) -> Iterator[Point]:
    for resource in request.resource_metrics:
        shared = attributes(resource.resource.attributes)
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            kind = str(metric.WhichOneof("data"))
            data = getattr(metric, kind)
            temporality = None if kind == "gauge" else data.aggregation_temporality
            for point in data.data_points:
                value = point.count if kind == "histogram" else getattr(point, str(point.WhichOneof("value")))
                own = attributes(point.attributes)
                yield Point(metric.name, metric.unit, own, shared, Decimal(repr(value)), temporality)


def _handler(receiver: OtlpReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = _ANSWERS[self.path].SerializeToString()
            receiver.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """A test's output is its own."""

    return Handler
