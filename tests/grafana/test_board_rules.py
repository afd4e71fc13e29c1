"""What every committed board keeps: Grafana's dashboard-linter's rules, and our own.

The first of them is that the files are what ``python -m grafana.boards`` writes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grafana_queries import DASHBOARDS, RAW, Json, boards, panels, targets
from openrouter_otel import names
from rule_worlds import ALERTS, RULES, rules

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"stat", "timeseries", "bargauge", "table"}  # what the rendering harness can truly draw
VARIABLES = {
    "environment": "deployment_environment_name",
    "service": "service_name",
    "provider": "provider",
    "model": "model",
    "user": "user",
}
AGGREGATES = r"\b(?:sum|avg|min|max|count|topk|bottomk|quantile|stddev)\b(?:\s+(?:by|without)\s*\([^)]*\))?\s*"
SERIES = re.compile(r"\b(openrouter_\w+)\{")

EXPORTED = (*names.METRICS, *names.EXPORTER_METRICS)
EXPOSED = {
    f"{metric.prometheus}{suffix}": metric
    for metric in EXPORTED
    for suffix in (("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",))
}
RECORDED = {rule["record"]: rule for file in RULES.glob("*.yml") if file != ALERTS for rule in rules(file)}

EVERY_BOARD = [(folder.name, board) for folder in (DASHBOARDS, RAW) for board in boards(folder)]
EVERY_PANEL = [(flavour, board, panel) for flavour, board in EVERY_BOARD for panel in panels(board)]

each_board = pytest.mark.parametrize(
    "board", [pytest.param(board, id=f"{flavour}-{board['uid']}") for flavour, board in EVERY_BOARD]
)
each_panel = pytest.mark.parametrize(
    "panel",
    [pytest.param(panel, id=f"{flavour}-{board['uid']}-{panel['title']}") for flavour, board, panel in EVERY_PANEL],
)
each_query = pytest.mark.parametrize(
    "expr",
    [
        pytest.param(target["expr"], id=f"{flavour}-{board['uid']}-{panel['title']}-{target['refId']}")
        for flavour, board, panel in EVERY_PANEL
        for target in panel["targets"]
    ],
)
# The only panel that shows how it should not be done, and says so.
BAD_EXAMPLE = "Counted exactly, and by increase()"


def generate(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"grafana.{program}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the SDK that generates the boards needs Python 3.11")
@pytest.mark.parametrize("program", ["boards", "rules"])
def test_the_committed_files_are_what_the_program_writes(program: str) -> None:
    check = generate(program, "--check")
    assert (check.returncode, check.stderr) == (0, "")


@each_board
def test_a_board_is_classic_json_that_nobody_edits_by_hand(board: Json) -> None:
    assert board["schemaVersion"] == 42
    assert board["editable"] is False
    assert (DASHBOARDS / f"{board['uid']}.json").exists()
    assert board["uid"].startswith("openrouter-")
    assert {"openrouter", "generated"} == set(board["tags"])
    assert board["weekStart"] == "monday"
    assert board["description"].endswith("?")
    assert "id" not in board
    assert "version" not in board


@each_board
def test_the_data_source_is_the_readers_choice(board: Json) -> None:
    (source,) = [one for one in board["templating"]["list"] if one["type"] == "datasource"]
    assert (source["name"], source["query"]) == ("datasource", "prometheus")
    for holder in [*panels(board), *(target for _, target in targets(board))]:
        assert holder["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@each_board
def test_every_filter_offers_what_the_range_has_and_all(board: Json) -> None:
    queries = {one["name"]: one for one in board["templating"]["list"] if one["type"] == "query"}
    assert list(queries) == list(VARIABLES)
    for name, variable in queries.items():
        assert variable["query"].endswith(f", {VARIABLES[name]})")
        assert set(SERIES.findall(variable["query"])) <= set(EXPOSED)
        assert variable["datasource"]["uid"] == "${datasource}"
        assert variable["refresh"] == 2  # on every change of the time range
        assert variable["multi"]
        assert variable["includeAll"]
        assert variable["allValue"] == ".*"  # series without the label count too
        assert variable["current"]["value"] == "$__all"


@each_board
def test_links_lead_to_boards_that_exist(board: Json) -> None:
    uids = {other["uid"] for other in boards()}
    targets_of_links = set(re.findall(r"/d/([\w-]+)", json.dumps(board)))
    assert targets_of_links
    assert targets_of_links <= uids
    others, *ranges = board["links"]
    assert (others["type"], others["tags"], others["asDropdown"], others["keepTime"]) == (
        "dashboards",
        ["openrouter"],
        True,
        True,
    )
    starts = [re.search(r"from=([^&]+)&to=now$", link["url"]) for link in ranges]
    assert [start and start[1] for start in starts] == ["now/d", "now/w", "now/M", "now-30d"]
    assert all(link["includeVars"] for link in board["links"])


@each_board
def test_panels_have_ids_and_a_place_of_their_own(board: Json) -> None:
    ids = [inner["id"] for panel in board["panels"] for inner in (panel, *panel.get("panels", []))]
    assert ids == list(range(1, len(ids) + 1))
    assert len([panel for panel in board["panels"] if panel["type"] != "row"]) <= 16
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken
        taken |= cells


@each_panel
def test_a_panel_says_what_it_answers_in_which_unit(panel: Json) -> None:
    assert panel["type"] in KINDS
    assert panel["title"]
    question, _, counting = panel["description"].partition("?")
    assert question
    assert len(counting) > 20
    assert panel["targets"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"] == "–"  # noqa: RUF001 - the dash is what is shown
    if panel["type"] != "table":
        assert defaults["unit"]


@each_panel
def test_every_figure_of_a_table_has_a_unit(panel: Json) -> None:
    if panel["type"] != "table":
        return
    (organize,) = [step["options"] for step in panel["transformations"] if step["id"] == "organize"]
    units = {
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        if any(setting["id"] == "unit" for setting in override["properties"])
    }
    figures = {name for column, name in organize["renameByName"].items() if column.startswith("Value")}
    assert figures == units
    assert len(figures) == len(panel["targets"])


@each_panel
def test_a_figure_is_asked_for_once_and_a_chart_over_time(panel: Json) -> None:
    refs = [target["refId"] for target in panel["targets"]]
    assert len(refs) == len(set(refs))
    for target in panel["targets"]:
        over_time = panel["type"] == "timeseries"
        assert bool(target.get("range")) == over_time
        assert bool(target.get("instant")) != over_time
        counters = {name for name in SERIES.findall(target["expr"]) if EXPOSED[name].kind != "gauge"}
        if counters:
            assert ("$__interval" in target["expr"]) == over_time
            # The whole range in a chart is only ever the same for all of its steps.
            ranges = target["expr"].count("$__range")
            assert ranges == target["expr"].count("@ end()") if over_time else ranges


@each_panel
def test_every_model_and_user_leads_to_its_board(panel: Json) -> None:
    text = json.dumps(panel)
    names_one = [label for label in ("model", "user") if f'"{{{{{label}}}}}"' in text]
    if panel["type"] == "table":
        (organize,) = [step["options"] for step in panel["transformations"] if step["id"] == "organize"]
        names_one = [label for label in ("model", "user") if organize["indexByName"].get(label) == 0]
    for label in names_one:
        assert f"/d/openrouter-{label}s?" in text
        assert f"&var-{label}=" in text


@each_query
def test_queries_name_only_what_is_exported_or_recorded(expr: str) -> None:
    used = set(re.findall(r"\bopenrouter[_:][\w:]+", expr))
    assert used <= {*EXPOSED, *RECORDED} or "__name__" in expr
    known = {names.label(one) for metric in EXPORTED for one in (*names.BASE, *metric.attributes)}
    known |= set(VARIABLES.values()) | {"le", "of", "budget", "__name__"}
    for matchers in re.findall(r"(?<!\$)\{([^}]*)\}", expr):
        assert {re.split(r"[=!]", matcher)[0] for matcher in matchers.split(",")} <= known
    for grouping in re.findall(r"\bby \(([^)]*)\)", expr):
        assert set(re.split(r",\s*", grouping)) <= known


def test_what_is_exported_or_recorded_is_used() -> None:
    """A metric without a panel or a rule is a metric that nobody sees."""
    everything = "".join(target["expr"] for board in boards() for _, target in targets(board))
    everything += "".join(rule["expr"] for file in RULES.glob("*.yml") for rule in rules(file))
    used = set(re.findall(r"\bopenrouter[_:][\w:]+", everything))
    assert {metric.prometheus for metric in EXPORTED} <= {EXPOSED[name].prometheus for name in used if name in EXPOSED}
    assert set(RECORDED) <= used


def test_rules_name_only_what_is_exported_or_recorded() -> None:
    for file in RULES.glob("*.yml"):
        for rule in rules(file):
            assert set(re.findall(r"\bopenrouter[_:][\w:]+", rule["expr"])) <= {*EXPOSED, *RECORDED}


@each_panel
def test_what_is_nobody_in_particular_leads_nowhere(panel: Json) -> None:
    """A click on `all others` would open the board of a model without a name."""
    if panel["type"] != "timeseries":
        return
    assert "links" not in panel["fieldConfig"]["defaults"]  # Grafana adds those of overrides to them
    overrides = panel["fieldConfig"]["overrides"]
    linked = {one["matcher"]["options"] for one in overrides if any(p["id"] == "links" for p in one["properties"])}
    assert all("{{" in target["legendFormat"] for target in panel["targets"] if target["refId"] in linked)


def test_every_rule_of_the_linter_that_is_left_out_has_a_reason() -> None:
    excluded, raw = (
        yaml.safe_load((folder / ".lint").read_text("utf-8"))["exclusions"] for folder in (DASHBOARDS, RAW)
    )
    assert excluded == raw
    for rule in excluded.values():
        assert rule["reason"].endswith(".")


def test_raw_boards_need_no_rules() -> None:
    """They have every panel of the others that does not need one, and the same addresses."""
    for board, raw in zip(boards(), boards(RAW), strict=True):
        assert board["uid"] == raw["uid"]
        assert "openrouter:" not in json.dumps(raw)
        assert raw["annotations"]["list"] == []
        without = [p for p in panels(board) if not any("openrouter:" in t["expr"] for t in p["targets"])]
        assert [panel["title"] for panel in without] == [panel["title"] for panel in panels(raw)]


def test_firing_alerts_are_marked_on_every_board() -> None:
    for board in boards():
        (mark,) = board["annotations"]["list"]
        assert mark["enable"]
        assert mark["expr"] == 'ALERTS{alertname=~"OpenRouter.+",alertstate="firing"}'
        assert mark["titleFormat"] == "{{alertname}}"
    assert all(rule["alert"].startswith("OpenRouter") for rule in rules(ALERTS))


@each_query
def test_every_filter_applies_to_every_query(expr: str) -> None:
    for name, matchers in re.findall(r"\b(openrouter_\w+)\{([^}]*)\}", expr):
        applied = dict(re.findall(r'(\w+)=~"\$(\w+)"', matchers))
        wanted = {label: variable for variable, label in VARIABLES.items()}
        metric = EXPOSED[name]
        if not metric.user:
            del wanted["user"]  # this metric is not kept by user; the panel's description says so
        if metric in names.PROCESS_METRICS:
            wanted = {label: variable for label, variable in wanted.items() if variable in ("environment", "service")}
        assert applied == ({} if metric in names.ACCOUNT_METRICS else wanted)


@each_panel
def test_counters_are_counted_exactly(panel: Json) -> None:
    """Births included, processes seen twice merged; ``increase()`` and ``rate()`` can do neither."""
    for target in panel["targets"]:
        expr = target["expr"]
        if panel["title"] == BAD_EXAMPLE and target["refId"] == "B":
            continue
        assert not re.search(r"\b(?:increase|rate|irate|delta|idelta)\(", expr)
        if "resets(" in expr:
            continue
        counters = [name for name in SERIES.findall(expr) if EXPOSED[name].kind != "gauge"]
        merged = re.findall(r"max without \([^)]*\binstance\b[^)]*\bjob\b[^)]*\) \(last_over_time\((\w+)\{", expr)
        assert merged == counters
        without = {label for group in re.findall(r"without \(([^)]*)\)", expr) for label in group.split(", ")}
        assert not without & {names.label(name) for name in names.BASE}


@each_query
def test_nothing_is_divided_by_zero(expr: str) -> None:
    bare = re.sub(r"\{[^}]*\}", "", expr)
    for division in re.finditer(r" / ", bare):
        rest = re.sub(r"^on \(\) (group_left \(\) )?", "", bare[division.end() :])
        if re.match(r"[1-9]\d*\b", rest):
            continue
        denominator = balanced(rest)
        assert denominator.endswith(" > 0)"), denominator


@each_query
def test_no_quantile_is_averaged(expr: str) -> None:
    assert not re.search(AGGREGATES + r"\(\s*histogram_quantile", expr)


def balanced(text: str) -> str:
    """The bracketed expression that `text` begins with."""
    assert text.startswith("(")
    depth = 0
    for place, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return text[: place + 1]
    raise AssertionError(f"unbalanced: {text}")
