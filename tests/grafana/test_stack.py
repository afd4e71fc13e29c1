"""The bundled stack as data: what is mounted exists, versions are pinned, nothing listens beyond loopback.

No container engine is at hand here; that the stack comes up is for ``make smoke`` on a machine that has one.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from real_prometheus import RealPrometheus, binary, major_version
from rule_worlds import ALERTS, RULES, rules

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "grafana"
PORTS = range(9464, 9474)

Yaml = dict[str, Any]


def parsed(path: Path) -> Yaml:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


COMPOSE = parsed(ROOT / "docker-compose.yml")
SERVICES: dict[str, Yaml] = COMPOSE["services"]
ALERTMANAGER = parsed(GRAFANA / "alertmanager" / "alertmanager.yml")
PROMETHEUS = parsed(GRAFANA / "prometheus" / "prometheus.yml")
(SOURCE,) = parsed(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
(PROVIDER,) = parsed(GRAFANA / "provisioning" / "dashboards" / "openrouter.yml")["providers"]

each_service = pytest.mark.parametrize("service", [pytest.param(one, id=name) for name, one in SERVICES.items()])


def mounts(service: Yaml) -> dict[str, tuple[str, str]]:
    """What is mounted where: target, to source and mode."""
    split = [volume.split(":") for volume in service["volumes"]]
    return {target: (source, mode[0] if mode else "rw") for source, target, *mode in split}


def inside(service: Yaml, path: str) -> Path:
    """The file of ours that a path inside a container is."""
    for target, (source, _) in mounts(service).items():
        if path == target or path.startswith(f"{target}/"):
            return ROOT / source / path[len(target) :].lstrip("/")
    raise AssertionError(f"{path} is not mounted")


@each_service
def test_images_are_pinned_to_a_release(service: Yaml) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", service["image"])


@each_service
def test_ports_are_on_loopback_only(service: Yaml) -> None:
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


@each_service
def test_what_is_ours_is_mounted_read_only_and_exists(service: Yaml) -> None:
    for source, mode in mounts(service).values():
        if source.startswith("./"):
            assert mode == "ro"
            assert (ROOT / source).exists()
        else:
            assert source in COMPOSE["volumes"]


@each_service
def test_services_are_checked_and_not_root(service: Yaml) -> None:
    assert service["healthcheck"]["test"][0] == "CMD"
    assert not str(service["user"]).startswith(("0", "root"))
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]


def test_prometheus_keeps_a_year_and_takes_pushes() -> None:
    flags = SERVICES["prometheus"]["command"]
    assert "--storage.tsdb.retention.time=400d" in flags
    assert "--web.enable-otlp-receiver" in flags
    (config,) = [flag.partition("=")[2] for flag in flags if flag.startswith("--config.file=")]
    assert parsed(inside(SERVICES["prometheus"], config)) == PROMETHEUS


def test_grafana_opens_on_the_overview_and_nobody_can_log_in() -> None:
    settings = SERVICES["grafana"]["environment"]
    assert settings["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert settings["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert settings["GF_AUTH_BASIC_ENABLED"] == "false"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    home = inside(SERVICES["grafana"], settings["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert json.loads(home.read_text(encoding="utf-8"))["uid"] == "openrouter-overview"


def test_grafana_finds_its_boards_and_its_data() -> None:
    grafana = SERVICES["grafana"]
    assert inside(grafana, PROVIDER["options"]["path"]) == GRAFANA / "dashboards"
    for kind in ("datasources", "dashboards"):
        assert inside(grafana, f"/etc/grafana/provisioning/{kind}") == GRAFANA / "provisioning" / kind
    port = SERVICES["prometheus"]["ports"][0].rpartition(":")[2]
    assert SOURCE["url"] == f"http://prometheus:{port}"
    assert SOURCE["uid"] == "openrouter-prometheus"


def test_the_data_source_knows_its_prometheus() -> None:
    known = SOURCE["jsonData"]
    assert known["httpMethod"] == "POST"
    assert known["timeInterval"] == PROMETHEUS["global"]["scrape_interval"] == "15s"
    assert known["prometheusType"] == "Prometheus"
    assert SERVICES["prometheus"]["image"] == f"prom/prometheus:v{known['prometheusVersion']}"


@pytest.mark.parametrize("host", ["host.docker.internal", "demo"])
def test_all_ten_ports_are_scraped(host: str) -> None:
    (job,) = PROMETHEUS["scrape_configs"]
    targets = [target for group in job["static_configs"] for target in group["targets"]]
    assert {f"{host}:{port}" for port in PORTS} <= set(targets)
    assert len(targets) == len(set(targets)) == 2 * len(PORTS)


def test_programs_on_the_host_can_be_reached() -> None:
    assert "host.docker.internal:host-gateway" in SERVICES["prometheus"]["extra_hosts"]


def test_pushed_metrics_get_the_labels_that_boards_filter_by() -> None:
    assert PROMETHEUS["otlp"] == {
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "promote_resource_attributes": ["service.instance.id", "service.name", "deployment.environment.name"],
    }


def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    """All of it where it is Prometheus 3; an older one does not know the `otlp` block."""
    (tmp_path / "rules").symlink_to(RULES)
    config = tmp_path / "prometheus.yml"
    known = PROMETHEUS if major_version() >= 3 else {key: part for key, part in PROMETHEUS.items() if key != "otlp"}
    config.write_text(yaml.safe_dump(known))
    check = subprocess.run([binary("promtool"), "check", "config", config], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_every_alert_leads_to_a_section_that_prometheus_serves(tmp_path: Path) -> None:
    flags = SERVICES["prometheus"]["command"]
    (assets,) = [flag.partition("=")[2] for flag in flags if flag.startswith("--web.user-assets=")]
    (own,) = [flag.partition("=")[2] for flag in flags if flag.startswith("--web.external-url=")]
    anchors = set()
    for rule in rules(ALERTS):
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page.startswith(own)
        anchors.add(anchor)
    assert len(anchors) == len(rules(ALERTS))
    flag = f"--web.user-assets={inside(SERVICES['prometheus'], assets)}"
    with (
        RealPrometheus(tmp_path, flags=(flag,)) as server,
        urllib.request.urlopen(f"{server.url}/{page.removeprefix(own)}", timeout=10) as answer,
    ):
        text = answer.read().decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert anchors <= set(re.findall(r'<h2 id="(\w+)">', text))


def test_alerts_go_to_an_alertmanager_that_only_runs_when_asked_for() -> None:
    service = SERVICES["alertmanager"]
    assert service["profiles"] == ["alerts"]
    (manager,) = PROMETHEUS["alerting"]["alertmanagers"]
    assert manager["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    (config,) = [flag.partition("=")[2] for flag in service["command"] if flag.startswith("--config.file=")]
    assert parsed(inside(service, config)) == ALERTMANAGER


def test_the_receivers_secret_is_in_a_file_that_is_not_committed() -> None:
    (receiver,) = ALERTMANAGER["receivers"]
    (hook,) = receiver["webhook_configs"]
    (secret,) = SERVICES["alertmanager"]["secrets"]
    assert hook == {"url_file": f"/run/secrets/{secret}"}
    file = COMPOSE["secrets"][secret]["file"].removeprefix("./")
    assert f"/{file}" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / f"{file}.example").exists()


def test_silencing_names_alerts_that_exist() -> None:
    alerts = {rule["alert"] for rule in rules(ALERTS)}
    for inhibition in ALERTMANAGER["inhibit_rules"]:
        for matcher in (*inhibition["source_matchers"], *inhibition["target_matchers"]):
            pattern = re.fullmatch(r'alertname=~?"(.+)"', matcher)
            assert pattern
            assert any(re.fullmatch(pattern[1], alert) for alert in alerts)


def test_the_rules_are_where_prometheus_looks() -> None:
    (pattern,) = PROMETHEUS["rule_files"]
    found = sorted((GRAFANA / "prometheus").glob(pattern))
    assert found == sorted(RULES.glob("*.yml"))
    check = subprocess.run(
        [binary("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *found],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr
