"""An instrumented program that is scraped and pushes as well: ``program.py OPENROUTER OTLP-ENDPOINT PORT``.

One MeterProvider with two readers of other people's: the Prometheus one as we configure it, and the standard OTLP
exporter. It makes a few calls, pushes, says so, and stays until its standard input closes.
"""

from __future__ import annotations

import contextlib
import sys

from openai import APIError, OpenAI
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import REGISTRY, start_http_server

from openrouter_otel import OpenRouterInstrumentor, metrics_reader, usage_context

NEVER = 3_600_000  # milliseconds; it is flushed by hand


def main(openrouter: str, endpoint: str, port: int) -> None:
    push = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint), export_interval_millis=NEVER)
    resource = Resource.create({"service.name": "shop", "deployment.environment.name": "prod"})
    provider = MeterProvider([metrics_reader(REGISTRY), push], resource)
    OpenRouterInstrumentor().instrument(meter_provider=provider, base_urls=[openrouter], metric_tags=["team"])
    start_http_server(port, "127.0.0.1")
    client = OpenAI(base_url=openrouter, api_key="sk-or-v1-program", max_retries=1)
    with usage_context(user="alice", tags={"team": "search"}):
        call(client, "good")
        call(client, "details", stream=True)
        call(client, "byok")
        call(client, "flaky")
    provider.force_flush()
    print("pushed", flush=True)
    sys.stdin.read()


def call(client: OpenAI, scenario: str, stream: bool = False) -> None:
    with contextlib.suppress(APIError):
        answer = client.chat.completions.create(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": "What is the capital of France?"}],
            stream=stream,
            extra_headers={"x-scenario": scenario},
        )
        if stream:
            list(answer)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
