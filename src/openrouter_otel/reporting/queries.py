"""All PromQL of the report, built from `names`. Windows are given in milliseconds, the resolution of a sample."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from openrouter_otel import names

JOB: Final = "job"
INSTANCE: Final = "instance"
OTHERS_START: Final = "process_start_time_seconds"  # prometheus_client's own, where a process label was dropped


def now() -> str:
    """The source's own clock, in seconds."""
    return "time()"


def quoted(text: str) -> str:
    """A PromQL string literal of any text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def of_processes(metric: str, processes: Iterable[str]) -> str:
    """A metric of some processes."""
    return f"{metric}{{{names.PROCESS}=~{_any(processes)}}}"


def without_process(metric: str) -> str:
    """A metric of all that carry no `process` label."""
    return f'{metric}{{{names.PROCESS}=""}}'


def with_process(metric: str) -> str:
    """A metric of all that carry one."""
    return f'{metric}{{{names.PROCESS}!=""}}'


def of_targets(metric: str, instances: Iterable[str]) -> str:
    """A metric of some scrape targets' processes that carry no `process` label."""
    return f'{metric}{{{names.PROCESS}="",{INSTANCE}=~{_any(instances)}}}'


def of_target(metric: str, target: Mapping[str, str]) -> str:
    """A metric of exactly one scrape target's processes that carry no `process` label."""
    pairs = [f"{name}={quoted(target.get(name, ''))}" for name in (names.PROCESS, *sorted(target))]
    return f"{metric}{{{','.join(pairs)}}}"


def _any(texts: Iterable[str]) -> str:
    return quoted("|".join(sorted(re.sub(r"([!-/:-@\[-^`{-~ ])", r"\\\1", text) for text in texts)))


def last(selector: str, window: int) -> str:
    """Every series' last value within the window, one point per series."""
    return f"last_over_time({selector}[{window}ms])"


def smallest(selector: str, window: int) -> str:
    """A series' minimum within the window."""
    return f"min_over_time({selector}[{window}ms])"


def largest(selector: str, window: int) -> str:
    """A series' maximum within the window."""
    return f"max_over_time({selector}[{window}ms])"


def shortest(selector: str, window: int) -> str:
    """A gauge's minimum within the window, also where the source counts its beginning in."""
    return smallest(selector, window - 1)


def longest(selector: str, window: int) -> str:
    """The same of its maximum."""
    return largest(selector, window - 1)


def falls(selector: str, window: int) -> str:
    """Those series whose value fell within the window."""
    return f"resets({selector}[{window}ms]) > 0"


def raw(selector: str, window: int) -> str:
    """Every sample within the window."""
    return f"{selector}[{window}ms]"


def anything(selector: str, window: int) -> str:
    """One value where the source knows any sample within the window, none where it does not."""
    return f"count(last_over_time({selector}[{window}ms]))"


def targets(selector: str, window: int) -> str:
    """The scrape targets with any sample within the window."""
    return f"count by ({JOB}, {INSTANCE}) (last_over_time({selector}[{window}ms]))"


def at_instants(asked: Iterable[tuple[str, int, int]]) -> str:
    """The last values of several selectors, each within its own window (ms) up to its own instant (ms)."""
    return " or ".join(
        f"last_over_time({selector}[{window}ms] @ {instant / 1000:.3f})" for selector, window, instant in asked
    )
