"""The GenAI conventions' own metrics: exactly as they define them, only on request, and never twice under one name.

https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from contract.driving import MODEL, PRICED, RESOURCE, Caller, Measure, Telemetry
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names

# As the conventions write them, and not as names.py does: unit and bucket boundaries.
SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]
DEFINED: dict[str, tuple[str, list[Any]]] = {
    "gen_ai.client.operation.duration": ("s", SECONDS),
    "gen_ai.client.token.usage": ("{token}", TOKENS),
    "gen_ai.client.operation.time_to_first_chunk": ("s", SECONDS),
}
DURATION, USAGE, FIRST_CHUNK = DEFINED
Point = tuple[dict[str, Any], HistogramDataPoint]


@pytest.fixture
def telemetry(measure: Measure) -> Telemetry:
    """Measuring, with these metrics."""
    return measure(semconv_metrics=True)


def gen_ai(reader: InMemoryMetricReader) -> dict[str, list[Point]]:
    """The points of these metrics, whoever made them."""
    data = reader.get_metrics_data()
    return {
        metric.name: [(dict(point.attributes or {}), point) for point in metric.data.data_points]  # type: ignore[misc]
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name.startswith("gen_ai.")
    }


def shared(openrouter: FakeOpenRouter, **more: Any) -> dict[str, Any]:
    """The attributes of every point of a call that was answered."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": openrouter.port,
        **more,
    }


def without_process(points: list[Point]) -> list[dict[str, Any]]:
    """Attributes; `process` is on every point of ours, also here."""
    assert all(len(attributes.pop("process")) == 16 for attributes, _ in points)
    return [attributes for attributes, _ in points]


def test_they_are_off_unless_asked_for(caller: Caller, measure: Measure) -> None:
    telemetry = measure()
    caller.run(caller.create())

    assert gen_ai(telemetry.reader) == {}


