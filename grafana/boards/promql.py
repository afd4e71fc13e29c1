"""The vocabulary of the boards' queries: one place decides how a thing is counted, and when.

How a window is counted is `openrouter_otel.promql`: subtraction, births included, copies merged, the report's totals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openrouter_otel import names
from openrouter_otel.names import Metric, label
from openrouter_otel.promql import LOOK_BACK, increment


@dataclass(frozen=True)
class Window:
    """A span of time around the moment at which a query is evaluated, as range and offset of a selector."""

    inside: str
    before: str


# One figure for the selected range: evaluated at its end, looking back.
RANGE = Window("[$__range]", f"[{LOOK_BACK}] offset $__range")

# One bar of a chart: evaluated at its beginning, looking forward. Looking back, the first bar would show what happened
# before the range, and what happened since the last full step would be in no bar (Grafana aligns steps).
STEP = Window("[$__interval] offset -$__interval", f"[{LOOK_BACK}]")

# One point of a line: what the step that ends there added; the step that has not ended yet has no point.
LAST_STEP = Window("[$__interval]", f"[{LOOK_BACK}] offset $__interval")

# The range of equal length before the selected one. A duration may name seconds and milliseconds: that is twice it.
PREVIOUS = Window("[$__range] offset $__range", f"[{LOOK_BACK}] offset ${{__range_s}}s${{__range_ms}}ms")

# The selected range as a chart sees it: the same for each of its steps, so Prometheus computes it once.
WHOLE_CHART = Window("[$__range] @ end()", f"[{LOOK_BACK}] @ end() offset $__range")

# The last seven days, whatever is selected.
WEEK = Window("[7d]", f"[{LOOK_BACK}] offset 7d")

# What a board can be filtered by: the variable, and the label it is about.
FILTERS: Mapping[str, str] = {
    "environment": label(names.ENVIRONMENT),
    "service": label(names.SERVICE_NAME),
    "provider": label(names.UPSTREAM),
    "model": label(names.MODEL),
    "user": label(names.USER),
}


def filters(metric: Metric, where: Mapping[str, str] | None = None) -> str:
    """The matchers of a panel: the board's variables and what the panel itself asks for."""
    kept = [variable for variable in FILTERS if metric.user or variable != "user"]
    if metric in names.PROCESS_METRICS:
        kept = ["environment", "service"]
    ours = [f'{FILTERS[variable]}=~"${variable}"' for variable in kept]
    return ",".join([*ours, *(_matcher(name, value) for name, value in (where or {}).items())])


def _matcher(name: str, value: str) -> str:
    sign, value = ("!=", value[1:]) if value.startswith("!") else ("=", value)
    return f'{label(name)}{sign}"{value}"'


def selected(metric: Metric, where: Mapping[str, str] | None = None, suffix: str = "") -> str:
    """The series that the board's variables leave of a metric."""
    return f"{metric.prometheus}{suffix}{{{filters(metric, where)}}}"


def counted(
    metric: Metric,
    by: tuple[str, ...] = (),
    window: Window = RANGE,
    where: Mapping[str, str] | None = None,
    suffix: str = "",
) -> str:
    """What a counter added in the window, exactly: births included, processes seen twice counted once.

    A value in `where` that begins with ``!`` is what a label must not be.
    """
    grouped = f"sum by ({', '.join(by)}) " if by else "sum "
    return f"{grouped}{increment(selected(metric, where, suffix), window.inside, window.before)}"


def counted_or_zero(
    metric: Metric, by: tuple[str, ...] = (), window: Window = RANGE, where: Mapping[str, str] | None = None
) -> str:
    """The same, but 0 where there were calls and nothing of this kind: a dash would say "not known"."""
    return f"({counted(metric, by, window, where)} or 0 * {counted(names.REQUESTS, by, window)})"


def ratio(part: str, whole: str) -> str:
    """A share; nothing rather than NaN where there is no whole."""
    return f"{part} / ({whole} > 0)"


def share(part: str, whole: str) -> str:
    """What each of several is of one whole."""
    return f"{part} / on () group_left () ({whole} > 0)"


def error_ratio(by: tuple[str, ...] = (), window: Window = RANGE, where: Mapping[str, str] | None = None) -> str:
    """Errors per call, between 0 and 1."""
    return ratio(counted_or_zero(names.ERRORS, by, window, where), counted(names.REQUESTS, by, window, where))


def quantile(
    share: float,
    histogram: Metric,
    by: tuple[str, ...] = (),
    window: Window = RANGE,
    where: Mapping[str, str] | None = None,
) -> str:
    """A quantile over all calls of the window, pooled: a mean of percentiles is no percentile.

    The comparison drops the NaN of a window without calls.
    """
    return f"histogram_quantile({share}, {counted(histogram, ('le', *by), window, where, '_bucket')}) >= 0"


def top(count: int, expr: str) -> str:
    """The largest, largest first."""
    return f"sort_desc(topk({count}, {expr}))"


def largest(metric: Metric, by: str, count: int) -> tuple[str, str]:
    """A counter per step, split by a label: the largest of the range, and all others together.

    So a chart stays readable with hundreds of users, and its bars still sum up to the total.
    """
    each = counted(metric, (by,), STEP)
    ranked = f"topk({count}, {counted(metric, (by,), WHOLE_CHART)})"
    return f"{each} and on ({by}) {ranked}", f"sum ({each} unless on ({by}) {ranked})"


def among_largest(expr: str, metric: Metric, by: str, count: int) -> str:
    """Only those series of an expression whose label is among the largest of the range."""
    ranked = f"topk({count}, {counted(metric, (by,), WHOLE_CHART)})"
    return f"({expr}) and on ({by}) {ranked}"


def mean(histogram: Metric, by: tuple[str, ...] = (), where: Mapping[str, str] | None = None) -> str:
    """The exact mean over the range."""
    whole = counted(histogram, by, where=where, suffix="_count")
    return ratio(counted(histogram, by, where=where, suffix="_sum"), whole)


def recorded(series: str, where: str = "") -> str:
    """A series that our rules record; boards of the raw flavour have no panel that needs one."""
    return f"openrouter:{series}{{{where}}}" if where else f"openrouter:{series}"
