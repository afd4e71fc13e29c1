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
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from .frame import DATASOURCE, narrowed

USD = units.Dollars
SECONDS = units.Seconds
SHARE = units.PercentUnit
TIMES = units.Short  # a factor, a rate: a plain number
DATE = units.DateTimeFromNow
COUNT = units.Short
EVERY_ONE = units.LocaleFormat  # 1,234 and not 1.23 K

NOTHING = "–"  # noqa: RUF001 - a dash, not a minus sign: there is no number
DETAILS = {"model": "models", "provider": "models", "user": "users"}  # the board that a click on one leads to

# Colours that mean something; everything else takes Grafana's palette, whose plain yellow cannot be read on white.
NEUTRAL = "text"
MONEY = "blue"

Steps = Sequence[tuple[float | None, str]]
ERROR_STEPS: Steps = ((None, "green"), (0.01, "orange"), (0.05, "red"))
USED_STEPS: Steps = ((None, "green"), (0.5, "dark-yellow"), (0.8, "orange"), (1, "red"))
OVER_STEPS: Steps = ((None, "green"), (1, "red"))
NONE_IS_GOOD: Steps = ((None, "green"), (1, "orange"))

# Fixed sizes: Grafana's own choice makes every figure of a row as big as its own panel allows.
FIGURE_SIZE = 30
LABEL_SIZE = 13
TITLE_SIZE = 12
COLUMN_WIDTH = 96  # what is left of the table belongs to the names; of nine columns on a small screen a quarter

# The heading of the only figure that our legends show.
LEGEND_ORDER = {"sum": "Total", "lastNotNull": "Last *"}

# Wide enough for a bar to be seen and a percentile to be meant: 24 hours become half-hours, 30 days half-days.
BARS_A_CHART = 48
FINEST_STEP = "1m"


@dataclass(frozen=True)
class Series:
    """One query of a chart and the name of its line; `{{label}}` in it is the label's value.

    Attributes:
        unnamed: it is there so that a quiet time is drawn as zero, and is in no legend.
    """

    expr: str
    name: str
    unnamed: bool = False


@dataclass(frozen=True)
class Column:
    """One figure of a table, for each of its rows."""

    title: str
    expr: str
    unit: str
    steps: Steps | None = None


def number(
    title: str,
    why: str,
    expr: str,
    unit: str,
    *,
    width: int,
    height: int = 4,
    steps: Steps = ((None, NEUTRAL),),
    since: str | None = None,
) -> stat.Panel:
    """One figure for the selected range, or since a moment of its own, as in ``now/d``."""
    panel = (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(DATASOURCE)
        .height(height)
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
    return panel.time_from(since) if since else panel


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
    finest: str = FINEST_STEP,
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
        .interval(finest)
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
    steps: Steps | None = None,
    points: int = BARS_A_CHART,
) -> timeseries.Panel:
    """Levels over time in at most so many `points`; `steps` are drawn as lines."""
    panel = (
        _chart(title, why, series, unit, width, height, narrow, colors, "lastNotNull")
        .line_width(2)
        .fill_opacity(0)
        .max_data_points(points)
        .span_nulls(False)  # no line through hours in which nothing was called: nobody knows what it would have been
    )
    if steps is None:
        return panel
    dashed = common_build.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(_thresholds(steps)).thresholds_style(dashed)


def ranking(
    title: str,
    why: str,
    expr: str,
    name: str,
    unit: str,
    *,
    width: int,
    height: int = 8,
    narrow: str | None = None,
    long_names: bool = False,
) -> bargauge.Panel:
    """The largest of something, one bar each, called by what `name` makes of its labels; a click leads to `narrow`.

    Names stand beside the bars, where Grafana cuts what is longer than two fifths of the panel; `long_names` stand
    above them.
    """
    placement = kinds.BarGaugeNamePlacement.TOP if long_names else kinds.BarGaugeNamePlacement.LEFT
    text = common_build.VizTextDisplayOptions().value_size(LABEL_SIZE)
    panel = (
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
        .name_placement(placement)
        .show_unfilled(False)
        .sizing(kinds.BarGaugeSizing.MANUAL)
        .min_viz_height(30 if long_names else 16)
        .max_viz_height(40 if long_names else 28)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(MONEY))
        .text(text.title_size(TITLE_SIZE) if long_names else text)
        .reduce_options(_last())
        .with_target(_query(expr, name).instant())
    )
    return panel.data_links([_narrowing_link(narrow)]) if narrow else panel


