"""What every board has around its panels: variables, time ranges, ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model

from openrouter_otel import names

from .promql import FILTERS

DATASOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${datasource}")
UID_PREFIX = "openrouter-"
EVERYTHING = ".*"  # matches series without the label as well; Grafana's own "All" would not

RECORDED = "openrouter:"  # how the names of series begin that our rules record
FIRING = 'ALERTS{alertname=~"OpenRouter.+",alertstate="firing"}'

Panel = Builder[model.Panel]

TIME_RANGES: Mapping[str, str] = {
    "Today": "now/d",
    "This week": "now/w",
    "This month": "now/M",
    "Last 30 days": "now-30d",
}


@dataclass(frozen=True)
class Row:
    """A heading and its panels; `folded` ones are asked for only when somebody unfolds them."""

    heading: str
    panels: Sequence[Panel]
    folded: bool = False


@dataclass(frozen=True)
class Board:
    """A board before it is laid out."""

    name: str
    title: str
    question: str
    rows: Sequence[Row]
    since: str = "now-24h"
    refresh: str = "1m"


def laid_out(board: Board, rules: bool) -> build.Dashboard:
    """The board; without `rules` it has only what the counters themselves can answer."""
    frame = _frame(board, rules)
    for row in board.rows:
        panels = [panel for panel in row.panels if rules or not _needs_rules(panel)]
        if not panels:
            continue
        heading = build.Row(row.heading)
        if row.folded:
            for panel in panels:
                heading = heading.with_panel(panel)
            frame = frame.with_row(heading.collapsed(True))
            continue
        frame = frame.with_row(heading)
        for panel in panels:
            frame = frame.with_panel(panel)
    return frame


def _needs_rules(panel: Panel) -> bool:
    return any(RECORDED in str(getattr(target, "expr", "")) for target in panel.build().targets or [])


def _frame(board: Board, rules: bool) -> build.Dashboard:
    """An empty board with the variables and links that all of ours share."""
    uid = UID_PREFIX + board.name
    frame = (
        build.Dashboard(f"OpenRouter / {board.title}")
        .uid(uid)
        .description(board.question)
        .tags(["openrouter", "generated"])
        .time(board.since, "now")
        .refresh(board.refresh)
        .timezone("browser")
        .week_start("monday")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in _filter_variables():
        frame = frame.with_variable(variable)
    if rules:
        frame = frame.annotation(_firing())
    frame = frame.link(
        build.DashboardLink("OpenRouter boards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["openrouter"])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
        .tooltip("The other boards, time and filters kept")
    )
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


def _firing() -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("red")
        .expr(FIRING)
        .title_format("{{alertname}}")
        .text_format("{{severity}}")
        .step("1m")
    )


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
    number = 0
    for panel in finished["panels"]:
        for one in (panel, *panel.get("panels", [])):
            number += 1
            one["id"] = number
    return json.dumps(finished, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
