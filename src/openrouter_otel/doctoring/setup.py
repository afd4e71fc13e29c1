"""What is looked at: each thing once, and not before a check asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property

from openrouter_otel import settings
from openrouter_otel.doctoring import here
from openrouter_otel.doctoring.arguments import Arguments
from openrouter_otel.doctoring.here import Program, Stranger
from openrouter_otel.doctoring.observed import Observed
from openrouter_otel.doctoring.source import OURS, START, WINDOWS, Source, a_few, within
from openrouter_otel.journal.inspecting import Condition, inspect
from openrouter_otel.journal.store import JournalError
from openrouter_otel.metrics_endpoint import PORTS
from openrouter_otel.reporting.evidence import SourceError

Clock = Callable[[], float]


class Setup:
    """A setup as it is seen from this desk.

    Args:
        arguments: what to look at; AddressError or AccessError if they make no sense.
        ran: the status with which a program has ended that was run to be looked at; None: none was.
        observed: that program seen from inside; None: nothing was seen.
        clock: tells the time in seconds since the epoch.

    Attributes:
        source: the Prometheus.
        named: somebody has named it.
        ran: as given.
        observed: as given.
        clock: as given.
        journal_path: of the journal that somebody has named, or that the program keeps; None: none.
    """

    def __init__(
        self, arguments: Arguments, ran: int | None = None, observed: Observed | None = None, clock: Clock = time.time
    ) -> None:
        self.source = Source(arguments.prometheus, arguments.access, arguments.timeout)
        self.named = arguments.named
        self.ran = ran
        self.observed = observed
        self.clock = clock
        self.journal_path = arguments.journal or (observed.journal if observed else None)

    # --- this host ---
    @cached_property
    def ports(self) -> tuple[str, list[int], bool]:
        """Host and ports where programs of this environment serve, and whether somebody has named the port."""
        host, explicit = settings.metrics_address()
        return host, list(PORTS) if explicit is None else [explicit], explicit is not None

    @cached_property
    def answering(self) -> list[Program | Stranger]:
        """Whoever answers at these ports."""
        host, ports, _ = self.ports
        return list(here.look(host, ports))

    @property
    def programs(self) -> list[Program]:
        """Instrumented programs among them."""
        return [who for who in self.answering if isinstance(who, Program)]

    @cached_property
    def journal(self) -> Condition | JournalError | None:
        """How the journal is, or why that cannot be said; None: there is none."""
        if self.journal_path is None:
            return None
        try:
            return inspect(self.journal_path)
        except JournalError as error:
            return error

    # --- Prometheus; each may raise SourceError ---
    @cached_property
    def away(self) -> SourceError | None:
        """Why Prometheus cannot be asked; None: it can."""
        try:
            self.now  # noqa: B018  # asks
        except SourceError as error:
            return error
        return None

    @property
    def now(self) -> int:
        """Prometheus' clock in ms, when it was first asked."""
        return self._clocks[0]

    @property
    def ahead(self) -> float:
        """Seconds that its clock was ahead of this host's at that moment, however long the checks take since."""
        return self._clocks[1]

    @cached_property
    def _clocks(self) -> tuple[int, float]:
        asked = self.clock()
        now = self.source.now()
        theirs = now / 1000
        return now, theirs - min(max(theirs, asked), self.clock())

    @cached_property
    def window(self) -> int | None:
        """The shortest of the windows (ms) that has samples of ours, however they are named; None: there are none."""
        return next((window for window in WINDOWS if self.source.ask(f"count({within(OURS, window)})", self.now)), None)

    @cached_property
    def sampled(self) -> list[str]:
        """A few processes that Prometheus has seen lately, the longest-lived first."""
        found = self.source.ask(a_few(START, self.window or 0, '{process!=""}'), self.now) if self.window else []
        return [reading.labels["process"] for reading in found]
