"""The CSV's lines: each day by model and user, or by the label that `--group-by` names. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.books import Totals
from openrouter_otel.reporting.durations import means_ms
from openrouter_otel.reporting.grouping import KeyFor, always, by_label
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Row, rounded
from openrouter_otel.reporting.tally import NOTHING, Tally

Columns = dict[str, KeyFor]


def columns(group_by: str | None) -> Columns:
    """Names of the columns that tell rows apart, with what they hold."""
    if group_by is None:
        return {"model": always(books.model), "user_id": always(books.user)}
    return {"user_id" if group_by == names.USER else group_by: by_label(group_by)}


def rows(tally: Tally, told_apart: Columns) -> tuple[Row, ...]:
    """One per day and group that had any usage, in order of both."""
    days = {day for metric in (names.REQUESTS, names.TOKENS, names.COST, names.ERRORS) for day in tally.by_day(metric)}
    return tuple(row for day in sorted(days) for row in _of_day(tally, day, told_apart))


def _of_day(tally: Tally, day: date, told_apart: Columns) -> Iterator[Row]:
    def gained(metric: names.Metric, part: str = "") -> Totals:
        return tally.by_day(metric, part).get(day, NOTHING)

    def by(metric: names.Metric, part: str = "") -> _Keys:
        return _Keys(tally, metric, part, told_apart)

    requests, cost, errors = (gained(each).by(by(each)) for each in (names.REQUESTS, names.COST, names.ERRORS))
    prompt, answer = (
        gained(names.TOKENS).of(token_type=kind).by(by(names.TOKENS)) for kind in (names.INPUT, names.OUTPUT)
    )
    timed, seconds = (gained(names.DURATION, part) for part in ("_count", "_sum"))
    latencies = means_ms(timed, seconds, by(names.DURATION, "_count"))
    for group in sorted({*requests, *prompt, *answer, *cost, *errors}):
        yield Row(
            date=day.isoformat(),
            group=group,
            requests=int(requests.get(group, ZERO)),
            input_tokens=int(prompt.get(group, ZERO)),
            output_tokens=int(answer.get(group, ZERO)),
            cost=rounded(cost.get(group, ZERO)),
            avg_latency_ms=latencies.get(group),
            errors=int(errors.get(group, ZERO)),
        )


class _Keys:
    """A series' value in each of the columns."""

    def __init__(self, tally: Tally, metric: names.Metric, part: str, told_apart: Columns) -> None:
        self._keys = [key_for(tally, metric, part) for key_for in told_apart.values()]

    def __call__(self, series: Series) -> tuple[str, ...]:
        return tuple(key(series) for key in self._keys)
