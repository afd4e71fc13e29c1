"""The application's own providers: used when set in time or passed, and never touched; and our reader on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from endpoint.programs import PORTS, Program, Scrape, port, scrape
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names

Run = Callable[..., Program]

OWN = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

class Own:
    def __init__(self):
        self.reader, self.exporter = InMemoryMetricReader(), InMemorySpanExporter()
        self.meters, self.tracers = MeterProvider([self.reader]), TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))

    def set_globally(self):
        metrics.set_meter_provider(self.meters)
        trace.set_tracer_provider(self.tracers)
        return self

    def seen(self):
        data = self.reader.get_metrics_data()
        shown = [m for r in (data.resource_metrics if data else []) for s in r.scope_metrics for m in s.metrics]
        calls = sum(p.value for m in shown if m.name == "openrouter.requests" for p in m.data.data_points)
        spans = [span.name for span in self.exporter.get_finished_spans()]
        return {"names": sorted(m.name for m in shown), "calls": calls, "spans": spans}

    def is_global(self):
        return metrics.get_meter_provider() is self.meters and trace.get_tracer_provider() is self.tracers
"""
BEFORE = f"""{OWN}
own = Own().set_globally()
OpenRouterInstrumentor().instrument()
ask()
say([own.seen(), own.is_global()])
hear()
"""
AFTER = f"""{OWN}
OpenRouterInstrumentor().instrument()
own = Own().set_globally()
ask(); ask()
say([own.seen(), own.is_global()])
hear()
"""
PASSED = f"""{OWN}
theirs, own = Own().set_globally(), Own()
OpenRouterInstrumentor().instrument(meter_provider=own.meters, tracer_provider=own.tracers)
ask()
say([own.seen(), theirs.seen(), theirs.is_global()])
hear()
"""
SPAN = "chat openai/gpt-4o-mini"


def test_providers_set_before_or_passed_are_in_use_and_nothing_private_is_served(run: Run) -> None:
    before, passed = run(BEFORE), run(PASSED)
    seen, is_global = before.hear()
    own, theirs, stays_global = passed.hear()

    for used in (seen, own):
        assert (used["calls"], used["spans"]) == (1, [SPAN])
        assert {metric.name for metric in names.PROCESS_METRICS} <= set(used["names"])
        assert set(used["names"]) <= {metric.name for metric in names.METRICS}
    assert theirs == {"names": [], "calls": 0, "spans": []}
    assert is_global
    assert stays_global
    for program in (before, passed):
        assert program.addresses + program.lines("WARNING") == []
        assert len([line for line in program.lines("INFO") if "metrics_reader()" in line]) == 1


def test_a_meter_provider_set_after_stays_the_applications_and_one_warning_says_so(run: Run) -> None:
    program = run(AFTER)
    seen, is_global = program.hear()

    # The globals were unset after `instrument()`: OpenTelemetry takes a provider only once.
    assert is_global
    assert "Overriding" not in program.log
    assert (seen["calls"], seen["names"]) == (0, [])
    assert seen["spans"] == [SPAN, SPAN]  # a tracer follows the application's provider
    [line] = program.lines("WARNING")
    assert "meter_provider" in line
    [address] = program.addresses
    assert scrape(address).total("openrouter_requests_total") == 2


MANY_USERS = f"""{OWN}
from prometheus_client import CollectorRegistry, generate_latest
registry = CollectorRegistry()
resource = Resource.create({{
    "service.name": "shop", "service.instance.id": "i-1", "deployment.environment.name": "test", "region": "eu"
}})
metrics.set_meter_provider(MeterProvider([metrics_reader(registry)], resource=resource))
OpenRouterInstrumentor().instrument(
    max_users=5000, max_series=20000, max_histogram_users=5000, latency_buckets=[1.0]
)
answer = {{"id": "gen-1", "model": "m", "choices": [{{"finish_reason": "stop"}}], "usage": {{"cost": 0.000001}}}}
for number in range(2100):
    record(answer, latency_ms=5, user=f"u{{number}}")
shown = generate_latest(registry).decode()
with open(__file__ + ".metrics", "w") as file:
    file.writelines(line for line in shown.splitlines(keepends=True) if "_bucket" not in line)
say(__file__ + ".metrics")
hear()
"""


def test_our_reader_on_an_own_provider_shows_more_than_2000_sets_with_the_resource_and_without_scopes(run: Run) -> None:
    program = run(MANY_USERS)
    shown = Scrape(Path(program.hear()).read_text("utf-8"))

    requests = [s for s in shown.samples if s.name == "openrouter_requests_total"]
    assert {s.labels["user"] for s in requests} == {f"u{number}" for number in range(2100)}
    assert len(shown.values("openrouter_request_duration_seconds_count")) == 2100
    assert shown.total("openrouter_request_duration_seconds_count") == 2100
    labels: set[str] = {name for sample in shown.samples for name in sample.labels}
    assert not {name for name in labels if name.startswith("otel_")}
    assert "region" not in labels
    shared = {"service_name": "shop", "service_instance_id": "i-1", "deployment_environment_name": "test"}
    assert all(shared.items() <= sample.labels.items() for sample in shown.samples)
    assert program.addresses + program.lines("WARNING") == []
    assert not [line for line in program.lines("INFO") if "metrics_reader" in line]


WITHOUT_CODE = """
import logging, os, sys
from openai import OpenAI
client = OpenAI(base_url=os.environ["OPENROUTER_OTEL_BASE_URLS"], api_key="sk-or-v1-test")
client.chat.completions.create(model="openai/gpt-4o-mini", messages=[], extra_headers={"x-scenario": "good"})
print("0", flush=True)
sys.stdin.readline()
"""


def test_opentelemetry_instrument_measures_a_program_without_a_line_of_code(
    run: Run, host: str, openrouter: FakeOpenRouter, launcher: tuple[str, ...]
) -> None:
    exporters: dict[str, Any] = {"OTEL_METRICS_EXPORTER": "openrouter_prometheus", "OTEL_TRACES_EXPORTER": "none"}
    program = run(WITHOUT_CODE, launcher, prelude="", OTEL_SERVICE_NAME="shop", OTEL_LOGS_EXPORTER="none", **exporters)
    program.hear()

    shown = scrape(f"http://{host}:{PORTS[0]}/metrics")
    told = openrouter.book.totals().told
    assert shown.total("openrouter_cost_usd_total", service_name="shop") == told.charge > 0
    assert shown.total("openrouter_requests_total") == 1
    assert port(f"http://{host}:{PORTS[0]}/metrics") in PORTS
