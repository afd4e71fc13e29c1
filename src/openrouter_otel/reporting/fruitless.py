"""Spend that bought nothing: calls that failed or were given up, answers cut short, caches never read. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.books import Totals
from openrouter_otel.reporting.breakdowns import ranked
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import CacheUse, FruitlessSpend, Spend, known, ratio, rounded
from openrouter_otel.reporting.tally import NOTHING, Tally

FRUITLESS: Final = (names.ERROR, names.ABANDONED, names.CANCELLED)
CUT_SHORT: Final = "length"  # the finish reason at the token limit


def fruitless(tally: Tally) -> FruitlessSpend:
    """What the period paid for and got nothing from."""
    requests, cost = tally.period(names.REQUESTS), tally.period(names.COST)
    later = tally.period(names.RESOLVED)
    by_model = Totals({series: amount for series, amount in cost.items() if series.get(names.OUTCOME) in FRUITLESS}).by(
        books.model
    )
    lost = sum(by_model.values(), ZERO)
    return FruitlessSpend(
        cost=rounded(lost),
        share=ratio(lost, cost.sum()),
        by_outcome={
            name: _spend(requests.of(outcome=name), cost.of(outcome=name), later.of(outcome=name)) for name in FRUITLESS
        },
        by_model={name: rounded(by_model[name]) for name in ranked(by_model)},
        truncated=_truncated(requests, cost),
        cache_never_read=_never_read(tally.period(names.TOKENS_DETAIL)),
    )


def _spend(requests: Totals, cost: Totals, later: Totals) -> Spend:
    """`later`: calls whose price was found out after they ended."""
    calls, paid = int(requests.sum()), rounded(cost.sum())
    unpriced = int(max(requests.of(cost_source=names.UNPRICED).sum() - later.sum(), ZERO))
    return Spend(calls, known(paid, calls, unpriced), unpriced)


def _truncated(requests: Totals, cost: Totals) -> Spend:
    """No metric has the cost by finish reason; a journal has, and without any cost it is plain."""
    well = cost.of(outcome=names.OK)
    told = not well.sum() or any(series.get(names.FINISH_REASON) for series, _ in well.items())
    spend = _spend(requests.of(finish_reason=CUT_SHORT, outcome=names.OK), well.of(finish_reason=CUT_SHORT), NOTHING)
    return spend if told or not spend.requests else replace(spend, cost=None)


def _never_read(details: Totals) -> dict[str, CacheUse]:
    written, read = (details.of(token_type=kind).by(books.model) for kind in ("cache_write", "cache_read"))
    return {model: CacheUse(written=int(written[model]), read=0) for model in ranked(written) if not read.get(model)}
