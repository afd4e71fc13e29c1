"""Checks whether metrics of ours arrive at Prometheus at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from openrouter_otel import names
from openrouter_otel.doctoring import translated
from openrouter_otel.doctoring.findings import Finding, ok, problem, warning
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.doctoring.source import MINUTE, START, WELL_NAMED, WINDOWS, one_of, within
from openrouter_otel.metrics_endpoint import PORTS
from openrouter_otel.reporting.address import one_line
from openrouter_otel.wording import counted

YOUNG: Final = 120.0  # seconds in which a program may not have been scraped yet
_SCRAPE: Final = (
    f"targets [localhost:{PORTS[0]} ... localhost:{PORTS[-1]}], as grafana/prometheus/prometheus.yml has it"
)


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
            number = counted(round(processes), "process")
            yield ok(f"Prometheus sees our metrics: {number} within {WINDOWS[setup.window]}{ago}")


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
    if any(translated.identity(setup)):
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
        f"the program ended before Prometheus scraped it: {counted(seen.measured, 'call')} in no report",
        "programs that live shorter than a few scrape intervals keep a journal: OPENROUTER_OTEL_JOURNAL=usage.db",
    )


def _seen(setup: Setup, processes: Mapping[str, object]) -> set[str]:
    if not processes:
        return set()
    found = setup.source.ask(f"count by (process) ({within(START + one_of(processes), 60 * MINUTE)})", setup.now)
    return {reading.labels.get(names.PROCESS, "") for reading in found}
