"""Checks of Prometheus itself: how often it scrapes, for how long it keeps, what time it is there, its rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import pairwise
from statistics import median
from typing import Final

from openrouter_otel import names
from openrouter_otel.doctoring.findings import Finding, note, ok, warning
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.doctoring.source import MINUTE, START, one_of
from openrouter_otel.wording import counted

SKEW: Final = 5.0  # seconds between two clocks that nobody minds
SLOWEST: Final = 60.0  # seconds between scrapes: the gauges of extremes show this minute and the one before
GAP: Final = 5 * MINUTE
KEPT: Final = 30 * 86_400  # seconds that the report looks back
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


def interval(setup: Setup) -> Iterator[Finding]:
    """How often it scrapes us."""
    if not setup.sampled:
        return
    found = setup.source.ask(f"{START}{one_of(setup.sampled)}[{15 * MINUTE}ms]", setup.now)
    steps = [(after - before) / 1000 for r in found for (before, _), (after, _) in pairwise(r.points)]
    if not steps:
        return
    typical = median(steps)
    if typical > SLOWEST * 1.05:
        yield warning(
            f"Prometheus scrapes our programs every {typical:.0f} s: shortest and longest calls are missed, and what a"
            " program does after its last scrape is lost",
            "set scrape_interval to 15s, at most 60s",
        )
    else:
        yield ok(f"Prometheus scrapes our programs every {typical:.0f} s")


def gaps(setup: Setup) -> Iterator[Finding]:
    """Whether processes were out of sight for a while within the last day."""
    if not setup.sampled:
        return
    seen = f"count by (process) (count_over_time({START}{one_of(setup.sampled)}[{GAP}ms]))"
    found = setup.source.steps(seen, setup.now - 1440 * MINUTE, setup.now, GAP)
    missed = [
        (after - before, before, reading.labels[names.PROCESS])
        for reading in found
        for (before, _), (after, _) in pairwise(reading.points)
        if after - before > GAP
    ]
    if not missed:
        return
    lasted, since, process = max(missed)
    begun = datetime.fromtimestamp(since / 1000, timezone.utc).astimezone()
    others = f", and there were {counted(len(missed) - 1, 'gap')} besides" if len(missed) > 1 else ""
    yield warning(
        f"process {process} was out of sight for some {lasted // MINUTE} min from {begun:%Y-%m-%d %H:%M} on{others}",
        "sums stay right, hours do not: see whether Prometheus, the network or the program stood still then",
    )


def retention(setup: Setup) -> Iterator[Finding]:
    """Whether it keeps what the report looks back to."""
    told = setup.source.about("status/runtimeinfo").get("storageRetention")
    if not isinstance(told, str) or not told:
        yield note("this Prometheus does not tell how long it keeps samples; reports look back 30 days")
        return
    kept = _duration(told.partition(" or ")[0])
    if kept is None:
        yield note(f"Prometheus keeps {told} of samples; whether that lasts for 30 days depends on how much there is")
    elif kept < KEPT:
        yield warning(
            f"Prometheus keeps samples for {told}, and reports look back 30 days",
            "start it with --storage.tsdb.retention.time=1y; the report's cache outlives it where reports are regular",
        )
    else:
        yield ok(f"Prometheus keeps samples for {told}")


def _duration(text: str) -> float | None:
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    return sum(int(number) * _UNITS[unit] for number, unit in parts) if parts and "B" not in text else None


def clocks(setup: Setup) -> Iterator[Finding]:
    """Whether this desk, Prometheus and programs agree on the time."""
    if abs(setup.ahead) > SKEW:
        yield warning(
            f"Prometheus' clock is {abs(setup.ahead):.0f} s {'ahead of' if setup.ahead > 0 else 'behind'} this host's",
            "set both by NTP: reports end at Prometheus' now, and a journal has this host's times",
        )
    latest = setup.source.number(f"max({START})", setup.now)
    if latest is not None and latest - setup.now / 1000 > SKEW:
        yield warning(
            f"a program's clock is {latest - setup.now / 1000:.0f} s ahead of Prometheus'",
            "set both by NTP: when a process began decides what belongs to it",
        )


def rules(setup: Setup) -> Iterator[Finding]:
    """Whether the boards' rules and the alerts are loaded."""
    groups = setup.source.about("rules").get("groups")
    loaded = [rule for group in groups or [] for rule in group.get("rules", [])]
    recording = [rule for rule in loaded if str(rule.get("name")).startswith("openrouter:")]
    alerts = [
        rule for rule in loaded if rule.get("type") == "alerting" and str(rule.get("name")).startswith("OpenRouter")
    ]
    if groups is None:
        yield note("this Prometheus does not tell its rules")
    elif not recording:
        yield note(
            "our recording rules and alerts are not loaded; reports do without",
            "the boards in grafana/dashboards and the alerts need grafana/prometheus/rules; dashboards-raw do not",
        )
    else:
        ours = f"{counted(len(recording), 'recording rule')} and {counted(len(alerts), 'alert')}"
        yield ok(f"Prometheus has {ours} of ours")
