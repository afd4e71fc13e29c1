"""All PromQL of the report, built from `names`. Windows are given in milliseconds, the resolution of a sample."""

from __future__ import annotations

from collections.abc import Iterable

from openrouter_otel import names

# Of the metrics an instrumented process always has, these two tell since when anything is known.
FIRST_SIGHT = (names.REQUESTS.prometheus, names.PROCESS_START.prometheus)


def now() -> str:
    """The source's own clock, in seconds."""
    return "time()"


def quoted(text: str) -> str:
    """A PromQL string literal of any text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def last(metric: str, window: int) -> str:
    """Every series' last value within the window, one point per series."""
    return f"last_over_time({metric}[{window}ms])"


def raw(metric: str, processes: Iterable[str], window: int) -> str:
    """Every sample of some processes within the window."""
    pattern = "|".join(processes)  # hexadecimal digits: nothing to escape in a regular expression
    return f"{metric}{{{names.PROCESS}=~{quoted(pattern)}}}[{window}ms]"


def smallest(metric: str, window: int) -> str:
    """A gauge's minimum within the window."""
    return f"min_over_time({metric}[{window}ms])"


def largest(metric: str, window: int) -> str:
    """A gauge's maximum within the window."""
    return f"max_over_time({metric}[{window}ms])"


def anything(window: int) -> str:
    """One value where the source knows any sample of ours within the window, none where it does not."""
    return " or ".join(f"count(last_over_time({metric}[{window}ms]))" for metric in FIRST_SIGHT)


def seen_at(sightings: Iterable[tuple[str, int]], window: int) -> str:
    """Those processes that had a sample within the window up to the instant (ms) given with each."""
    start = names.PROCESS_START.prometheus
    return " or ".join(
        f"last_over_time({start}{{{names.PROCESS}={quoted(process)}}}[{window}ms] @ {instant / 1000:.3f})"
        for process, instant in sightings
    )
