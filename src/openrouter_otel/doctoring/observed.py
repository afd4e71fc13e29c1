"""What a program that was run has told of itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

# Why a call was measured or not: the first that holds.
DISABLED: Final = "disabled"  # by OTEL_SDK_DISABLED
UNINSTRUMENTED: Final = "uninstrumented"  # at that moment
ELSEWHERE: Final = "elsewhere"  # to a host that is not OpenRouter's
SUPPRESSED: Final = "suppressed"  # by OpenTelemetry's context
OTHER: Final = "other"  # such as a list of models
MEASURED: Final = "measured"


@dataclass
class Observed:
    """One process, as it was when it told so last.

    Attributes:
        pid: of the operating system.
        python: its interpreter.
        installed: openai can be imported there.
        openai: the client's version once it was imported; None: it never was.
        instrumented: `instrument()` has been called, ever.
        disabled: OTEL_SDK_DISABLED is set.
        process: our identity of it.
        calls: how many, by ``why host``.
        readers: kinds of the readers of its own MeterProvider; None: it has none of its own, or does not tell.
        ours: a reader of ours is in use.
        serves: the port of our own /metrics; None: there is none.
        journal: the path of its journal.
        company: other instrumentations of the openai client that are active.
        said: our warnings and errors, each once.
    """

    pid: int = 0
    python: str = ""
    installed: bool = False
    openai: str | None = None
    instrumented: bool = False
    disabled: bool = False
    process: str = ""
    calls: dict[str, int] = field(default_factory=dict)
    readers: list[str] | None = None
    ours: bool = False
    serves: int | None = None
    journal: str | None = None
    company: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def measured(self) -> int:
        """Calls that were."""
        return sum(self.because(MEASURED).values())

    def because(self, why: str) -> dict[str, int]:
        """Calls of one kind, by host."""
        return {key.partition(" ")[2]: count for key, count in self.calls.items() if key.startswith(f"{why} ")}


def most_telling(told: Iterable[Mapping[str, Any]]) -> Observed | None:
    """Of all processes that a command has started, the one that made the most calls, else imported the client."""
    known = {each.name for each in fields(Observed)}
    found = [Observed(**{name: value for name, value in one.items() if name in known}) for one in told]
    return max(found, key=lambda one: (sum(one.calls.values()), one.openai is not None, -one.pid), default=None)
