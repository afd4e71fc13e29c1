"""Checks of what is installed beside us, and of the settings in the environment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import metadata
from typing import Final

from packaging.requirements import Requirement

from openrouter_otel import settings
from openrouter_otel.doctoring.findings import Finding, note, ok, problem, warning
from openrouter_otel.doctoring.setup import Setup

_US: Final = "openrouter-otel"
_CLIENT: Final = "openai"
_TOLD: Final = (_CLIENT, "opentelemetry-sdk")  # the others follow from these
_PRICES: Final = "genai-prices"


def packages(_: Setup) -> Iterator[Finding]:
    """Whether what we build on is there in a version that is known to work."""
    fitting = [f"{_US} {metadata.version(_US)}"]
    for requirement in map(Requirement, metadata.requires(_US) or []):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": "instruments"}):
            continue
        version = _version(requirement.name)
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            fitting += [f"{requirement.name} {version}"] if requirement.name in _TOLD else []
        elif version is not None:
            yield problem(
                f"{requirement.name} {version} is installed, and {requirement.specifier} is supported",
                f"pip install '{requirement.name}{requirement.specifier}'",
            )
        elif requirement.name == _CLIENT:
            yield note("openai is not installed here: reports do without, programs that make calls do not")
        else:
            yield problem(f"{requirement.name} is not installed", f"pip install '{_US}'")
    yield ok(f"supported versions are installed: {', '.join(fitting)}")


def environment(_: Setup) -> Iterator[Finding]:
    """Whether the variables of this environment have values that the settings take."""
    heard = _Heard()
    log = logging.getLogger("openrouter_otel")
    log.addFilter(heard)
    try:
        wanted = settings.resolve({})
        settings.metrics_address()
    finally:
        log.removeFilter(heard)
    for record in heard.records:
        what, *rest = record.getMessage().split("; ", 1)
        advice = f"as it is: {rest[0]}" if rest else "see the README's table of settings"
        yield (problem if record.levelno >= logging.ERROR else warning)(what, advice)
    if settings.sdk_disabled():
        yield problem("OTEL_SDK_DISABLED is set: nothing is measured in programs of this environment", "take it away")
    if wanted.estimate_costs and _version(_PRICES) is None:
        yield note(
            "estimate_costs is on and genai-prices is not installed: usage that comes without a cost stays unpriced",
            "pip install 'openrouter-otel[prices]'",
        )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


class _Heard(logging.Filter):
    """Keeps what is logged, and keeps it from being logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.records.append(record)
        return False
