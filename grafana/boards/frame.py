"""What every board has around its panels: variables, time ranges, ids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model

from openrouter_otel import names

from .promql import FILTERS

DATASOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${datasource}")
UID_PREFIX = "openrouter-"
EVERYTHING = ".*"  # matches series without the label as well; Grafana's own "All" would not

TIME_RANGES: Mapping[str, str] = {
    "Today": "now/d",
    "This week": "now/w",
    "This month": "now/M",
    "Last 30 days": "now-30d",
}


def board(name: str, title: str, question: str, since: str = "now-24h", refresh: str = "1m") -> build.Dashboard:
    """An empty board with the variables and links that all of ours share."""
    uid = UID_PREFIX + name
    frame = (
        build.Dashboard(f"OpenRouter / {title}")
        .uid(uid)
        .description(question)
        .tags(["openrouter", "generated"])
        .time(since, "now")
        .refresh(refresh)
        .timezone("browser")
        .week_start("monday")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in _filter_variables():
        frame = frame.with_variable(variable)
    for text, start in TIME_RANGES.items():
        frame = frame.link(
            build.DashboardLink(text)
            .type(model.DashboardLinkType.LINK)
            .icon("external link")
            .url(f"/d/{uid}?from={start}&to=now")
            .include_vars(True)
            .tooltip(f"This board, {text.lower()}, with the filters kept")
        )
    return frame


def _filter_variables() -> list[build.QueryVariable]:
    """One variable a filter; each offers only what is left by those before it."""
    variables = []
    chosen: list[str] = []
    for variable, name in FILTERS.items():
        variables.append(
            build.QueryVariable(variable)
            .label(variable.capitalize())
            .datasource(DATASOURCE)
            .query(f"label_values({names.REQUESTS.prometheus}{{{','.join(chosen)}}}, {name})")
            .multi(True)
            .include_all(True)
            .all_value(EVERYTHING)
            .current(model.VariableOption(text="All", value="$__all"))
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        )
        chosen.append(f'{name}=~"${variable}"')
    return variables


def narrowed(board_name: str, variable: str, value: str) -> str:
    """The address of a board, time and filters kept, narrowed to one value of one filter."""
    kept = [f"${{{other}:queryparam}}" for other in ("datasource", *FILTERS) if other != variable]
    return f"/d/{UID_PREFIX}{board_name}?${{__url_time_range}}&{'&'.join(kept)}&var-{variable}={value}"


def as_json(frame: build.Dashboard) -> str:
    """The board as classic JSON, the same bytes on every run."""
    finished: dict[str, Any] = json.loads(JSONEncoder(sort_keys=True).encode(frame.build()))
    finished["annotations"].setdefault("list", [])
    for link in finished["links"]:
        del link["placement"]  # the SDK's only value hides links in a menu; without it they stand above the panels
    # The SDK leaves panel ids out and gives every row id 0, but links, `viewPanel` and alerts point at ids.
    for number, panel in enumerate(finished["panels"], 1):
        panel["id"] = number
    return json.dumps(finished, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
