"""A call as a line of aligned columns. Names are foreign text: a terminal is given nothing to obey. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Final, NamedTuple

from openrouter_otel import names
from openrouter_otel.journal.reading import EndedCall
from openrouter_otel.reporting.render.cells import NOTHING, count, safe, usd
from openrouter_otel.reporting.render.columns import cut, cut_before, padded

UNKNOWN: Final = "unknown"
WIDE: Final = 120  # columns of a terminal from which there is room for more
NARROW: Final = 100  # below, who called what is worth more than the time to the first token
_MILLION: Final = 1_000_000
_USER: Final = range(9, 25)  # the least is "anonymous"
_MODEL: Final = range(18, 41)


class _Column(NamedTuple):
    """How one fact is shown.

    Attributes:
        head: its name.
        width: columns of the terminal; 0 for the last, which takes the rest.
        cell: its text.
        numeric: it stands to the right, and is never cut.
        tells_by_end: of what has to be cut the end is kept, which tells models apart.
    """

    head: str
    width: int
    cell: Callable[[EndedCall], str]
    numeric: bool = False
    tells_by_end: bool = False


class Lines:
    """Lays calls out for a terminal.

    Args:
        columns: how wide it is.
        cut: shorten names so that a call takes one line; else they are whole.
    """

    def __init__(self, columns: int, *, cut: bool) -> None:
        self._columns = columns
        self._cut = cut
        self._gap = "  " if columns >= WIDE else " "
        self._layout = _wide(columns) if columns >= WIDE else _narrow(columns)
        self._before_last = sum(column.width + len(self._gap) for column in self._layout[:-1])

    @property
    def head(self) -> str:
        """The columns' names."""
        return self._joined([column.head for column in self._layout])

    def call(self, call: EndedCall) -> str:
        """A call in a line; in two where the kind of its error would not fit on a terminal."""
        cells = [safe(column.cell(call)) for column in self._layout]
        line = self._joined(cells)
        if call.error_type is None:
            return line
        kind = safe(call.error_type)
        if not self._cut or self._before_last + len(cells[-1]) + 1 + len(kind) <= self._columns:
            return f"{line} {kind}"
        return f"{line}\n{' ' * (self._layout[0].width + len(self._gap))}{kind}"

    def _joined(self, cells: list[str]) -> str:
        return self._gap.join(
            _fitted(cell, column, self._cut) for column, cell in zip(self._layout, cells, strict=True)
        ).rstrip()


def day(call: EndedCall) -> str:
    """The date on which it ended, here."""
    return f"{_local(call):%Y-%m-%d}"


def _local(call: EndedCall) -> datetime:
    return datetime.fromtimestamp(call.ended_at / 1000, timezone.utc).astimezone()


def _narrow(columns: int) -> list[_Column]:
    tokens = [_Column("tokens", 7, _tokens, numeric=True)]
    return _layout(columns, tokens, gap=1, outcome=max(map(len, names.OUTCOMES)))


def _wide(columns: int) -> list[_Column]:
    tokens = [
        _Column("input", 9, lambda call: _known(call, call.input_tokens), numeric=True),
        _Column("output", 7, lambda call: _known(call, call.output_tokens), numeric=True),
    ]
    return _layout(columns, tokens, gap=2, outcome=28)


def _layout(columns: int, tokens: list[_Column], gap: int, outcome: int) -> list[_Column]:
    time = _Column("time", 8, lambda call: f"{_local(call):%H:%M:%S}")
    first = [_Column("first", 6, lambda call: _seconds(call.first_token, NOTHING), numeric=True)]
    figures = [
        *tokens,
        _Column("cost", 10, _cost, numeric=True),
        _Column("took", 6, lambda call: _seconds(call.duration, "?"), numeric=True),
        *(first if columns >= NARROW else []),
    ]
    fixed = time.width + sum(column.width for column in figures) + outcome
    spare = columns - fixed - gap * (len(figures) + 3)
    user = _within(spare * 2 // 5, _USER)
    model = _within(spare - user, _MODEL)
    return [
        time,
        _Column("model", model, lambda call: call.model or names.UNKNOWN, tells_by_end=True),
        _Column("user", user, lambda call: call.user or names.ANONYMOUS),
        *figures,
        _Column("outcome", 0, lambda call: call.outcome),
    ]


def _within(number: int, bounds: range) -> int:
    return min(max(number, bounds[0]), bounds[-1])


def _tokens(call: EndedCall) -> str:
    if call.input_tokens is None and call.output_tokens is None:
        return _known(call, None)
    return count(call.tokens) if call.tokens < _MILLION else f"{call.tokens / _MILLION:,.2f}M"


def _known(call: EndedCall, tokens: int | None) -> str:
    if tokens is not None:
        return count(tokens)
    return NOTHING if call.cost_source == names.FREE_FAILURE else UNKNOWN


def _cost(call: EndedCall) -> str:
    if call.cost is None:
        return NOTHING if call.cost_source == names.FREE_FAILURE else UNKNOWN
    return f"{'~' if call.cost_source == names.ESTIMATED else ''}{usd(call.cost)}"


def _seconds(seconds: float | None, none: str) -> str:
    if seconds is None:
        return none
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 999.5 else f"{seconds / 60:,.0f} min"


def _fitted(text: str, column: _Column, shorten: bool) -> str:
    if not column.width:
        return text
    if column.numeric:
        return text.rjust(column.width)
    if shorten:
        text = (cut_before if column.tells_by_end else cut)(text, column.width)
    return padded(text, column.width)
