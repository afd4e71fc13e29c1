"""The charts of the page as Vega-Lite, written with Altair.

Amounts become floats here: they are drawn, not counted. Where there are more names than can be told apart, the
dearest are drawn and the chart's table has them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.model import Report
from openrouter_otel.reporting.render import cells
from openrouter_otel.reporting.render.html import look
from openrouter_otel.reporting.render.html.table import Table
from openrouter_otel.reporting.render.html.tables import DAYS, day_by_model, hours

Drawing = alt.Chart | alt.LayerChart | alt.FacetChart

ROWS: Final = "rows"
BANDS: Final = 12  # models in the chart of latencies
KINDS: Final = 8  # types in the chart of errors
ROW: Final = 28  # pixels; Vega-Lite's own steps make it warn of a fitted width
DURATIONS: Final = "datum.value < 1000 ? datum.value + ' ms' : datum.value / 1000 + ' s'"
DECADES: Final = [step * decade for decade in (1, 10, 100, 1_000, 10_000, 100_000) for step in (1, 2, 5)]
BAR_WIDTH: Final = alt.ExprRef("min(0.88 * bandwidth('x'), 72)")  # two days do not make two walls


@dataclass(frozen=True)
class Legend:
    """A button that shows one series alone.

    Attributes:
        series: its place, which the chart's `only` takes; the last one stands for all the rest.
        label: its name.
    """

    series: int
    label: str


@dataclass(frozen=True)
class Chart:
    """One figure.

    Attributes:
        key: its fragment in the address.
        title: what it shows.
        description: one sentence, also for those who do not see it.
        spec: Vega-Lite with its data.
        legend: its series, where there are several.
        table: its figures, to unfold below it.
        figures: or the key of the table that has them.
    """

    key: str
    title: str
    description: str
    spec: dict[str, Any]
    legend: tuple[Legend, ...] = ()
    table: Table | None = None
    figures: str = ""


def charts(report: Report) -> Iterator[Chart]:
    """Those that have something to show."""
    if any(report.daily_cost_by_model.values()):
        yield _spend(report)
    if any(map(any, report.hour_of_week)):
        yield _hours(report)
    if any(report.user_stats[user].share is not None for user in report.top_users):
        yield _users(report)
    if report.latency_stats:
        yield _latency(report)
    if report.errors.by_type:
        yield _errors_by_day(report)
        yield _errors_by_type(report)


def _spend(report: Report) -> Chart:
    dearest = list(report.model_breakdown)[: len(look.SERIES)]
    places = {model: place for place, model in enumerate(dearest)}
    rest = len(dearest)
    labels = [cells.safe(model) for model in dearest]
    if list(report.model_breakdown)[rest:]:
        labels.append("all other models")
    rows = [
        {"day": day, "place": place, "name": labels[place], "cost": float(cost)}
        for day, costs in report.daily_cost_by_model.items()
        for model, cost in costs.items()
        for place in (places.get(model, rest),)
    ]
    colours = [*look.SERIES[:rest], look.REST]
    chart = (
        _of_rows()
        .mark_bar(width=BAR_WIDTH, stroke=look.SURFACE, strokeWidth=0.6)
        .add_params(alt.param(name="only", value=-1))
        .encode(
            x=_days(),
            y=alt.Y("sum(cost):Q", axis=alt.Axis(title=None, format="$,~f", tickCount=5)),
            color=alt.Color("place:O", legend=None, scale=alt.Scale(domain=list(range(rest + 1)), range=colours)),
            opacity=alt.when("only < 0 || datum.place === only").then(alt.value(1)).otherwise(alt.value(0.12)),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("name:N", title="Model"),
                alt.Tooltip("sum(cost):Q", title="Spend", format="$,.6~f"),
            ],
        )
        .properties(height=280)
    )
    return Chart(
        "spend",
        "Spend per day",
        "US dollars a day, stacked by model, the dearest at the bottom.",
        _with(chart, rows),
        tuple(Legend(place, label) for place, label in enumerate(labels)),
        day_by_model(report),
    )


def _hours(report: Report) -> Chart:
    rows = [
        {"day": day, "hour": f"{hour:02d}", "requests": requests}
        for day, row in zip(DAYS, report.hour_of_week, strict=False)
        for hour, requests in enumerate(row)
    ]
    chart = (
        _of_rows()
        .mark_rect(fill=look.FILL, stroke=look.SURFACE, strokeWidth=2, cornerRadius=3)
        .encode(
            x=alt.X("hour:O", axis=alt.Axis(title=None, labelAngle=0, labelOverlap="parity", labelSeparation=3)),
            y=alt.Y("day:O", sort=list(DAYS), axis=alt.Axis(title=None, labelExpr="slice(datum.label, 0, 3)")),
            fillOpacity=alt.FillOpacity("requests:Q", legend=None, scale=alt.Scale(zero=True, range=[0.05, 1])),
            tooltip=[
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("hour:O", title="Hour from"),
                alt.Tooltip("requests:Q", title="Requests", format=","),
            ],
        )
        .properties(height=ROW * len(DAYS))
    )
    return Chart(
        "hours",
        "Hours of the week",
        f"Requests by hour ({cells.safe(report.timezone)}): the stronger the colour, the more.",
        _with(chart, rows),
        table=hours(report),
    )


def _users(report: Report) -> Chart:
    rows = [
        {
            "user": cells.safe(user),
            "share": float(row.share or 0),
            "label": f"{row.share or 0:.1%}",
            "cost": f"${cells.price(row.cost)}",
            "requests": row.requests,
        }
        for user in report.top_users
        for row in (report.user_stats[user],)
    ]
    tooltip = [
        alt.Tooltip("user:N", title="User"),
        alt.Tooltip("cost:N", title="Spend"),
        alt.Tooltip("label:N", title="Share"),
        alt.Tooltip("requests:Q", title="Requests", format=","),
    ]
    chart = _bars("user", "share", "label", tooltip, look.FILL).properties(height=ROW * len(rows))
    return Chart("top-users", "Who spends", "Share of the period's spend of those who spend most.",
                 _with(chart, rows), figures="users")  # fmt: skip


def _latency(report: Report) -> Chart:
    first = list(report.latency_stats.items())[:BANDS]
    rows = [_band(name, row) for name, row in [("all models", report.latency_overall), *first] if row.p50]
    band = _of_rows().encode(
        y=alt.Y("name:N", sort=None, axis=_names()),
        tooltip=[
            alt.Tooltip("name:N", title="Model"),
            *(alt.Tooltip(f"{q}_text:N", title=q) for q in ("p50", "p95", "p99")),
            alt.Tooltip("calls:Q", title="Calls", format=","),
        ],
    )
    scale = alt.Scale(type="log", nice=False, padding=12)
    axis = alt.Axis(title=None, grid=True, values=DECADES, labelExpr=DURATIONS, labelOverlap="greedy")
    outer = band.mark_bar(size=12, color=look.FILL, opacity=0.28, cornerRadius=2).encode(
        x=alt.X("p95:Q", scale=scale, axis=axis), x2="p99:Q"
    )
    inner = band.mark_bar(size=12, color=look.FILL, opacity=0.8, cornerRadius=2).encode(
        x=alt.X("p50:Q", scale=scale, axis=axis), x2="p95:Q"
    )
    middle = band.mark_tick(color=look.INK, thickness=2.5, size=16).encode(x=alt.X("p50:Q", scale=scale, axis=axis))
    chart = alt.layer(outer, inner, middle).properties(height=ROW * len(rows))
    return Chart(
        "bands",
        "How long calls take",
        "From the median (dark stroke) over p95 (full colour) to p99 (pale), on a logarithmic scale.",
        _with(chart, rows),
        figures="latency",
    )


def _band(name: str, row: Latency) -> dict[str, Any]:
    quantiles = {"p50": row.p50, "p95": row.p95, "p99": row.p99}
    texts = {f"{q}_text": f"{cells.ms(value)} ms" for q, value in quantiles.items()}
    return {"name": cells.safe(name), "calls": row.count, **quantiles, **texts}


def _errors_by_day(report: Report) -> Chart:
    rows = [
        {"day": day, "errors": usage.errors, "requests": usage.requests} for day, usage in report.daily_trend.items()
    ]
    chart = (
        _of_rows()
        .mark_bar(width=BAR_WIDTH, color=look.BAD)
        .encode(
            x=_days(),
            y=alt.Y("errors:Q", axis=alt.Axis(title=None, format=",d", tickCount=4, tickMinStep=1)),
            tooltip=[
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("errors:Q", title="Errors", format=","),
                alt.Tooltip("requests:Q", title="Requests", format=","),
            ],
        )
        .properties(height=130)
    )
    return Chart("errors-per-day", "Errors per day", "Calls that failed, each day.", _with(chart, rows), figures="days")


def _errors_by_type(report: Report) -> Chart:
    rows = [
        {"type": cells.safe(kind), "errors": number, "label": cells.count(number)}
        for kind, number in list(report.errors.by_type.items())[:KINDS]
    ]
    tooltip = [alt.Tooltip("type:N", title="Type"), alt.Tooltip("label:N", title="Errors")]
    chart = _bars("type", "errors", "label", tooltip, look.BAD).properties(height=ROW * len(rows))
    return Chart("error-types", "What goes wrong", "Errors by type, the most frequent first.",
                 _with(chart, rows), figures="errors")  # fmt: skip


def _bars(name: str, length: str, label: str, tooltip: Sequence[alt.Tooltip], colour: str) -> Drawing:
    """Horizontal bars in the data's order, each with its figure at its end."""
    base = _of_rows().encode(
        y=alt.Y(f"{name}:N", sort=None, axis=_names()),
        x=alt.X(
            f"{length}:Q",
            axis=None,
            scale=alt.Scale(nice=False, domainMin=0, range=[0, alt.ExprRef("max(width - 52, 20)")]),
        ),
        tooltip=tooltip,
    )
    text = base.mark_text(align="left", dx=6).encode(text=f"{label}:N")
    return alt.layer(base.mark_bar(size=14, color=colour, cornerRadiusEnd=3), text)


def _days() -> alt.X:
    label = "utcFormat(toDate(datum.value), '%-d %b')"
    return alt.X(
        "day:O",
        axis=alt.Axis(title=None, labelAngle=0, labelExpr=label, labelOverlap="greedy", labelSeparation=14),
    )


def _names() -> alt.Axis:
    return alt.Axis(title=None, labelLimit=150, labelColor=look.INK)


def _of_rows() -> alt.Chart:
    return alt.Chart(alt.NamedData(name=ROWS))


def _with(chart: Drawing, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The specification, with its data added after Altair's validation, which would walk through every row."""
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    spec = chart.properties(width="container", autosize=fit).to_dict()
    del spec["$schema"]  # an address, and of a version that only Altair chose
    return {**spec, "config": look.CONFIG, "datasets": {ROWS: rows}}
