"""Whole intervals in one row of figures, and the period beside the one before it. Pure."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

from openrouter_otel import names
from openrouter_otel.reporting.durations import mean_ms
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Comparison, Summary, ratio, rounded
from openrouter_otel.reporting.period import Interval, iso
from openrouter_otel.reporting.tally import Tally


def summary(tally: Tally, interval: Interval) -> Summary:
    """One interval whose ends are edges."""
    requests, tokens, details, cost, errors = (
        tally.within(metric, interval)
        for metric in (names.REQUESTS, names.TOKENS, names.TOKENS_DETAIL, names.COST, names.ERRORS)
    )
    return Summary(
        total_requests=int(requests.sum()),
        total_tokens=int(tokens.sum()),
        input_tokens=int(tokens.of(token_type=names.INPUT).sum()),
        output_tokens=int(tokens.of(token_type=names.OUTPUT).sum()),
        cached_input_tokens=int(details.of(token_type="cache_read").sum()),
        reasoning_tokens=int(details.of(token_type="reasoning").sum()),
        total_cost=rounded(cost.sum()),
        avg_latency_ms=mean_ms(tally, interval),
        avg_cost_per_request=ratio(cost.sum(), requests.sum()),
        total_errors=int(errors.sum()),
        error_rate=ratio(errors.sum(), requests.sum()) or ZERO,
        abandoned_requests=int(requests.of(outcome=names.ABANDONED).sum()),
        unpriced_requests=tally.unpriced(interval),
    )


def comparison(tally: Tally) -> Comparison | None:
    """The period beside the one before it; None where the source does not know all of that one."""
    evidence = tally.evidence
    before = evidence.previous
    if evidence.data_since is None or evidence.data_since > before.since:
        return None
    then, now = summary(tally, before), summary(tally, evidence.period)
    return Comparison(
        period={"since": iso(before.since, evidence.tz), "until": iso(before.until, evidence.tz)},
        summary=then,
        change={field.name: _change(getattr(then, field.name), getattr(now, field.name)) for field in fields(Summary)},
    )


def _change(then: Decimal | float | None, now: Decimal | float | None) -> Decimal | None:
    if not then or now is None:
        return None
    return ratio(Decimal(str(now)) - Decimal(str(then)), Decimal(str(then)))
