"""Our own exposition says what the exporter's would, and leaves alone whatever is not ours."""

from __future__ import annotations

import gzip
import urllib.request
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    Metric,
    NumberDataPoint,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from endpoint.programs import hosts
from openrouter_otel import metrics_reader, names
from openrouter_otel.exposition import Exposition
from openrouter_otel.metrics_endpoint import ServedMetricReader

RESOURCE = {"service.name": 'shop "one"\\', "service.instance.id": "i-1", "deployment.environment.name": "test"}
HOSTILE = [
    'a"b',
    "back\\slash",
    "new\nline",
    "\\n",
    '\\"',
    "{}",
    'x="y",z',
    "=",
    ",",
    "",
    " ",
    "ü",
    "模型",
    "🦊",
    "#",
    "\t",
]
ATTRIBUTES = (*names.BASE, names.USER, names.OUTCOME, names.ERROR_TYPE, "tag.team", "tag.a b")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
_HOSTS = hosts()

values = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x85"))
amounts = st.integers(0, 10**15).map(float) | st.floats(0, 1e15, allow_nan=False)
attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), values, max_size=4)
recorded = st.lists(st.tuples(st.sampled_from(names.METRICS + names.GEN_AI_METRICS), attributes, amounts), max_size=8)


def samples(text: str) -> Samples:
    """What an exposition says, empty labels left out: to Prometheus they are absent."""
    return {
        (sample.name, frozenset((name, value) for name, value in sample.labels.items() if value)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.startswith("target_info")
    }


def observing(observations: list[Observation]) -> Any:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return observations

    return [observe]


def emit(meter: Meter, points: list[tuple[names.Metric, dict[str, str], float]]) -> None:
    """Have an SDK's instruments say these points."""
    by_metric: dict[names.Metric, dict[frozenset[tuple[str, str]], tuple[dict[str, str], float]]] = {}
    for metric, own, amount in points:
        # an empty label is none, so the last of two sets that differ only there would be shown by one and not the other
        key = frozenset((names.label(name), value) for name, value in own.items() if value)
        by_metric.setdefault(metric, {})[key] = (own, amount)
    for metric, unique in by_metric.items():
        told = list(unique.values())
        if metric.kind == "histogram":
            histogram = meter.create_histogram(
                metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=list(metric.buckets)
            )
            for own, amount in told:
                histogram.record(amount, own)
            continue
        observations = [Observation(amount, own) for own, amount in told]
        create = meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_gauge
        create(metric.name, observing(observations), metric.unit, metric.description)


@given(points=recorded)
@settings(max_examples=150, deadline=None)
def test_it_says_what_the_exporter_says(
    points: list[tuple[names.Metric, dict[str, str], float]],
) -> None:
    registry = CollectorRegistry()
    memory = InMemoryMetricReader()
    provider = MeterProvider([metrics_reader(registry), memory], Resource(RESOURCE), shutdown_on_exit=False)
    emit(provider.get_meter(names.SCOPE), points)

    theirs = samples(generate_latest(registry).decode())
    data = memory.get_metrics_data()
    metrics = [m for r in (data.resource_metrics if data else ()) for scope in r.scope_metrics for m in scope.metrics]
    ours = samples(Exposition(RESOURCE).write(metrics))
    provider.shutdown()

    assert ours == theirs
    assert bool(ours) == bool(points)


# --- alone ---
REQUESTS = names.REQUESTS


def counter(*points: tuple[Any, float]) -> Metric:
    """A counter's points as the SDK hands them over."""
    data = [NumberDataPoint(own, 0, 0, value) for own, value in points]
    return Metric(
        REQUESTS.name, REQUESTS.description, REQUESTS.unit, Sum(data, AggregationTemporality.CUMULATIVE, True)
    )


def test_the_text_is_prometheus_own() -> None:
    text = Exposition({"service.name": "shop"}).write([counter(({"model": 'a"\\\nb', "tag.x y": "ü"}, 3))])

    assert text == (
        "# HELP openrouter_requests_total Calls that have ended, however they ended.\n"
        "# TYPE openrouter_requests_total counter\n"
        'openrouter_requests_total{model="a\\"\\\\\\nb",tag_x_y="ü",service_name="shop"} 3.0\n'
    )


def test_the_resources_labels_are_on_every_sample_also_where_there_are_no_others() -> None:
    text = Exposition(RESOURCE).write([counter((None, 1), ({}, 2), ({"model": "m"}, 3))])

    shared = {(names.label(name), value) for name, value in RESOURCE.items()}
    assert text.count("\n") == 5
    assert all(shared <= labels for _, labels in samples(text))


def test_amounts_keep_every_digit() -> None:
    amounts = (0.1 + 0.2, 1e-12, 123456789012345.0, 5e-324, 0.0)

    text = Exposition({}).write([counter(*(({"model": str(n)}, amount) for n, amount in enumerate(amounts)))])
    assert sorted(samples(text).values()) == sorted(amounts)


class Attributes(dict[str, str]):
    """A dictionary that can be watched."""

    __slots__ = ("__weakref__",)


def test_dictionaries_made_anew_for_every_scrape_are_not_kept_for_ever() -> None:
    exposition, watched = Exposition({}), []
    for _ in range(300):
        made = [Attributes(model=f"m{n}") for n in range(20)]
        text = exposition.write([counter(*((own, 1) for own in made))])
        watched += [weakref.ref(own) for own in made]
        assert len(samples(text)) == 20

    assert sum(one() is not None for one in watched) < 2000


def test_a_dictionary_that_lives_on_keeps_its_text() -> None:
    exposition, own = Exposition({}), Attributes(model="m")
    first = exposition.write([counter((own, 1))])

    assert exposition.write([counter((own, 1))]) == first
    assert exposition.write([counter((Attributes(model="n"), 1), (own, 2))]).endswith('{model="m"} 2.0\n')


# --- served ---
@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ServedMetricReader, MeterProvider]]:
    """What `OTEL_METRICS_EXPORTER=openrouter_prometheus` makes, on a registry of its own."""
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_HOST", next(_HOSTS))
    reader = ServedMetricReader(CollectorRegistry())
    provider = MeterProvider([reader], Resource(RESOURCE), shutdown_on_exit=False)
    yield reader, provider
    provider.shutdown()


