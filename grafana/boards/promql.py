"""The vocabulary of the boards' queries: one place decides how a thing is counted.

``increase()`` loses the first sample of every series, so a script that makes one call and exits would cost nothing.
Our series belong to one process each and never reset; what a window added is therefore plain subtraction: the last
value inside it minus the last value before it, and a series without a value before it was born here, from zero. Such
increments telescope: bars sum up to the total, and the total is the report's.

It holds for gaps up to `LOOK_BACK`; a series that was silent for longer counts as born again, and so does one that a
new Prometheus meets in the middle of its life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openrouter_otel import names
from openrouter_otel.names import Metric, label

LOOK_BACK = "36h"


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

# What a board can be filtered by: the variable, and the label it is about.
FILTERS: Mapping[str, str] = {
    "environment": label(names.ENVIRONMENT),
    "service": label(names.SERVICE_NAME),
    "provider": label(names.UPSTREAM),
    "model": label(names.MODEL),
    "user": label(names.USER),
}

# Labels that say how a sample came here, not what it counts. One process may be seen twice (two jobs, two replicas of
# Prometheus, push and scrape); without these labels its copies are equal and are merged by maximum. They are named
# one by one, and not the attributes, because tags are attributes that only the user knows.
ARRIVAL = (
    "instance",
    "job",
    "exported_instance",
    "exported_job",
    "cluster",
    "namespace",
    "node",
    "pod",
    "container",
    "endpoint",
    "service",
    "replica",
    "prometheus",
    "prometheus_replica",
    "otel_scope_name",
    "otel_scope_version",
    "otel_scope_schema_url",
    *(label(attribute) for attribute in names.RESOURCE_ATTRIBUTES),
)


def filters(metric: Metric, where: Mapping[str, str] | None = None) -> str:
    """The matchers of a panel: the board's variables and what the panel itself asks for."""
    ours = [f'{name}=~"${variable}"' for variable, name in FILTERS.items() if metric.user or variable != "user"]
    return ",".join([*ours, *(f'{label(name)}="{value}"' for name, value in (where or {}).items())])


def counted(
    metric: Metric,
    by: tuple[str, ...] = (),
    window: Window = RANGE,
    where: Mapping[str, str] | None = None,
    suffix: str = "",
) -> str:
    """What a counter added in the window, exactly: births included, processes seen twice counted once."""
    series = f"{metric.prometheus}{suffix}{{{filters(metric, where)}}}"
    merged = f"max without ({', '.join(ARRIVAL)}) "
    last = f"{merged}(last_over_time({series}{window.inside}))"
    before = f"{merged}(last_over_time({series}{window.before}))"
    grouped = f"sum by ({', '.join(by)}) " if by else "sum "
    return f"{grouped}(({last} - {before} >= 0) or {last})"


def counted_or_zero(
    metric: Metric, by: tuple[str, ...] = (), window: Window = RANGE, where: Mapping[str, str] | None = None
) -> str:
    """The same, but 0 where there were calls and nothing of this kind: a dash would say "not known"."""
    return f"({counted(metric, by, window, where)} or 0 * {counted(names.REQUESTS, by, window)})"


def ratio(part: str, whole: str) -> str:
    """A share; nothing rather than NaN where there is no whole."""
    return f"{part} / ({whole} > 0)"


def error_ratio(by: tuple[str, ...] = (), window: Window = RANGE) -> str:
    """Errors per call, between 0 and 1."""
    return ratio(counted_or_zero(names.ERRORS, by, window), counted(names.REQUESTS, by, window))


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
