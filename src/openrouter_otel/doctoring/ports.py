"""Checks of the ports of this host where programs serve /metrics."""

from __future__ import annotations

from collections.abc import Iterator

from openrouter_otel.doctoring.findings import Finding, note, ok, problem, warning
from openrouter_otel.doctoring.here import Stranger
from openrouter_otel.doctoring.setup import Setup


def programs(setup: Setup) -> Iterator[Finding]:
    """Instrumented programs that run here."""
    host, ports, _ = setup.ports
    for program in setup.programs:
        age = "" if program.started is None else f", counting for {_lasting(setup.clock() - program.started)}"
        versions = f"openrouter-otel {program.version}, openai {program.openai_version}"
        yield ok(f"{program.address} serves the metrics of a program ({versions}{age})")
    if not setup.programs:
        where = f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"
        yield note(f"no instrumented program serves metrics at {where} of {host} right now")


def strangers(setup: Setup) -> Iterator[Finding]:
    """Ports that others have taken."""
    _, ports, explicit = setup.ports
    taken = [who for who in setup.answering if isinstance(who, Stranger)]
    for who in taken:
        if explicit:
            yield problem(
                f"{who.address}, which OTEL_EXPORTER_PROMETHEUS_PORT names, is taken by {who.says}",
                "programs serve no metrics as long as it is: name a free port, or none",
            )
        else:
            yield warning(
                f"{who.address} is taken by {who.says}: programs take the next free port, and Prometheus scrapes that"
                " one in their stead",
                "move it, or take this port out of the scrape job",
            )
    if not explicit and len({who.address for who in setup.answering}) == len(ports):
        yield problem(
            f"all {len(ports)} ports are taken: the next program serves no metrics",
            "give it OTEL_EXPORTER_PROMETHEUS_PORT and have Prometheus scrape that port, or keep a journal",
        )


def _lasting(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"
