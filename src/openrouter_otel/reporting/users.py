"""The period by user: what each spent and on which models, and how long they waited. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.breakdowns import ranked, unpriced_by
from openrouter_otel.reporting.grouping import always
from openrouter_otel.reporting.latency import Latency
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import UserUsage, ratio, rounded
from openrouter_otel.reporting.tally import Tally


def users(tally: Tally, latencies: Mapping[str, Latency]) -> dict[str, UserUsage]:
    """Every user, dearest first; `latencies` are theirs as far as histograms know them."""
    calls, tokens, cost, errors = (
        tally.period(metric).by(books.user) for metric in (names.REQUESTS, names.TOKENS, names.COST, names.ERRORS)
    )
    models = tally.period(names.REQUESTS).grouped(books.user)
    unpriced = unpriced_by(tally, always(books.user))
    whole = sum(cost.values(), ZERO)
    return {
        name: UserUsage(
            requests=int(calls.get(name, ZERO)),
            tokens=int(tokens.get(name, ZERO)),
            cost=rounded(cost.get(name, ZERO)),
            models_used=tuple(sorted(models[name].by(books.model))) if name in models else (),
            share=ratio(cost.get(name, ZERO), whole),
            errors=int(errors.get(name, ZERO)),
            latency=latencies.get(name, Latency(0)),
            unpriced_requests=unpriced.get(name, 0),
        )
        for name in ranked(cost, calls, tokens, errors)
    }
