"""Manifests for a cluster with the Prometheus operator and a Grafana that takes dashboards from ConfigMaps.

They are the bundled files' own text, indented: a rule file is nearly a PrometheusRule already, comments included.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from openrouter_otel.stacking.bundle import ALERTS, BUDGET_RULES, DASHBOARDS, RAW_DASHBOARDS, RULES
from openrouter_otel.stacking.links import Links, relinked

NAME: Final = "openrouter-otel"
MONITORING: Final = "monitoring.coreos.com/v1"
_HEAD: Final = "# Written by `openrouter-otel stack --k8s`.\n"
_MONITOR: Final = """\
spec:
  # Every Service that is labelled so, in any namespace. Its port `openrouter` leads to the program's /metrics (9464),
  # where the program has to listen for others: OTEL_EXPORTER_PROMETHEUS_HOST=0.0.0.0 in its environment.
  namespaceSelector:
    any: true
  selector:
    matchLabels:
      openrouter-otel: "true"
  endpoints:
    - port: openrouter
      interval: 15s
      metricRelabelings: # whole bounds of buckets as OTLP has them, for who pushes as well
        - sourceLabels: [le]
          regex: (\\d+)\\.0
          targetLabel: le
"""
_SERVER_SIDE: Final = """\
# Apply with `kubectl apply --server-side`: else every text is copied into an annotation, and 256 KiB is all it may be.
"""
# A key that YAML takes for a text without quotes; `yes` and `1` it would not.
_PLAIN: Final = re.compile(r"[A-Za-z]+[._/-]\w")


@dataclass(frozen=True)
class Cluster:
    """What a cluster wants to see.

    Attributes:
        namespace: of every manifest; None: that of whoever applies them.
        labels: put on every manifest, such as the ones by which the operator chooses.
        links: where alerts lead.
        rules: whether there are rules; without them the boards are those that need none.
    """

    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    links: Links = field(default_factory=lambda: Links(None, None))
    rules: bool = True


def manifests(bundle: Mapping[str, str], cluster: Cluster, budget_rules: str | None = None) -> Mapping[str, str]:
    """YAML by file name. The examples of budgets stay out: `budget_rules` are somebody's own, or there are none."""
    made = {"servicemonitor.yaml": _HEAD + _object(cluster, MONITORING, "ServiceMonitor", NAME) + _MONITOR}
    if cluster.rules:
        made["prometheusrules.yaml"] = _HEAD + joined(_rules(bundle, cluster, budget_rules))
    made["dashboards.yaml"] = _HEAD + _SERVER_SIDE + joined(_dashboards(bundle, cluster))
    return made


def joined(documents: Iterable[str]) -> str:
    """Several documents of YAML as one text."""
    return "---\n".join(documents)


def _rules(bundle: Mapping[str, str], cluster: Cluster, budget_rules: str | None) -> list[str]:
    files = {path: text for path, text in bundle.items() if path.startswith(RULES)}
    del files[BUDGET_RULES]
    files[ALERTS] = relinked(files[ALERTS], cluster.links)
    if budget_rules is not None:
        files[BUDGET_RULES] = budget_rules
    return [
        f"{_object(cluster, MONITORING, 'PrometheusRule', _stem(path))}spec:\n{_indented(text)}"
        for path, text in files.items()
    ]


def _dashboards(bundle: Mapping[str, str], cluster: Cluster) -> list[str]:
    folder = DASHBOARDS if cluster.rules else RAW_DASHBOARDS
    return [_dashboard(_stem(path), text, cluster) for path, text in bundle.items() if path.startswith(folder)]


def _dashboard(uid: str, text: str, cluster: Cluster) -> str:
    head = _object(cluster, "v1", "ConfigMap", uid, {"grafana_dashboard": "1"}, {"grafana_folder": "OpenRouter"})
    return f"{head}data:\n  {uid}.json: |\n{_indented(text, 4)}"


def _object(
    cluster: Cluster,
    version: str,
    kind: str,
    name: str,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> str:
    lines = [f"apiVersion: {version}", f"kind: {kind}", "metadata:", f"  name: {name}"]
    if cluster.namespace is not None:
        lines.append(f"  namespace: {json.dumps(cluster.namespace)}")
    lines += _mapping("labels", {"app.kubernetes.io/name": NAME, **(labels or {}), **cluster.labels})
    lines += _mapping("annotations", annotations or {})
    return "\n".join(lines) + "\n"


def _mapping(key: str, entries: Mapping[str, str]) -> list[str]:
    lines = [
        f"    {name if _PLAIN.match(name) else json.dumps(name)}: {json.dumps(value)}"
        for name, value in entries.items()
    ]
    return [f"  {key}:", *lines] if lines else []


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _indented(text: str, columns: int = 2) -> str:
    return textwrap.indent(text, " " * columns)
