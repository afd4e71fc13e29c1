"""Pushed by OpenTelemetry's own exporters: what arrives is what was charged, however the program ends."""

from __future__ import annotations

import signal
from collections.abc import Callable
from decimal import Decimal

import pytest

from charges import charged
from endpoint.programs import PRELUDE, Program
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names
from otlp_receiver import CUMULATIVE, DELTA, OtlpReceiver, attributes
from recipes_page import PAGE

Run = Callable[..., Program]

# A program that knows nothing of us; the launcher instruments it.
UNAWARE = PRELUDE.replace("from openrouter_otel", "#")
CALLS = """
for number in range(5): ask(f"good;cost=0.1{number}", user="alice")
ask("byok;fee=0.00001;cost=0.03", user="bob")
try: ask("error;status=400")
except Exception: pass
for _ in ask("good;cost=0.0003", stream=True): pass
"""
OWN = """
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
"""
SET = OWN + "metrics.set_meter_provider(meters); trace.set_tracer_provider(tracers)\n"
INSTRUMENT = "OpenRouterInstrumentor().instrument()\n"
PASS = OWN + "OpenRouterInstrumentor().instrument(meter_provider=meters, tracer_provider=tracers)\n"


def assert_all_arrived(receiver: OtlpReceiver, openrouter: FakeOpenRouter) -> None:
    """The calls of `CALLS`, by every counter and histogram, and as spans."""
    told = openrouter.book.totals().told
    assert receiver.total("openrouter.cost.usd") == charged(openrouter) > 0
    assert receiver.total("openrouter.cost.usd", payee="provider") == told.bill > 0
    assert receiver.total("openrouter.tokens", token_type="input") == told.input > 0
    assert receiver.total("openrouter.tokens", token_type="output") == told.output > 0
    assert receiver.total("openrouter.requests") == 8
    assert receiver.total("openrouter.requests", user="alice", outcome="ok") == 5
    assert receiver.total("openrouter.request.duration") == 8
    assert receiver.total("openrouter.errors", **{"error.type": "invalid_request"}) == 1

    spans = [attributes(span.attributes) for span in receiver.spans if span.name.startswith("chat ")]
    assert len(spans) == 8
    assert sum((Decimal(repr(span.get("gen_ai.usage.cost", 0))) for span in spans), Decimal(0)) == charged(openrouter)


def test_without_a_line_of_code_every_metric_and_span_arrives(
    run: Run, launcher: tuple[str, ...], otlp: dict[str, str], receiver: OtlpReceiver, openrouter: FakeOpenRouter
) -> None:
    program = run(CALLS, launcher, prelude=UNAWARE, **otlp)

    assert program.end() == 0, program.log
    assert_all_arrived(receiver, openrouter)
    ours = [point for export in receiver.exports for point in export if point.metric.startswith("openrouter.")]
    units = {metric.name: metric.unit for metric in (*names.METRICS, *names.PROCESS_METRICS)}
    assert {point.metric: point.unit for point in ours}.items() <= units.items()
    assert {point.resource["service.name"] for point in ours} == {"shop"}
    [process] = {point.attributes["process"] for point in ours}
    assert len(process) == 16
    assert {point.temporality for point in ours} == {CUMULATIVE, None}
    assert program.addresses + program.lines("WARNING") == []


@pytest.mark.parametrize("providers", [SET + INSTRUMENT, PASS], ids=["set before", "passed"])
def test_what_a_program_pushes_by_providers_of_its_own_is_complete_when_it_ends(
    providers: str, run: Run, otlp: dict[str, str], receiver: OtlpReceiver, openrouter: FakeOpenRouter
) -> None:
    program = run(providers + CALLS, **otlp)

    assert program.end() == 0, program.log
    assert_all_arrived(receiver, openrouter)
    assert program.lines("WARNING") == []


FROZEN = """
def handler(event):
    ask(f"good;cost={event}")
    stream = ask("endless;chunk_delay=0.001", stream=True)
    next(stream)
    stream.close()
    metrics.get_meter_provider().force_flush()
    trace.get_tracer_provider().force_flush()

for event in ("0.25", "0.0625"):
    handler(event)
    say()
    hear()
os.kill(os.getpid(), 9)  # frozen after the answer, and never thawed
"""


def test_a_handler_that_flushes_leaves_nothing_behind_when_it_is_frozen(
    run: Run, otlp: dict[str, str], receiver: OtlpReceiver, openrouter: FakeOpenRouter
) -> None:
    program = run(SET + INSTRUMENT + FROZEN, **otlp)

    for invocation, cost in enumerate(("0.25", "0.3125"), 1):
        program.hear()
        assert receiver.total("openrouter.cost.usd") == Decimal(cost)
        assert receiver.total("openrouter.requests", outcome="abandoned") == invocation
        assert len(receiver.spans) == 2 * invocation
        program.go_on()
    assert program.end() == -signal.SIGKILL


STOPPED = """
{handler}
ask("good;cost=0.5")
say()
os.kill(os.getpid(), 15)
import time
time.sleep(20)
"""
[LINE] = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("signal.signal(")]
GRACEFUL = f"import signal; {LINE}"


@pytest.mark.parametrize(("handler", "arrives"), [(GRACEFUL, "0.5"), ("", "0")], ids=["with a handler", "without"])
def test_a_container_that_is_stopped_pushes_its_last_calls_if_sigterm_is_an_exit(
    handler: str, arrives: str, run: Run, otlp: dict[str, str], receiver: OtlpReceiver
) -> None:
    """Python's own answer to SIGTERM is to drop dead: no exit handler runs, OpenTelemetry's included."""
    program = run(SET + INSTRUMENT + STOPPED.format(handler=handler), **otlp)

    assert program.end() == (0 if handler else -signal.SIGTERM)
    assert receiver.total("openrouter.cost.usd") == Decimal(arrives)


def test_delta_temporality_pushes_increments_that_add_up_but_for_the_last_digits(
    run: Run, otlp: dict[str, str], receiver: OtlpReceiver, openrouter: FakeOpenRouter
) -> None:
    program = run(
        SET + INSTRUMENT + "for n in range(30):\n    ask(f'good;cost=0.{n:02}1')\n    meters.force_flush()",
        **otlp,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta",
    )

    assert program.end() == 0, program.log
    points = receiver.points("openrouter.cost.usd")
    assert {point.temporality for point in points} == {DELTA}
    off = abs(sum((point.value for point in points), Decimal(0)) - charged(openrouter))
    assert (
        0 < off < Decimal("1e-12")
    )  # the SDK subtracts floats: rounded at every export, which cumulative sums are not
    assert sum(point.value for point in receiver.points("openrouter.requests")) == 30
    assert sum(point.value for point in receiver.points("openrouter.request.duration")) == 30
