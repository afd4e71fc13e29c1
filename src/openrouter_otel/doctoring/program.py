"""Checks of a program from what it has told of itself. Without one they find nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openrouter_otel.doctoring.findings import Finding, note, ok, problem, warning
from openrouter_otel.doctoring.observed import (
    ELSEWHERE,
    MEASURED,
    SUPPRESSED,
    UNINSTRUMENTED,
)
from openrouter_otel.doctoring.setup import Setup
from openrouter_otel.facts.request import HOST
from openrouter_otel.wording import counted

_LINE = "OpenRouterInstrumentor().instrument()"


def ran(setup: Setup) -> Iterator[Finding]:
    """How it ended, and whether it could be looked into."""
    if setup.ran is None:
        return
    if setup.observed is None:
        yield problem(
            "the program has imported neither openai nor openrouter_otel, or could not be looked into",
            "give the command that starts your Python program; openrouter-otel must be installed for that Python, and"
            " python -I, -S or opentelemetry-instrument let nobody look in",
        )
    if setup.ran:
        yield note(f"the program ended with status {setup.ran}")


def client(setup: Setup) -> Iterator[Finding]:
    """Whether the client and we are there."""
    seen = setup.observed
    if seen is None:
        return
    if not seen.installed:
        yield problem(f"openai is not installed for {seen.python}", "pip install 'openrouter-otel[instruments]' there")
    elif seen.openai is None:
        yield warning(
            "the program never imported openai, so nothing could be measured",
            "have it make a call; calls by other means are counted by record()",
        )
    elif not seen.calls:
        yield warning("the program made no call, so only its set-up was looked at", "have it make one")


def instrumented(setup: Setup) -> Iterator[Finding]:
    """Whether calls were made while it was measured."""
    seen = setup.observed
    if seen is None or seen.openai is None:
        return
    early = seen.because(UNINSTRUMENTED)
    if seen.disabled:
        yield problem("OTEL_SDK_DISABLED is set for the program: nothing is measured", "take it away")
    elif not seen.instrumented:
        made = f": {_calls(early)} not measured" if early else ""
        yield problem(
            f"the program is not instrumented{made}",
            f"add {_LINE} where it begins, or start it with openrouter-otel run -- ...",
        )
    elif early:
        yield problem(
            f"{_calls(early)} made while the program was not instrumented",
            f"call {_LINE} first, and uninstrument() last",
        )
    if suppressed := seen.because(SUPPRESSED):
        yield problem(
            f"{_calls(suppressed)} not measured: instrumentation was suppressed around them",
            "find who calls suppress_instrumentation(), often another instrumentation or an exporter",
        )


def destinations(setup: Setup) -> Iterator[Finding]:
    """Whether the calls that were made went to OpenRouter."""
    seen = setup.observed
    if seen is None:
        return
    if measured := seen.because(MEASURED):
        yield ok(f"{_calls(measured)} measured")
    for host, count in sorted(seen.because(ELSEWHERE).items()):
        what = f"{_calls({host: count})} not measured: that is not {HOST}"
        advice = f"where it is a gateway to OpenRouter: instrument(base_urls=[{host!r}]) or OPENROUTER_OTEL_BASE_URLS"
        yield warning(what, advice) if measured else problem(what, advice)


def provider(setup: Setup) -> Iterator[Finding]:
    """Where its metrics go."""
    seen = setup.observed
    if seen is None or not seen.instrumented or seen.disabled:
        return
    if seen.serves:
        yield ok(f"the program serves its metrics at port {seen.serves}")
    if seen.journal:
        yield ok(f"the program keeps the journal {seen.journal}")
    if seen.readers is not None and not seen.ours:
        yield from _own(seen.readers)


def _own(readers: list[str]) -> Iterator[Finding]:
    if not readers:
        yield problem(
            "the program's own MeterProvider has no reader: its metrics go nowhere",
            "give it openrouter_otel.metrics_reader(), or a reader that pushes",
        )
    elif any("Prometheus" in reader for reader in readers):
        yield warning(
            f"the program's own MeterProvider is scraped through {', '.join(readers)}, which is none of ours: scope"
            " labels and OpenTelemetry's limit of 2,000 series may come between",
            "use openrouter_otel.metrics_reader() there",
        )
    else:
        yield note(f"the program's own MeterProvider sends its metrics through {', '.join(readers)}")


def company(setup: Setup) -> Iterator[Finding]:
    """Others that measure the same client."""
    if setup.observed is not None and setup.observed.company:
        yield note(
            f"others measure the same calls: {', '.join(setup.observed.company)}; each makes a span of its own",
            "where one span a call is enough, switch one of them off",
        )


def said(setup: Setup) -> Iterator[Finding]:
    """What we have warned of in its log."""
    for text in setup.observed.said if setup.observed else ():
        what, _, advice = text.partition("; ")
        yield problem(f"the program was warned: {what}", advice or "see the program's log")


def _calls(by_host: Mapping[str, int]) -> str:
    count = sum(by_host.values())
    return f"{counted(count, 'call')} to {', '.join(sorted(by_host))} {'was' if count == 1 else 'were'}"
