"""The vocabulary, held against the contract's table, which is written out here."""

from __future__ import annotations

import pytest

from openrouter_otel import names

# name, kind, unit, name on /metrics, attributes of its own, whether it has a user
CONTRACT = [
    (
        "openrouter.requests",
        "counter",
        "{request}",
        "openrouter_requests_total",
        {"outcome", "cost_source", "finish_reason"},
        True,
    ),
    ("openrouter.errors", "counter", "{error}", "openrouter_errors_total", {"error.type"}, True),
    ("openrouter.retries", "counter", "{retry}", "openrouter_retries_total", set(), True),
    ("openrouter.tokens", "counter", "{token}", "openrouter_tokens_total", {"token_type"}, True),
    ("openrouter.tokens.detail", "counter", "{token}", "openrouter_tokens_detail_total", {"token_type"}, True),
    ("openrouter.cost.usd", "counter", "", "openrouter_cost_usd_total", {"cost_source", "payee", "outcome"}, True),
    ("openrouter.request.duration", "histogram", "s", "openrouter_request_duration_seconds", {"outcome"}, True),
    ("openrouter.time.to.first.token", "histogram", "s", "openrouter_time_to_first_token_seconds", set(), False),
    ("openrouter.output.rate", "histogram", "", "openrouter_output_rate", set(), False),
    ("openrouter.duration.squared", "counter", "", "openrouter_duration_squared_total", set(), False),
    ("openrouter.duration.min", "gauge", "s", "openrouter_duration_min_seconds", set(), False),
    ("openrouter.duration.max", "gauge", "s", "openrouter_duration_max_seconds", set(), False),
]
E6 = (1.0, 1.5, 2.2, 3.3, 4.7, 6.8)


def ladder(low: float, high: float) -> list[float]:
    """E6 steps between two bounds, which are steps of it themselves or not."""
    steps = [float(f"{step}e{decade}") for decade in range(-2, 4) for step in E6]
    return [low, *[step for step in steps if low < step < high], high]


def test_usage_metrics_are_those_of_the_contract() -> None:
    shown = [(m.name, m.kind, m.unit, m.prometheus, set(m.attributes), m.user) for m in names.USAGE_METRICS]

    assert shown == CONTRACT


def test_process_metrics_are_those_of_the_contract() -> None:
    shown = {m.prometheus: set(m.attributes) for m in names.PROCESS_METRICS}

    expected = {
        "openrouter_otel_build_info": {"version", "openai_version"},
        "openrouter_process_start_time_seconds": set(),
    }
    assert expected == shown


def test_every_metric_is_described_and_named_once() -> None:
    assert all(metric.description.endswith(".") or ";" in metric.description for metric in names.METRICS)
    assert len(names.METRICS) == len({metric.prometheus for metric in names.METRICS})


def test_only_histograms_have_buckets() -> None:
    assert {m for m in names.METRICS if m.kind == "histogram"} == {m for m in names.METRICS if m.buckets}


@pytest.mark.parametrize("metric", [m for m in names.METRICS if m.buckets], ids=lambda m: m.name)
def test_buckets_are_floats_and_rise(metric: names.Metric) -> None:
    # Prometheus 2 keeps the text of `le`: an int among floats would split a series in two.
    assert all(type(bound) is float for bound in metric.buckets)
    assert sorted(set(metric.buckets)) == list(metric.buckets)


def test_durations_go_by_e6_steps_from_50_ms_to_ten_minutes() -> None:
    assert ladder(0.05, 600.0) == list(names.DURATION.buckets)


def test_first_tokens_begin_at_20_ms_and_go_on_as_durations_do() -> None:
    first = names.FIRST_TOKEN.buckets

    assert (first[0], first[-1]) == (0.02, 600.0)
    assert set(first) - {0.02} <= set(ladder(0.02, 600.0))
    assert [b for b in names.DURATION.buckets if b > 0.05] == [b for b in first if b > 0.05]


def test_output_rates_go_by_e6_steps_from_1_to_1000() -> None:
    assert ladder(1.0, 1000.0) == list(names.OUTPUT_RATE.buckets)


def test_words_are_those_of_the_contract() -> None:
    assert names.OUTCOMES == ("ok", "error", "abandoned", "cancelled")
    assert names.COST_SOURCES == ("reported", "estimated", "unknown", "none")
    assert names.PAYEES == ("openrouter", "provider")
    assert (names.INPUT, names.OUTPUT) == ("input", "output")
    assert names.BASE == ("process", "model", "requested_model", "provider", "operation")
    assert (names.OTHER, names.UNKNOWN, names.OVERFLOW, names.ANONYMOUS) == (
        "(other)",
        "(unknown)",
        "(overflow)",
        "anonymous",
    )
    assert set(names.TOKEN_DETAILS) == {
        "cache_read",
        "cache_write",
        "reasoning",
        "audio_input",
        "audio_output",
        "image_input",
        "image_output",
        "video_input",
    }
    assert names.RESOURCE_ATTRIBUTES == ("service.name", "service.instance.id", "deployment.environment.name")


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("error.type", "error_type"),
        ("tag.team-name", "tag_team_name"),
        ("tag.größe", "tag_gr__e"),
        ("Team9_x", "Team9_x"),
        ("a b\nc", "a_b_c"),
    ],
)
def test_a_label_keeps_only_what_prometheus_takes(attribute: str, expected: str) -> None:
    assert expected == names.label(attribute)
