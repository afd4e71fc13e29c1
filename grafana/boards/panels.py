"""How things look: one factory a kind of panel, so that all boards speak one visual language.

Only kinds that the rendering harness can truly draw: stat, timeseries, bargauge, table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders import common as common_build
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus as prometheus_build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from .frame import DATASOURCE, narrowed

Panel = Builder[model.Panel]

USD = units.Dollars
SECONDS = units.Seconds
SHARE = units.PercentUnit
COUNT = units.Short
EVERY_ONE = units.LocaleFormat  # 1,234 and not 1.23 K

NOTHING = "–"  # noqa: RUF001 - a dash, not a minus sign: there is no number
HOME = "overview"  # the board that a click on a model or a user narrows

# Colours that mean something; everything else takes Grafana's palette.
NEUTRAL = "text"
MONEY = "blue"

Steps = Sequence[tuple[float | None, str]]
ERROR_STEPS: Steps = ((None, "green"), (0.01, "yellow"), (0.05, "red"))
NONE_IS_GOOD: Steps = ((None, "green"), (1, "yellow"))

# Fixed sizes: Grafana's own choice makes every figure of a row as big as its own panel allows.
FIGURE_SIZE = 30
LABEL_SIZE = 13
COLUMN_WIDTH = 112  # what is left of the table belongs to the names

LEGEND_ORDER = "Total"  # the heading of the only figure that our legends show

# Wide enough for a bar to be seen and a percentile to be meant: 24 hours become half-hours, 30 days half-days.
BARS_A_CHART = 48
FINEST_STEP = "1m"


@dataclass(frozen=True)
class Series:
    """One query of a chart and the name of its line; `{{label}}` in it is the label's value."""

    expr: str
    name: str


@dataclass(frozen=True)
class Column:
    """One figure of a table, for each of its rows."""

    title: str
    expr: str
    unit: str


def number(
    title: str,
    why: str,
    expr: str,
    unit: str,
    *,
    width: int,
    steps: Steps = ((None, NEUTRAL),),
) -> stat.Panel:
    """One figure for the selected range."""
    return (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(DATASOURCE)
        .height(4)
        .span(width)
        .unit(unit)
        .no_value(NOTHING)
        .thresholds(_thresholds(steps))
        .color_mode(kinds.BigValueColorMode.VALUE)
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .text(common_build.VizTextDisplayOptions().value_size(FIGURE_SIZE))
        .reduce_options(_last())
        .with_target(_query(expr, NOTHING).instant())
    )


