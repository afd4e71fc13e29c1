import os

from openai import OpenAI
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import start_http_server

from openrouter_otel import OpenRouterInstrumentor, metrics_reader

resource = Resource.create({"service.name": "shop"})
metrics.set_meter_provider(MeterProvider([metrics_reader()], resource=resource))
start_http_server(int(os.environ.get("METRICS_PORT", "8000")))
OpenRouterInstrumentor().instrument()  # after the provider

client = OpenAI()
orders = metrics.get_meter("shop").create_counter("shop.orders")
answer = client.chat.completions.create(
    model="openai/gpt-5-mini", messages=[{"role": "user", "content": "Thank for the order"}]
)
orders.add(1)
input("/metrics has both; Enter ends this program\n")
