"""What a run came to: every figure from its calls, and the few lines that tell them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from openrouter_otel import names
from openrouter_otel.exact import plus
from openrouter_otel.journal.reading import EndedCall
from openrouter_otel.reporting.render.cells import count, safe, usd
from openrouter_otel.wording import counted

_HEAD: Final = ("model", "calls", "tokens", "cost", "unpriced")


@dataclass
class Line:
    """Calls of one model."""

    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def add(self, call: EndedCall) -> None:
        """One more; unknown is not zero, so it is counted apart."""
        self.calls += 1
        self.tokens += call.tokens
        self.cost = plus(self.cost, call.cost or 0)
        self.unpriced += call.cost_source == names.UNPRICED


@dataclass
class Bill:
    """Calls so far.

    Attributes:
        total: all of them.
        models: by the model that served.
        outcomes: how many ended how.
        durations: seconds of those that went well.
        lost: how many more could not be written down.
    """

    total: Line = field(default_factory=Line)
    models: dict[str, Line] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    durations: list[float] = field(default_factory=list)
    lost: int = 0

    def add(self, calls: Iterable[EndedCall]) -> None:
        """More calls."""
        for call in calls:
            self.total.add(call)
            self.models.setdefault(call.model or names.UNKNOWN, Line()).add(call)
            self.outcomes[call.outcome] = self.outcomes.get(call.outcome, 0) + 1
            if call.outcome == names.OK and call.duration is not None:
                self.durations.append(call.duration)

    @property
    def p95(self) -> float | None:
        """Seconds within which 95 % of the calls that went well did so."""
        ordered = sorted(self.durations)
        return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else None


def told(bill: Bill) -> str:
    """A line of all, and a table by model, the dearest first."""
    parts = [counted(bill.total.calls, "call"), usd(bill.total.cost)]
    if (p95 := bill.p95) is not None:
        parts.append(f"p95 {p95:,.1f} s" if p95 >= 1 else f"p95 {p95 * 1000:,.0f} ms")
    for outcome, word in ((names.ERROR, "error"), (names.ABANDONED, ""), (names.CANCELLED, "")):
        if number := bill.outcomes.get(outcome, 0):
            parts.append(counted(number, word) if word else f"{count(number)} {outcome}")
    if bill.total.unpriced:
        parts.append(f"{counted(bill.total.unpriced, 'call')} of unknown price")
    if bill.lost:
        parts.append(f"{counted(bill.lost, 'call')} not written down")
    return "\n".join([", ".join(parts), *_table(bill)]) + "\n"


def _cost(line: Line) -> str:
    return names.UNPRICED if line.unpriced == line.calls and not line.cost else usd(line.cost)


def _table(bill: Bill) -> Iterator[str]:
    if not bill.models:
        return
    dearest = sorted(bill.models.items(), key=lambda item: (-item[1].cost, item[0]))
    rows = [
        (safe(model), count(line.calls), count(line.tokens), _cost(line), count(line.unpriced))
        for model, line in dearest
    ]
    columns = len(_HEAD) if bill.total.unpriced else len(_HEAD) - 1
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(columns)]
    for row in (_HEAD, *rows):
        yield "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
