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

from grafana_queries import DASHBOARDS, Json, boards, panels, targets
from openrouter_otel import names

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

METRICS = {metric.prometheus: metric for metric in names.METRICS}
EXPOSED = {
    f"{name}{suffix}": metric
    for name, metric in METRICS.items()
    for suffix in (("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",))
}

each_board = pytest.mark.parametrize("board", [pytest.param(board, id=board["uid"]) for board in boards()])
each_panel = pytest.mark.parametrize(
    "panel",
    [pytest.param(panel, id=f"{board['uid']}-{panel['title']}") for board in boards() for panel in panels(board)],
)
each_query = pytest.mark.parametrize(
    "expr",
    [
        pytest.param(target["expr"], id=f"{board['uid']}-{panel['title']}-{target['refId']}")
        for board in boards()
        for panel, target in targets(board)
    ],
)


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grafana.boards", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the SDK that generates the boards needs Python 3.11")
def test_the_committed_boards_are_what_the_program_writes() -> None:
    check = generate("--check")
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
    starts = [re.search(r"from=([^&]+)&to=now$", link["url"]) for link in board["links"]]
    assert [start and start[1] for start in starts] == ["now/d", "now/w", "now/M", "now-30d"]
    assert all(link["includeVars"] for link in board["links"])


@each_board
def test_panels_have_ids_and_a_place_of_their_own(board: Json) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    assert len(panels(board)) <= 16
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
    figures = {name for column, name in organize["renameByName"].items() if column.startswith("Value #")}
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
        assert ("$__interval" in target["expr"]) == over_time
        assert ("$__range" in target["expr"]) != over_time


@each_query
def test_queries_name_only_what_the_package_exports(expr: str) -> None:
    selectors = re.findall(r"\b([a-z]\w*)\{([^}]*)\}", expr)
    assert selectors
    known = {names.label(one) for metric in names.METRICS for one in (*names.BASE, *metric.attributes)}
    known |= set(VARIABLES.values()) | {"le"}
    for name, matchers in selectors:
        assert name in EXPOSED
        assert {matcher.partition("=")[0].rstrip("!") for matcher in matchers.split(",")} <= known
    for grouping in re.findall(r"\bby \(([^)]*)\)", expr):
        assert set(re.split(r",\s*", grouping)) <= known


@each_query
def test_every_filter_applies_to_every_query(expr: str) -> None:
    for name, matchers in re.findall(r"\b(openrouter_\w+)\{([^}]*)\}", expr):
        applied = dict(re.findall(r'(\w+)=~"\$(\w+)"', matchers))
        wanted = {label: variable for variable, label in VARIABLES.items()}
        if not EXPOSED[name].user:
            del wanted["user"]  # this metric is not kept by user; the panel's description says so
        assert applied == wanted


@each_query
def test_counters_are_counted_exactly(expr: str) -> None:
    """Births included, processes seen twice merged; ``increase()`` and ``rate()`` can do neither."""
    assert not re.search(r"\b(?:increase|rate|irate|delta|idelta)\(", expr)
    selectors = re.findall(r"\bopenrouter_\w+\{", expr)
    merged = re.findall(r"max without \([^)]*\binstance\b[^)]*\bjob\b[^)]*\) \(last_over_time\(openrouter_\w+\{", expr)
    assert len(merged) == len(selectors)
    without = {label for group in re.findall(r"without \(([^)]*)\)", expr) for label in group.split(", ")}
    assert not without & {names.label(name) for name in names.BASE}


@each_query
def test_nothing_is_divided_by_zero(expr: str) -> None:
    bare = re.sub(r"\{[^}]*\}", "", expr)
    for division in re.finditer(r" / ", bare):
        denominator = balanced(bare[division.end() :])
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