def scorecard(
    title: str,
    why: str,
    key: str,
    columns: Sequence[Column],
    *,
    height: int,
    width: int = 24,  # figures side by side need the whole width of a small screen
    beside: Sequence[str] = (),
) -> table.Panel:
    """One row for each value of the label `key`, sorted by the first column; labels `beside` it are shown too."""
    heading = _heading(key)
    shown = {name: _heading(name) for name in (key, *beside)}
    order = {name: place for place, name in enumerate(shown)}
    panel = (
        table.Panel()
        .title(title)
        .description(why)
        .datasource(DATASOURCE)
        .height(height)
        .span(width)
        .no_value(NOTHING)
        .sort_by([common_build.TableSortByFieldState().display_name(columns[0].title).desc(True)])
    )
    for place, column in enumerate(columns):
        ref = chr(ord("A") + place)
        value = f"Value #{ref}" if len(columns) > 1 else "Value"  # as Grafana names it
        shown[value] = column.title
        order[value] = place + 1 + len(beside)
        panel = panel.with_target(_query(column.expr, NOTHING, ref).instant().format(PromQueryFormat.TABLE))
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": {"Time": True}, "includeByName": {}, "indexByName": order, "renameByName": shown},
        )
    )
    for name in (key, *beside):
        looks = [_property("custom.wrapText", True)]  # else the end of a long name would be out of sight
        if name == key in DETAILS:
            looks.append(_property("links", [_row_link(key, heading)]))
        panel = panel.override_by_name(_heading(name), looks)
    for column in columns:
        looks = [
            _property("unit", column.unit),
            _property("custom.width", COLUMN_WIDTH),
            _property("custom.align", "right"),
        ]
        if column.steps is not None:
            steps = [{"value": value, "color": color} for value, color in column.steps]
            looks += [
                _property("thresholds", {"mode": "absolute", "steps": steps}),
                _property("custom.cellOptions", {"type": "color-text"}),
            ]
        panel = panel.override_by_name(column.title, looks)
    return panel


def _heading(label: str) -> str:
    return label.replace("_", " ").capitalize()


def _row_link(key: str, heading: str) -> dict[str, str]:
    url = narrowed(DETAILS[key], key, f"${{__data.fields.{heading}:percentencode}}")
    return {"title": f"This {key} in detail", "url": url}


def _chart(
    title: str,
    why: str,
    series: Sequence[Series],
    unit: str,
    width: int,
    height: int,
    narrow: str | None,
    colors: Mapping[str, str] | None,
    calculated: str = "sum",
) -> timeseries.Panel:
    beside = width > 16
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
            .calcs([calculated] if beside else [])
            .sort_by(LEGEND_ORDER[calculated])
            .sort_desc(True)
        )
        .tooltip(common_build.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )
    for place, one in enumerate(series):
        panel = panel.with_target(_query(one.expr, one.name, chr(ord("A") + place)).range())
    for name, color in (colors or {}).items():
        panel = panel.override_by_name(name, [_property("color", {"mode": "fixed", "fixedColor": color})])
    for place, one in enumerate(series):
        if one.unnamed:
            nowhere = {"legend": True, "tooltip": True, "viz": False}
            panel = panel.override_by_query(chr(ord("A") + place), [_property("custom.hideFrom", nowhere)])
        if narrow and "{{" in one.name:  # else it is nobody in particular, and there is nothing to narrow a board to
            panel = panel.override_by_query(
                chr(ord("A") + place), [_property("links", [_narrowing_link(narrow).build()])]
            )
    return panel


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
        build.DashboardLink(f"This {variable} in detail")
        .type(model.DashboardLinkType.LINK)
        .url(narrowed(DETAILS[variable], variable, f"${{__field.labels.{variable}:percentencode}}"))
    )


def _property(name: str, value: Any) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)
