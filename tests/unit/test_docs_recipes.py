"""docs/recipes.md quotes its programs to the letter, and its configurations fit together; tests/recipes runs them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from openrouter_otel.metrics_endpoint import PORTS
from recipes_page import RECIPES, ROOT, quotes, source

FILES = sorted(path for path in RECIPES.iterdir() if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_page_quotes_every_recipe_to_the_letter(path: Any) -> None:
    assert quotes()[str(path.relative_to(ROOT))] == source(path)


def test_the_page_quotes_nothing_else() -> None:
    assert len(quotes()) == len(FILES) == 11


def test_a_notebook_is_committed_without_output() -> None:
    notebook = yaml.safe_load((RECIPES / "notebook.ipynb").read_text("utf-8"))
    assert {(cell["execution_count"], *cell["outputs"]) for cell in notebook["cells"]} == {(None,)}


def test_kubernetes_finds_metrics_where_the_pod_serves_them() -> None:
    deployment, monitor = yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text("utf-8"))
    template = deployment["spec"]["template"]
    [container] = template["spec"]["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    port = int(variables["OTEL_EXPORTER_PROMETHEUS_PORT"])

    assert variables["OTEL_EXPORTER_PROMETHEUS_HOST"] == "0.0.0.0"  # the default is the pod's own loopback
    assert port in PORTS
    assert {"name": "metrics", "containerPort": port} in container["ports"]
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": "/metrics",
    }
    [scraped] = monitor["spec"]["podMetricsEndpoints"]
    assert (scraped["port"], scraped["path"]) == ("metrics", "/metrics")
    labels = template["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == monitor["spec"]["selector"]["matchLabels"] == labels


def test_the_collectors_pipelines_use_what_it_defines_and_listen_where_the_page_pushes() -> None:
    collector = yaml.safe_load((RECIPES / "collector.yaml").read_text("utf-8"))

    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(collector[kind])
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"] == "127.0.0.1:4318"
    for exporter in ("prometheus", "prometheusremotewrite"):  # else `service.name` is on target_info alone
        assert collector["exporters"][exporter]["resource_to_telemetry_conversion"] == {"enabled": True}
