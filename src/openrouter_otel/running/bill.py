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
from openrouter_otel.reporting.render.columns import folded, padded, width
from openrouter_otel.wording import counted

_MODEL: Final = "model"
_FIGURES: Final = ("calls", "tokens", "cost", "unpriced")
_GAP: Final = "  "
_LEAST: Final = 12  # columns of a model's name
_NONE: Final = "; if there should be some, ask openrouter-otel doctor -- command ..."


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


def told(bill: Bill, columns: int | None = None) -> str:
    """A line of all, and a table by model, the dearest first.

    Args:
        bill: what there is to tell.
        columns: how wide the terminal is; None where it is none, and names are whole.
    """
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
    none = "" if bill.total.calls or bill.lost else _NONE
    return "\n".join([", ".join(parts) + none, *_table(bill, columns)]) + "\n"


def _cost(line: Line) -> str:
    return names.UNPRICED if line.unpriced == line.calls and not line.cost else usd(line.cost)


def _table(bill: Bill, columns: int | None) -> Iterator[str]:
    if not bill.models:
        return
    dearest = sorted(bill.models.items(), key=lambda item: (-item[1].cost, item[0]))
    figures = [(count(line.calls), count(line.tokens), _cost(line), count(line.unpriced)) for _, line in dearest]
    shown = len(_FIGURES) if bill.total.unpriced else len(_FIGURES) - 1
    widths = [max(len(row[place]) for row in (_FIGURES, *figures)) for place in range(shown)]
    models = [safe(model) for model, _ in dearest]
    room = max(map(width, (_MODEL, *models)))
    if columns is not None:
        room = min(room, max(columns - sum(widths) - len(_GAP) * shown, _LEAST))
    for model, row in zip((_MODEL, *models), (_FIGURES, *figures), strict=True):
        name, *rest = folded(model, room).split("\n")
        cells = (cell.rjust(right) for cell, right in zip(row, widths, strict=False))
        yield _GAP.join((padded(name, room), *cells))
        yield from rest
