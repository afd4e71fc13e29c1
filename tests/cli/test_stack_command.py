"""``openrouter-otel stack`` as a user meets it: what it writes, and what it says where it cannot."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from openrouter_otel import cli
from openrouter_otel.budget_rules import as_yaml, budget_rules
from openrouter_otel.budgets import read_budgets
from real_prometheus import binary

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = "budgets:\n  - {usd: 7, period: week, user: bob}\n"
BUDGET_RULES = as_yaml(budget_rules(read_budgets(BUDGETS)))
RULES = "grafana/prometheus/rules"
CONFIG_MAP = 1 << 20  # bytes; what a cluster takes
PLAIN_APPLY = 1 << 18  # and what `kubectl apply` can remember in an annotation

Yaml = dict[str, Any]


def stack(*arguments: object) -> int:
    return cli.main(["stack", *map(str, arguments)])


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that is said to a command line that makes no sense."""
    with pytest.raises(SystemExit) as ended:
        stack(*arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("openrouter-otel stack: ")


@pytest.fixture
def budgets(tmp_path: Path) -> Path:
    file = tmp_path / "mine.yml"
    file.write_text(BUDGETS, encoding="utf-8")
    return file


def test_the_files_are_the_projects_but_for_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "new" / "stack"
    assert stack(target) == 0
    written = files(target)
    for path, text in written.items():
        ours = (ROOT / path).read_text("utf-8")
        kept = [line for line in text.splitlines() if line]
        assert not set(kept) - set(ours.splitlines())
        assert text == ours or "<demo>" in ours
        assert "demo" not in text or path.endswith(("RUNBOOK.md", "runbook.html"))
    assert {path for path in written if "<demo>" in (ROOT / path).read_text("utf-8")} == {
        "docker-compose.yml",
        "grafana/prometheus/prometheus.yml",
    }
    assert not any("-raw" in path for path in written)
    assert capsys.readouterr().out.startswith(
        f"{len(written)} files in {target}; next: cd {target} && docker compose up"
    )


def test_a_secret_that_lies_beside_them_stays_there(tmp_path: Path) -> None:
    """In the project's own folder the address of the receiver is next to its example."""
    assert stack(tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / "grafana" / "alertmanager").iterdir()) == [
        "alertmanager.yml",
        "webhook_url.example",
    ]


def test_budgets_of_yours_take_the_place_of_the_examples(tmp_path: Path, budgets: Path) -> None:
    assert stack(tmp_path / "examples") == 0
    assert stack(tmp_path / "mine", "--budgets", budgets) == 0
    examples, mine = files(tmp_path / "examples"), files(tmp_path / "mine")
    assert {path for path in mine if mine[path] != examples[path]} == {
        "grafana/budgets.yml",
        f"{RULES}/openrouter-budgets.rules.yml",
    }
    assert mine["grafana/budgets.yml"] == BUDGETS
    assert mine[f"{RULES}/openrouter-budgets.rules.yml"] == BUDGET_RULES


def test_alerts_lead_where_you_say(tmp_path: Path) -> None:
    runbook, grafana = "https://wiki.example.com/openrouter?view=1", "https://grafana.example.com/"
    assert stack(tmp_path, "--runbook-url", runbook, "--grafana-url", grafana) == 0
    for alert in alerts(yaml.safe_load((tmp_path / RULES / "openrouter-alerts.rules.yml").read_text("utf-8"))):
        assert alert["annotations"]["runbook_url"] == f"{runbook}#{alert['alert'].lower()}"
        assert alert["annotations"]["dashboard_url"].startswith("https://grafana.example.com/d/openrouter-")


def test_without_rules_there_are_boards_and_nothing_else(tmp_path: Path) -> None:
    assert stack(tmp_path, "--raw") == 0
    boards = {path.name: path.read_text("utf-8") for path in (ROOT / "grafana" / "dashboards-raw").glob("*.json")}
    provider = "grafana/provisioning/dashboards/openrouter.yml"
    assert files(tmp_path) == {
        provider: (ROOT / provider).read_text("utf-8"),
        **{f"grafana/dashboards/{name}": text for name, text in boards.items()},
    }