def bars(
    title: str,
    why: str,
    series: Sequence[Series],
    unit: str,
    *,
    width: int,
    height: int = 8,
    narrow: str | None = None,
    colors: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """Amounts per step, stacked; they sum up to the figure for the whole range."""
    return (
        _chart(title, why, series, unit, width, height, narrow, colors)
        .draw_style(kinds.GraphDrawStyle.BARS)
        .bar_alignment(kinds.BarAlignment.AFTER)  # a point counts what happened in the step that it begins
        .bar_width_factor(0.85)
        .line_width(0)
        .show_points(kinds.VisibilityMode.NEVER)
        .fill_opacity(85)
        .stacking(common_build.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
    )


def lines(
    title: str,
    why: str,
    series: Sequence[Series],
    unit: str,
    *,
    width: int,
    height: int = 8,
    narrow: str | None = None,
    colors: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """Levels over time."""
    return (
        _chart(title, why, series, unit, width, height, narrow, colors).line_width(2).fill_opacity(0).span_nulls(True)
    )


def ranking(title: str, why: str, expr: str, name: str, unit: str, *, width: int, height: int = 8) -> bargauge.Panel:
    """The largest of something, one bar each; a click narrows the board to it."""
    return (
        bargauge.Panel()
        .title(title)
        .description(why)
        .datasource(DATASOURCE)
        .height(height)
        .span(width)
        .unit(unit)
        .min(0)
        .no_value(NOTHING)
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .value_mode(kinds.BarGaugeValueMode.TEXT)
        .name_placement(kinds.BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)
        .sizing(kinds.BarGaugeSizing.MANUAL)
        .min_viz_height(16)
        .max_viz_height(28)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(MONEY))
        .text(common_build.VizTextDisplayOptions().value_size(LABEL_SIZE))
        .reduce_options(_last())
        .with_target(_query(expr, f"{{{{{name}}}}}").instant())
        .data_links([_narrowing_link(name)])
    )


def scorecard(title: str, why: str, key: str, columns: Sequence[Column], *, height: int) -> table.Panel:
    """One row for each value of the label `key`, sorted by the first column."""
    heading = key.capitalize()
    names = {key: heading}
    order = {key: 0}
    panel = (
        table.Panel()
        .title(title)
        .description(why)
        .datasource(DATASOURCE)
        .height(height)
        .span(24)  # figures side by side need the whole width of a small screen
        .no_value(NOTHING)
        .sort_by([common_build.TableSortByFieldState().display_name(columns[0].title).desc(True)])
    )
    for place, column in enumerate(columns):
        ref = chr(ord("A") + place)
        names[f"Value #{ref}"] = column.title
        order[f"Value #{ref}"] = place + 1
        panel = panel.with_target(_query(column.expr, NOTHING, ref).instant().format(PromQueryFormat.TABLE))
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": {"Time": True}, "includeByName": {}, "indexByName": order, "renameByName": names},
        )
    )
    link = {"title": f"Only this {key}", "url": narrowed(HOME, key, f"${{__data.fields.{heading}:percentencode}}")}
    panel = panel.override_by_name(heading, [_property("links", [link])])
    for column in columns:
        panel = panel.override_by_name(
            column.title,
            [
                _property("unit", column.unit),
                _property("custom.width", COLUMN_WIDTH),
                _property("custom.align", "right"),
            ],
        )
    return panel


def _chart(
    title: str,
    why: str,
    series: Sequence[Series],
    unit: str,
    width: int,
    height: int,
    narrow: str | None,
    colors: Mapping[str, str] | None,
) -> timeseries.Panel:
    beside = width > 12
    panel = (
        timeseries.Panel()
        .title(title)
        .description(why)
        .datasource(DATASOURCE)
        .height(height)
        .span(width)
        .unit(unit)
        .min(0)
        .no_value(NOTHING)
        .max_data_points(BARS_A_CHART)
        .interval(FINEST_STEP)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common_build.VizLegendOptions()
            .show_legend(True)
            .display_mode(kinds.LegendDisplayMode.TABLE if beside else kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.RIGHT if beside else kinds.LegendPlacement.BOTTOM)
            .calcs(["sum"] if beside else [])
            .sort_by(LEGEND_ORDER)
            .sort_desc(True)
        )
        .tooltip(common_build.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )
    for place, one in enumerate(series):
        panel = panel.with_target(_query(one.expr, one.name, chr(ord("A") + place)).range())
    for name, color in (colors or {}).items():
        panel = panel.override_by_name(name, [_property("color", {"mode": "fixed", "fixedColor": color})])
    return panel.data_links([_narrowing_link(narrow)]) if narrow else panel


def _query(expr: str, name: str, ref: str = "A") -> prometheus_build.Dataquery:
    return (
        prometheus_build.Dataquery()
        .datasource(DATASOURCE)
        .expr(expr)
        .legend_format(name)
        .ref_id(ref)
        .editor_mode(QueryEditorMode.CODE)
    )


def _last() -> common_build.ReduceDataOptions:
    return common_build.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


def _narrowing_link(variable: str) -> build.DashboardLink:
    return (
        build.DashboardLink(f"Only this {variable}")
        .type(model.DashboardLinkType.LINK)
        .url(narrowed(HOME, variable, f"${{__field.labels.{variable}:percentencode}}"))
    )


def _property(name: str, value: Any) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)
