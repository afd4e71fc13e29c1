"""How a counter of ours is counted in PromQL: births included, copies merged.

``increase()`` loses the first sample of every series, so a script that makes one call and exits would cost nothing.
Our series belong to one process each and never reset; what a window added is therefore plain subtraction: the last
value inside it minus the last value before it, and a series without a value before it was born here, from zero. Such
increments telescope: bars sum up to the total, and the total is the report's.

It holds for gaps up to `LOOK_BACK`; a series that was silent for longer counts as born again, and so does one that a
new Prometheus meets in the middle of its life.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from openrouter_otel import names

LOOK_BACK: Final = "36h"

# Labels that say how a sample came here, not what it counts. One process may be seen twice (two jobs, two replicas of
# Prometheus, push and scrape); without these labels its copies are equal and are merged by maximum. They are named
# one by one, and not the attributes, because tags are attributes that only the user knows.
ARRIVAL: Final = (
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
    *(names.label(attribute) for attribute in names.RESOURCE_ATTRIBUTES),
)


def increment(selector: str, inside: str, before: str, arrival: Iterable[str] = ARRIVAL) -> str:
    """What each series of a counter added in a window.

    Args:
        selector: the counter with its matchers.
        inside: range and offset of the window, as in ``[1h] offset 5m``.
        before: range and offset of what lies before it, `LOOK_BACK` long.
        arrival: labels in which copies of one series may differ.
    """
    merged = f"max without ({', '.join(arrival)}) "
    last = f"{merged}(last_over_time({selector}{inside}))"
    earlier = f"{merged}(last_over_time({selector}{before}))"
    return f"(({last} - {earlier} >= 0) or {last})"


def quoted(text: str) -> str:
    """A PromQL string that means exactly this text, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
