"""OpenTelemetry instrumentation for OpenRouter through the openai client.

Usage::

    from openrouter_otel import OpenRouterInstrumentor, usage_context

    OpenRouterInstrumentor().instrument()

    with usage_context(user="alice", tags={"team": "search"}) as usage:
        client.chat.completions.create(model="openai/gpt-5-mini", messages=messages)
    print(usage.cost)

Every call emits a span and metrics: tokens, cost, latency and errors, by model and by user. Where the application has
no MeterProvider, ``/metrics`` is served on localhost:9464.
"""

from openrouter_otel.context import RunningUsage, usage_context
from openrouter_otel.instrumentor import OpenRouterInstrumentor, record
from openrouter_otel.prices import PricesError, load_prices
from openrouter_otel.reader import metrics_reader

__all__ = [
    "OpenRouterInstrumentor",
    "PricesError",
    "RunningUsage",
    "load_prices",
    "metrics_reader",
    "record",
    "usage_context",
]