def test_what_is_there_already_is_named_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "grafana").mkdir()
    (tmp_path / "docker-compose.yml").write_text("mine", encoding="utf-8")
    (tmp_path / "grafana" / "budgets.yml").write_text("mine, too", encoding="utf-8")
    before = files(tmp_path)
    assert stack(tmp_path) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"openrouter-otel stack: {tmp_path}: there already, and not as we would write them: docker-compose.yml, "
        "grafana/budgets.yml; --force overwrites them\n"
    )
    assert files(tmp_path) == before
    assert stack(tmp_path, "--force") == 0
    assert (tmp_path / "docker-compose.yml").read_text("utf-8").startswith("# The whole stack")


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    assert stack(tmp_path) == 0
    before = files(tmp_path)
    assert stack(tmp_path) == 0
    assert files(tmp_path) == before


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
def test_nothing_is_half_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], force: tuple[str, ...]) -> None:
    """A folder stands where the last file ought to go."""
    (tmp_path / "grafana" / "smoke.py").mkdir(parents=True)
    assert stack(tmp_path, *force) == 1
    assert files(tmp_path) == {}
    assert capsys.readouterr().err.endswith("smoke.py: is a folder, and ought to be a file\n")


def test_a_failure_half_way_is_undone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where a folder ought to be made, which only shows when others are written."""
    (tmp_path / "grafana").write_text("a file", encoding="utf-8")
    assert stack(tmp_path) == 1
    assert files(tmp_path) == {"grafana": "a file"}
    (complaint,) = capsys.readouterr().err.splitlines()
    assert complaint.startswith(f"openrouter-otel stack: {tmp_path}/grafana")


def test_a_budget_file_that_is_none_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("budgets: 7", encoding="utf-8")
    assert stack(tmp_path / "stack", "--budgets", file) == 1
    assert not (tmp_path / "stack").exists()
    assert capsys.readouterr().err.startswith(f"openrouter-otel stack: {file}: expected one key")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "nothing to write: give a DIR, --k8s, or --budgets FILE"),
        (("--raw",), "nothing to write: give a DIR, --k8s, or --budgets FILE"),
        (("--raw", "--budgets", "b"), "--raw needs a DIR or --k8s"),
        (("d", "--raw", "--budgets", "b"), "--raw writes no rules, and budgets are rules"),
        (("d", "--raw", "--grafana-url", "http://g"), "--raw writes no alerts, so nothing leads to --runbook-url or"),
        (("--budgets", "b", "--runbook-url", "http://g"), "--runbook-url and --grafana-url need a DIR or --k8s"),
        (("--budgets", "b", "--force"), "--force needs a DIR"),
        (("d", "--budgets", "b", "--output", "o"), "--output is for --budgets alone; DIR is where everything goes"),
        (("d", "--namespace", "n"), "--namespace needs --k8s"),
        (("d", "--label", "a=b"), "--label needs --k8s"),
        (("--k8s", "--namespace", "Not_One"), "argument --namespace: 'Not_One' is no name of a namespace"),
        (("--k8s", "--label", "a: b"), "argument --label: 'a: b' is no label as Kubernetes knows them: NAME=VALUE"),
        (("d", "--runbook-url", "wiki"), "argument --runbook-url: 'wiki' is no http:// or https:// address"),
        (("d", "--grafana-url", "http://g/{{ x }}"), "argument --grafana-url: 'http://g/{{ x }}' is no http://"),
    ],
)
def test_what_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    assert refusal(capsys, *arguments).startswith(complaint)


def test_manifests_go_to_standard_output_or_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stack("--k8s") == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    assert stack(tmp_path, "--k8s") == 0
    assert capsys.readouterr().out == f"3 files in {tmp_path}; next: kubectl apply --server-side -f {tmp_path}\n"
    written = [document for text in files(tmp_path).values() for document in yaml.safe_load_all(text)]
    key = ("kind", "metadata")
    assert sorted(printed, key=lambda it: str([it[k] for k in key])) == sorted(
        written, key=lambda it: str([it[k] for k in key])
    )


def test_manifests_carry_the_projects_rules_and_boards(capsys: pytest.CaptureFixture[str]) -> None:
    monitor, *others = manifests(capsys)
    assert (monitor["apiVersion"], monitor["kind"]) == ("monitoring.coreos.com/v1", "ServiceMonitor")
    assert monitor["spec"]["selector"] == {"matchLabels": {"openrouter-otel": "true"}}
    boards = {one["metadata"]["name"]: one for one in others if one["kind"] == "ConfigMap"}
    for file in (ROOT / "grafana" / "dashboards").glob("*.json"):
        board = boards.pop(file.stem)
        assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert board["data"] == {file.name: file.read_text("utf-8")}
        assert len(file.read_bytes()) < CONFIG_MAP
        assert len(json.dumps(json.dumps(board))) < PLAIN_APPLY
    assert boards == {}
    rules = {one["metadata"]["name"]: one["spec"] for one in others if one["kind"] == "PrometheusRule"}
    assert set(rules) == {f"openrouter-{kind}" for kind in ("alerts", "counting", "thresholds")}
    for name, spec in rules.items():
        ours = yaml.safe_load((ROOT / RULES / f"{name}.rules.yml").read_text("utf-8"))
        for alert in alerts(ours):  # both lead to this machine, and no cluster is there
            del alert["annotations"]["runbook_url"], alert["annotations"]["dashboard_url"]
        assert spec == ours


def test_the_service_of_the_documentation_is_one_that_is_scraped(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "docs" / "stack.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    service = yaml.safe_load(block)
    monitor, *_ = manifests(capsys)
    assert service["metadata"]["labels"].items() >= monitor["spec"]["selector"]["matchLabels"].items()
    (port,) = service["spec"]["ports"]
    assert port == {"name": monitor["spec"]["endpoints"][0]["port"], "port": 9464}


def test_manifests_are_named_and_labelled_as_asked(capsys: pytest.CaptureFixture[str], budgets: Path) -> None:
    asked = (
        "--namespace",
        "monitoring",
        "--label",
        "release=prometheus",
        "--label",
        "example.com/team=a-b.c",
        "--label",
        "on=1",
    )
    links = ("--runbook-url", "https://wiki.example.com/or", "--grafana-url", "https://grafana.example.com")
    made = manifests(capsys, *asked, *links, "--budgets", budgets)
    for one in made:
        assert one["metadata"]["namespace"] == "monitoring"
        assert (
            one["metadata"]["labels"].items()
            >= {"release": "prometheus", "example.com/team": "a-b.c", "on": "1"}.items()
        )
    (own,) = [one["spec"] for one in made if one["metadata"]["name"] == "openrouter-budgets"]
    assert own == yaml.safe_load(BUDGET_RULES)
    (spec,) = [one["spec"] for one in made if one["metadata"]["name"] == "openrouter-alerts"]
    for alert in alerts(spec):
        assert alert["annotations"]["runbook_url"] == f"https://wiki.example.com/or#{alert['alert'].lower()}"
        assert alert["annotations"]["dashboard_url"].startswith("https://grafana.example.com/d/")


def test_manifests_without_rules_have_the_boards_that_need_none(capsys: pytest.CaptureFixture[str]) -> None:
    made = manifests(capsys, "--raw")
    assert {one["kind"] for one in made} == {"ServiceMonitor", "ConfigMap"}
    texts = {name: text for one in made for name, text in one.get("data", {}).items()}
    assert texts == {
        path.name: path.read_text("utf-8") for path in (ROOT / "grafana" / "dashboards-raw").glob("*.json")
    }


def test_promtool_takes_the_rules_of_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], budgets: Path
) -> None:
    names = []
    for one in manifests(capsys, "--budgets", budgets):
        if one["kind"] == "PrometheusRule":
            names.append(tmp_path / f"{one['metadata']['name']}.yml")
            names[-1].write_text(yaml.safe_dump(one["spec"]), encoding="utf-8")
    assert len(names) == 4
    command = [str(binary("promtool")), "check", "rules", "--lint=all", "--lint-fatal", *map(str, names)]
    check = subprocess.run(command, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr


def test_files_can_be_read_by_the_containers(tmp_path: Path) -> None:
    """They run as others than whoever wrote them."""
    assert stack(tmp_path) == 0
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & stat.S_IROTH


def manifests(capsys: pytest.CaptureFixture[str], *options: object) -> list[Yaml]:
    assert stack("--k8s", *options) == 0
    return list(yaml.safe_load_all(capsys.readouterr().out))


def alerts(rules: Yaml) -> list[Yaml]:
    return [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
