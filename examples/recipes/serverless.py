import math

from openai import OpenAI
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from openrouter_otel import OpenRouterInstrumentor, usage_context

# No timer: between invocations nothing runs that could see it go off.
meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=math.inf)])
tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenRouterInstrumentor().instrument(meter_provider=meters, tracer_provider=tracers)
client = OpenAI()


def handler(event: dict[str, str], context: object) -> dict[str, object]:
    try:
        with usage_context(user=event["user"]):
            answer = client.chat.completions.create(
                model="openai/gpt-5-mini", messages=[{"role": "user", "content": event["question"]}]
            )
        return {"statusCode": 200, "body": answer.choices[0].message.content}
    finally:
        meters.force_flush()
        tracers.force_flush()
