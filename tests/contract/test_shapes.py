"""Every way to call is counted exactly once, priced as the stand-in charged it, and seen by its caller unchanged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import openai
import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.trace import SpanKind, StatusCode

from contract.driving import KEY, Caller, Each, Measure, Points, Telemetry, asking, labels, seen_by
from fake_openrouter import FakeOpenRouter
from openrouter_otel import names
from shapes import SHAPES, Shape

each_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name.replace(" ", "-"))


@each_shape
def test_every_way_to_call_is_counted_once_and_seen_unchanged(
    shape: Shape, caller: Caller, openrouter: FakeOpenRouter, measure: Measure
) -> None:
    bare = seen_by(caller, shape.call(caller, shape.scenario))  # type: ignore[arg-type]
    before = openrouter.book.totals()
    telemetry = measure()

    assert seen_by(caller, shape.call(caller, shape.scenario)) == bare  # type: ignore[arg-type]

    if shape.cost_source is None:
        assert telemetry.spans == ()
        assert telemetry.points(names.REQUESTS) == {}
        return
    collected = telemetry.collected()
    for metric, expected in expected_points(shape).items():
        assert collected.get(metric.name, {}) == expected, metric.name
    told = openrouter.book.totals().told - before.told
    assert Decimal(str(telemetry.total(names.COST))) == told.charge + told.bill
    assert telemetry.total(names.TOKENS) == told.input + told.output
    expect_span(telemetry, shape, openrouter.port)


def expected_points(shape: Shape) -> dict[names.Metric, Points]:
    """All that a row says about the metrics; whatever is not listed must not be there."""
    base: dict[str, Any] = {
        "model": shape.model,
        "requested_model": shape.requested if shape.requested != shape.model else None,
        "provider": shape.provider,
        "operation": "chat",
    }
    by_user = {**base, "user": names.ANONYMOUS}
    outcome = {"outcome": shape.outcome}
    spent = {
        labels(**by_user, **outcome, cost_source=source, payee=payee): float(amount)
        for source, payee, amount in (("reported", "openrouter", shape.cost), ("estimated", "provider", shape.bill))
        if amount is not None
    }
    tokens = {
        labels(**by_user, token_type=kind): count
        for kind, count in zip(("input", "output"), shape.tokens, strict=True)
        if count
    }
    reason = {"cost_source": shape.cost_source, "finish_reason": shape.finish}
    streamed_well = {labels(**base): 1} if shape.stream and shape.outcome == names.OK else {}
    return {
        names.REQUESTS: {labels(**by_user, **outcome, **reason): 1},
        names.ERRORS: {labels(**by_user, **{"error.type": shape.error}): 1} if shape.error else {},
        names.RETRIES: {},
        names.TOKENS: tokens,
        names.COST: spent,
        names.DURATION: {labels(**by_user, **outcome): 1},
        names.FIRST_TOKEN: streamed_well,
        names.OUTPUT_RATE: streamed_well if shape.tokens[1] else {},
    }


def expect_span(telemetry: Telemetry, shape: Shape, port: int) -> None:
    """One CLIENT span with the attributes that the row says, by the names of the conventions."""
    span = telemetry.span
    attributes = dict(span.attributes or {})
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": shape.requested,
        "gen_ai.request.stream": shape.stream or None,
        "gen_ai.response.model": shape.model,
        "gen_ai.response.finish_reasons": (shape.finish,),
        "gen_ai.usage.input_tokens": shape.tokens[0],
        "gen_ai.usage.output_tokens": shape.tokens[1],
        "gen_ai.usage.cost": None if shape.spent is None else float(shape.spent),
        "server.address": "127.0.0.1",
        "server.port": port,
        "openrouter.outcome": shape.outcome,
        "openrouter.cost_source": shape.cost_source,
        "openrouter.provider": shape.provider,
        "openrouter.is_byok": shape.byok,
        "openrouter.retries": None,
        "error.type": shape.error,
        "user.id": None,
        "session.id": None,
    }
    assert {name: attributes.get(name) for name in expected} == expected
    assert str(attributes["gen_ai.response.id"]).startswith("gen-")
    assert span.name == (f"chat {shape.requested}" if shape.requested else "chat")
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is (StatusCode.ERROR if shape.error else StatusCode.UNSET)


def test_tokens_that_are_part_of_others_are_counted_apart(caller: Caller, telemetry: Telemetry) -> None:
    caller.run(caller.create("details"))

    details = {dict(point)["token_type"]: count for point, count in telemetry.points(names.TOKENS_DETAIL).items()}
    assert details == {
        "cache_read": 1024, "cache_write": 512, "audio_input": 64, "video_input": 32,
        "reasoning": 128, "image_output": 16, "audio_output": 8,
    }  # fmt: skip
    assert telemetry.total(names.TOKENS) == 4096 + 512
    attributes = dict(telemetry.span.attributes or {})
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 1024
    assert attributes["gen_ai.usage.cache_creation.input_tokens"] == 512
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 128


@pytest.mark.parametrize("first", ["content", "reasoning", "tool"])
def test_the_first_token_is_the_first_chunk_that_carries_something(
    first: str, caller: Caller, telemetry: Telemetry
) -> None:
    """Time passes before the role, and again before the content: only the second counts to the first token."""

    async def body() -> None:
        stream = await caller.create(f"good;first={first}", stream=True)
        chunks = Each(stream)
        await chunks.__anext__()  # only the role
        telemetry.clock.advance(10)
        await chunks.__anext__()
        telemetry.clock.advance(100)
        async for _ in chunks:
            pass

    caller.run(body())
    data = telemetry.reader.get_metrics_data()
    assert data is not None
    (first_token,) = (
        point.sum
        for scope in data.resource_metrics[0].scope_metrics
        for metric in scope.metrics
        if metric.name == names.FIRST_TOKEN.name
        for point in metric.data.data_points
        if isinstance(point, HistogramDataPoint)
    )
    assert 10 <= first_token < 11


def test_retries_do_not_make_more_spans(caller: Caller, telemetry: Telemetry) -> None:
    caller.run(caller.using(max_retries=2).create("flaky;retry_after=0.01"))

    assert telemetry.the_only_call()["openrouter.retries"] == 2
    assert telemetry.total(names.RETRIES) == 2


def test_the_modules_own_client_is_measured_too(
    sync_caller: Caller, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("api_key", KEY), ("base_url", str(sync_caller.client.base_url)), ("_client", None)):
        monkeypatch.setattr(openai, name, value)

    openai.chat.completions.create(**asking())

    assert telemetry.the_only_call()["openrouter.outcome"] == names.OK
    assert telemetry.total(names.COST) == 0.03
    openai._client.close()  # type: ignore[union-attr]
