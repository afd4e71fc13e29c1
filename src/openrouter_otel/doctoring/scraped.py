"""Checks of what Prometheus has of us, and of Prometheus itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from itertools import pairwise
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

from openrouter_otel import names
from openrouter_otel.doctoring.findings import Finding, note, ok, problem, warning
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.doctoring.source import MINUTE, START, WELL_NAMED, WINDOWS, one_of, within
from openrouter_otel.metrics_endpoint import PORTS
from openrouter_otel.reporting.address import one_line

SKEW: Final = 5.0  # seconds between two clocks that nobody minds
SLOWEST: Final = 60.0  # seconds between scrapes: the gauges of extremes show this minute and the one before
GAP: Final = 5 * MINUTE
YOUNG: Final = 120.0  # seconds in which a program may not have been scraped yet
KEPT: Final = 30 * 86_400  # seconds that the report looks back
HEX: Final = re.compile(r"[0-9a-f]{16}")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_SCRAPE: Final = (
    f"targets [localhost:{PORTS[0]} ... localhost:{PORTS[-1]}], as grafana/prometheus/prometheus.yml has it"
)


# --- do series of ours arrive? ---
def arrival(setup: Setup) -> Iterator[Finding]:
    """Whether Prometheus has samples of ours, and since when not."""
    if setup.window is None:
        yield problem(*_never(setup))
    elif setup.window > min(WINDOWS):
        yield warning(
            f"Prometheus has seen none of our programs for the last {WINDOWS[min(WINDOWS)]}, only within the last"
            f" {WINDOWS[setup.window]}",
            "fine if none is running; else look at the targets on its page /targets",
        )
    else:
        processes = setup.source.number(f"count(count by (process) ({within(START, setup.window)}))", setup.now)
        newest = setup.source.number(f"max(timestamp({WELL_NAMED}))", setup.now)
        ago = "" if newest is None else f", the last sample {max(setup.now / 1000 - newest, 0):.0f} s ago"
        if processes:
            yield ok(f"Prometheus sees our metrics: {processes:.0f} processes within {WINDOWS[setup.window]}{ago}")


def _never(setup: Setup) -> tuple[str, str]:
    """Why there is nothing, as far as its targets tell."""
    targets = [target for target in setup.source.about("targets").get("activeTargets") or [] if _is_ours(target)]
    what = "Prometheus has never seen a metric of ours"
    if not targets:
        return f"{what}, and no target of its is at our ports", f"have it scrape your programs: {_SCRAPE}"
    broken = [target for target in targets if target.get("health") != "up"]
    if len(broken) < len(targets):
        return (
            f"{what}, though it scrapes {_url(next(t for t in targets if t not in broken))} without an error",
            "see whether that is an instrumented program, and whether metric_relabel_configs drop openrouter_.*",
        )
    why = one_line(str(broken[0].get("lastError") or "not scraped yet"))
    return (
        f"{what}; its targets at our ports do not answer: {_url(broken[0])}: {why}",
        "start an instrumented program; where Prometheus runs in a container, its localhost is not this host's",
    )


def _is_ours(target: Mapping[str, Any]) -> bool:
    try:
        port = urlsplit(str(target.get("scrapeUrl"))).port
    except ValueError:
        port = None
    return port in PORTS or "openrouter" in str(target.get("scrapePool"))


def _url(target: Mapping[str, Any]) -> str:
    parts = urlsplit(str(target.get("scrapeUrl")))
    return one_line(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def programs_here(setup: Setup) -> Iterator[Finding]:
    """Whether those that serve on this host have arrived there."""
    if any(found.status == "problem" for found in identity(setup)):
        return  # they could not be told apart
    processes = {program.process: program for program in setup.programs}
    seen = _seen(setup, processes)
    for process, program in processes.items():
        if process in seen:
            yield ok(f"Prometheus scrapes the program at {program.address}")
            continue
        age = None if program.started is None else setup.clock() - program.started
        if age is not None and age < YOUNG:
            yield warning(
                f"Prometheus has not scraped the program at {program.address}, which began {age:.0f} s ago",
                "ask again in two minutes",
            )
        else:
            yield problem(
                f"Prometheus does not scrape the program at {program.address}: what it spends is in no report",
                f"have it scrape your programs: {_SCRAPE}",
            )


def the_program(setup: Setup) -> Iterator[Finding]:
    """Whether the program that was run has arrived before it ended."""
    seen = setup.observed
    if seen is None or not seen.measured or seen.serves is None or _seen(setup, {seen.process: seen}):
        return
    yield problem(
        f"the program ended before Prometheus scraped it: {seen.measured} calls are in no report",
        "programs that live shorter than a few scrape intervals keep a journal: OPENROUTER_OTEL_JOURNAL=usage.db",
    )


def _seen(setup: Setup, processes: Mapping[str, object]) -> set[str]:
    if not processes:
        return set()
    found = setup.source.ask(f"count by (process) ({within(START + one_of(processes), 60 * MINUTE)})", setup.now)
    return {reading.labels.get(names.PROCESS, "") for reading in found}


# --- do they arrive as they were sent? ---
def spelling(setup: Setup) -> Iterator[Finding]:
    """Whether metrics have the names that reports ask for."""
    if setup.window is None:
        return
    everything = '{__name__=~"(.*[.:_])?openrouter[._].+"}'
    found = setup.source.ask(f"count by (__name__) ({within(everything, setup.window)})", setup.now)
    wrong = sorted(
        (stored, meant) for r in found if (stored := r.labels.get("__name__", "")) and (meant := _meant(stored))
    )
    if not wrong:
        return
    stored, meant = wrong[0]
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    yield problem(
        f"Prometheus stores {stored} where reports and boards ask for {meant}{others}: they find nothing",
        _respelt(stored),
    )


def _respelt(stored: str) -> str:
    if "." in stored:
        return (
            "have names escaped: `translation_strategy: UnderscoreEscapingWithSuffixes` under otlp,"
            " `metric_name_escaping_scheme: underscores` for scrapes"
        )
    if not stored.startswith("openrouter"):
        return "take the prefix away, such as `namespace` of the Collector's Prometheus exporter"
    return (
        "have unit and type appended: `add_metric_suffixes: true` in the Collector's exporter,"
        " `translation_strategy: UnderscoreEscapingWithSuffixes` under otlp in Prometheus"
    )


def _meant(stored: str) -> str | None:
    """The name that a misspelt metric should have; None where it is right, or nothing of ours."""
    if stored in _RIGHT:
        return None
    word = names.label(stored)
    return _BARE.get(_bare(word[word.index("openrouter_") :]))


def _bare(name: str) -> str:
    """A name without whatever a translation may append."""
    before = ""
    while name != before:
        before = name
        name = re.sub(r"_(total|seconds|ratio|bucket|count|sum|milliseconds|USD|1)$", "", name)
    return name


_EXPECTED: Final = [metric.prometheus for metric in names.METRICS + names.EXPORTER_METRICS]
_RIGHT: Final = {f"{name}{part}" for name in _EXPECTED for part in ("", "_bucket", "_count", "_sum", "_created")}
_BARE: Final = {_bare(name): name for name in _EXPECTED}


def identity(setup: Setup) -> Iterator[Finding]:
    """Whether every series says which process counts."""
    without = WELL_NAMED.removesuffix("}") + ',process!~"[0-9a-f]{16}"}'
    found = setup.source.ask(f"topk(1, {within(without, setup.window or 0)})", setup.now) if setup.window else []
    if not found:
        return
    labels = found[0].labels
    yield problem(f"{_changed(labels)}; reports then cannot be exact", _unchanged(labels))


def _renamed(labels: Mapping[str, str]) -> str | None:
    return next((name for name, text in sorted(labels.items()) if HEX.fullmatch(text)), None)


def _changed(labels: Mapping[str, str]) -> str:
    job = labels.get("job", "?")
    if (now := _renamed(labels)) is not None:
        return f"the label process of job {job} arrives as {now}"
    if names.PROCESS in labels:
        return f"the label process of job {job} is overwritten with {labels[names.PROCESS]!r}"
    return f"the label process of job {job} is missing"


def _unchanged(labels: Mapping[str, str]) -> str:
    if "exported_process" in labels:
        return "that target has a label process of its own: rename that one, or set honor_labels: true"
    return "leave the label alone in metric_relabel_configs (labeldrop, labelmap, replace), and in what is between"


def twice(setup: Setup) -> Iterator[Finding]:
    """Whether a process is scraped by more than one job or replica."""
    selector = f'{START}{{process!=""}}'
    found = setup.source.ask(f"count by (process) ({within(selector, min(WINDOWS))}) > 1", setup.now)
    if not found:
        return
    process = found[0].labels[names.PROCESS]
    places = setup.source.ask(
        f"count by (job, instance) ({within(START + one_of([process]), min(WINDOWS))})", setup.now
    )
    where = ", ".join(sorted(f"{p.labels.get('job', '?')} at {p.labels.get('instance', '?')}" for p in places))
    yield note(
        f"{len(found)} of our processes are seen more than once, such as by {where}; reports count them once",
        "one scrape each is enough and takes less room",
    )


# --- often enough, and for long enough? ---
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
    others = f"; there are {len(missed) - 1} more gaps" if len(missed) > 1 else ""
    yield warning(
        f"process {process} was out of sight for some {lasted // MINUTE} min from {begun:%Y-%m-%d %H:%M} on{others}",
        "sums stay right, hours do not: see whether Prometheus, the network or the program stood still then",
    )


# --- Prometheus itself ---
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
    ahead = setup.now / 1000 - setup.clock()
    if abs(ahead) > SKEW:
        yield warning(
            f"Prometheus' clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this host's",
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
        yield ok(f"Prometheus has {len(recording)} recording rules and {len(alerts)} alerts of ours")