def test_units_and_buckets_are_those_of_the_conventions(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await caller.read(await caller.create(f"good;{PRICED}", stream=True))

    caller.run(body())
    data = telemetry.reader.get_metrics_data()
    assert data is not None
    found = {
        metric.name: (metric.unit, list(point.explicit_bounds))
        for scope in data.resource_metrics[0].scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name.startswith("gen_ai.") and isinstance(point, HistogramDataPoint)
    }
    assert found == DEFINED


def test_a_plain_call_has_a_duration_and_its_tokens(
    caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    caller.run(caller.create(f"good;{PRICED}"))

    found = gen_ai(telemetry.reader)
    assert found.keys() == {DURATION, USAGE}
    tokens = {attributes["gen_ai.token.type"]: point.sum for attributes, point in found[USAGE]}
    assert tokens == {"input": 10, "output": 20}
    assert without_process(found[DURATION]) == [shared(openrouter)]
    assert without_process(found[USAGE]) == [
        shared(openrouter, **{"gen_ai.token.type": kind}) for kind in ("input", "output")
    ]
    assert [point.count for points in found.values() for _, point in points] == [1, 1, 1]


def test_a_streams_first_chunk_counts_with_content_or_without(
    caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    async def body() -> None:
        stream = await caller.create(f"good;{PRICED}", stream=True)
        telemetry.clock.advance(3)
        await caller.read(stream)

    caller.run(body())
    found = gen_ai(telemetry.reader)
    assert found.keys() == {DURATION, USAGE, FIRST_CHUNK}
    ((_, point),) = found[FIRST_CHUNK]
    assert (point.count, 3 <= point.sum < 4) == (1, True)
    assert without_process(found[FIRST_CHUNK]) == [shared(openrouter)]


@pytest.mark.parametrize(
    ("wanted", "error", "answered"),
    [("error;status=429", "rate_limit_exceeded", False), ("drop", "APIConnectionError", False)],
)
def test_a_failure_names_its_error_and_has_no_tokens(
    wanted: str, error: str, answered: bool, caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  # which one is test_errors' matter
        caller.run(caller.create(wanted))

    found = gen_ai(telemetry.reader)
    assert found.keys() == {DURATION}
    expected = shared(openrouter, **{"error.type": error})
    del expected["gen_ai.response.model"]
    assert without_process(found[DURATION]) == [expected]


def test_an_error_inside_an_answer_is_one_too(caller: Caller, openrouter: FakeOpenRouter, telemetry: Telemetry) -> None:
    caller.run(caller.create(f"choice-error;{PRICED}"))

    found = gen_ai(telemetry.reader)
    assert without_process(found[DURATION]) == [shared(openrouter, **{"error.type": "provider_unavailable"})]
    assert all("error.type" not in attributes for attributes, _ in found[USAGE])


def test_other_operations_are_named(caller: Caller, telemetry: Telemetry) -> None:
    async def body() -> None:
        await caller.given(
            caller.client.embeddings.create(model="openai/text-embedding-3-small", input="x", encoding_format="float")
        )

    caller.run(body())
    found = gen_ai(telemetry.reader)
    assert {attributes["gen_ai.operation.name"] for points in found.values() for attributes, _ in points} == {
        "embeddings"
    }


def test_models_beyond_the_cap_share_a_name(caller: Caller, measure: Measure) -> None:
    telemetry = measure(semconv_metrics=True, max_series=3)

    async def body() -> None:
        for number in range(6):
            await caller.create(f"good;{PRICED}", model=f"acme/m{number}")

    caller.run(body())
    durations = gen_ai(telemetry.reader)[DURATION]
    counts = {attributes["gen_ai.request.model"]: point.count for attributes, point in durations}
    assert counts == {"acme/m0": 1, "acme/m1": 1, "acme/m2": 1, "(other)": 3}


# --- one name, one owner ---
def theirs(provider: MeterProvider, scope: str, name: str) -> Any:
    return provider.get_meter(scope).create_histogram(name, "s")


@pytest.mark.parametrize("name", DEFINED)
def test_they_are_left_out_where_another_instrumentation_has_them(
    name: str, caller: Caller, measure: Measure, caplog: pytest.LogCaptureFixture
) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    theirs(provider, "opentelemetry.instrumentation.openai", name).record(1)
    with caplog.at_level(logging.INFO, logger="openrouter_otel"):
        measure(meter_provider=provider, semconv_metrics=True)

    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "semconv_metrics" in warning.getMessage()
    assert "opentelemetry.instrumentation.openai" in warning.getMessage()
    caller.run(caller.create())
    assert {metric: [point.count for _, point in points] for metric, points in gen_ai(reader).items()} == {name: [1]}
    data = reader.get_metrics_data()
    assert data is not None
    assert names.REQUESTS.name in {m.name for s in data.resource_metrics[0].scope_metrics for m in s.metrics}
    provider.shutdown()


def _nobody(provider: MeterProvider) -> None:
    """No other instrumentation at all."""


def _somebody_else(provider: MeterProvider) -> None:
    theirs(provider, "opentelemetry.instrumentation.httpx", "http.client.duration").record(1)


def _a_likeness(provider: MeterProvider) -> None:
    theirs(provider, "shop", "my.gen_ai.client.token.usage.too").record(1)


@pytest.mark.parametrize("neighbour", [_nobody, _somebody_else, _a_likeness])
def test_no_warning_where_nobody_else_has_them(
    neighbour: Callable[[MeterProvider], None], caller: Caller, measure: Measure, caplog: pytest.LogCaptureFixture
) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    neighbour(provider)
    with caplog.at_level(logging.INFO, logger="openrouter_otel"):
        measure(meter_provider=provider, semconv_metrics=True)
    caller.run(caller.create())

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert gen_ai(reader)[DURATION][0][1].count == 1
    provider.shutdown()


def test_instrumenting_again_does_not_take_us_for_another(
    caller: Caller, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="openrouter_otel"), telemetry.asleep():
        pass
    caller.run(caller.create())

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert gen_ai(telemetry.reader)[DURATION][0][1].count == 1