def fetched(reader: ServedMetricReader, **headers: str) -> tuple[bytes, dict[str, str]]:
    assert reader.server is not None
    host, port = reader.server.server_name, reader.server.server_port
    request = urllib.request.Request(f"http://{host}:{port}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read(), {name.lower(): value for name, value in answer.headers.items()}


def test_what_else_there_is_comes_out_beside_ours(served: tuple[ServedMetricReader, MeterProvider]) -> None:
    reader, provider = served
    provider.get_meter("shop").create_counter("orders", description="Sold.").add(5, {"kind": "b ok"})
    provider.get_meter("shop").create_histogram("openrouter.like").record(1)
    Gauge("shelves", "Full.", registry=reader.registry).set(7)
    emit(provider.get_meter(names.SCOPE), [(names.REQUESTS, {"model": "m"}, 3), (names.DURATION, {"model": "m"}, 0.5)])

    for _ in range(2):  # and again at the next scrape
        body, headers = fetched(reader)
        found = {
            (name, dict(own).get("model", dict(own).get("kind"))): v
            for (name, own), v in samples(body.decode()).items()
        }
        assert found["orders_total", "b ok"] == 5
        assert found["shelves", None] == 7
        assert found["openrouter_like_count", None] == 1
        assert found["openrouter_requests_total", "m"] == 3
        assert found["openrouter_request_duration_seconds_sum", "m"] == 0.5
        assert body.decode().count("# TYPE openrouter_requests_total counter\n") == 1
        assert headers["content-type"].startswith("text/plain; version=0.0.4")


def test_another_scrape_of_the_registry_has_ours_too(served: tuple[ServedMetricReader, MeterProvider]) -> None:
    """An application that shows the registry in its own way misses nothing."""
    reader, provider = served
    emit(provider.get_meter(names.SCOPE), [(names.REQUESTS, {"model": "m"}, 3)])

    direct = samples(generate_latest(reader.registry).decode())
    assert samples(fetched(reader)[0].decode()) == direct
    assert [value for (name, _), value in direct.items() if name == "openrouter_requests_total"] == [3]


def test_an_answer_is_compressed_for_those_who_take_it(served: tuple[ServedMetricReader, MeterProvider]) -> None:
    reader, provider = served
    emit(provider.get_meter(names.SCOPE), [(names.REQUESTS, {"model": "m"}, 3)])

    plain, _ = fetched(reader)
    body, headers = fetched(reader, **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(body)
    assert gzip.decompress(body) == plain


def test_nothing_of_ours_yet_is_an_answer_too(served: tuple[ServedMetricReader, MeterProvider]) -> None:
    body, _ = fetched(served[0])

    assert samples(body.decode()) == {}
