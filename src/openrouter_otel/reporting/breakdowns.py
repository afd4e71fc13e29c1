"""The period by model, provider or any other label: usage, shares, and what a million tokens really cost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

from openrouter_otel import names
from openrouter_otel.reporting import books
from openrouter_otel.reporting.books import Totals
from openrouter_otel.reporting.durations import means_ms
from openrouter_otel.reporting.grouping import KeyFor, by_label
from openrouter_otel.reporting.identity import Series
from openrouter_otel.reporting.ledger import ZERO
from openrouter_otel.reporting.model import Breakdown, Price, Showback, ratio, rounded
from openrouter_otel.reporting.tally import Tally

MILLION: Final = 1_000_000
K = TypeVar("K")


def breakdown(tally: Tally, key_for: KeyFor) -> dict[str, Breakdown]:
    """The period by group, dearest first."""
    requests, cost, errors = (
        tally.period(metric).by(key_for(tally, metric, "")) for metric in (names.REQUESTS, names.COST, names.ERRORS)
    )
    tokens, details = (
        _by_type(tally.period(metric), key_for(tally, metric, "")) for metric in (names.TOKENS, names.TOKENS_DETAIL)
    )
    timed, seconds = (tally.period(names.DURATION, part) for part in ("_count", "_sum"))
    latencies = means_ms(timed, seconds, key_for(tally, names.DURATION, "_count"))  # both parts have the same series
    used, unpriced = _added(tokens), unpriced_by(tally, key_for)
    whole = sum(cost.values(), ZERO)
    rows = {}
    for name in ranked(cost, requests, used, errors):
        calls, spent, all_tokens = requests.get(name, ZERO), cost.get(name, ZERO), used.get(name, ZERO)
        prompt, cached = tokens.get((name, names.INPUT), ZERO), details.get((name, "cache_read"), ZERO)
        rows[name] = Breakdown(
            requests=int(calls),
            tokens=int(all_tokens),
            cost=rounded(spent),
            avg_latency_ms=latencies.get(name),
            cost_per_request=ratio(spent, calls),
            errors=int(errors.get(name, ZERO)),
            error_rate=ratio(errors.get(name, ZERO), calls) or ZERO,
            cost_per_million_tokens=ratio(spent * MILLION, all_tokens),
            share=ratio(spent, whole),
            input_tokens=int(prompt),
            output_tokens=int(tokens.get((name, names.OUTPUT), ZERO)),
            cached_input_tokens=int(cached),
            reasoning_tokens=int(details.get((name, "reasoning"), ZERO)),
            cache_hit_share=ratio(cached, prompt),
            unpriced_requests=unpriced.get(name, 0),
        )
    return rows


def unpriced_by(tally: Tally, key_for: KeyFor) -> dict[str, int]:
    """The period's calls of unknown price by group, without those whose price was found out within it."""
    unknown = tally.period(names.REQUESTS).of(cost_source=names.UNPRICED).by(key_for(tally, names.REQUESTS, ""))
    found = tally.period(names.RESOLVED).by(key_for(tally, names.RESOLVED, ""))
    return {name: int(max(number - found.get(name, ZERO), ZERO)) for name, number in unknown.items()}


def showback(tally: Tally, group_by: str) -> Showback:
    """The period by whatever label was asked for."""
    return Showback(group_by, breakdown(tally, by_label(group_by)))


def effective_prices(tally: Tally) -> dict[str, dict[str, Price]]:
    """By model, then provider; dearest first."""

    def key(series: Series) -> tuple[str, str]:
        return books.model(series), books.provider(series)

    requests, tokens, cost = (tally.period(metric).by(key) for metric in (names.REQUESTS, names.TOKENS, names.COST))
    models = tally.period(names.COST).by(books.model)
    prices: dict[str, dict[str, Price]] = {
        model: {} for model in ranked(models, {model: ZERO for model, _ in {**requests, **tokens}})
    }
    for pair in ranked(cost, requests, tokens):
        used, spent = tokens.get(pair, ZERO), cost.get(pair, ZERO)
        prices[pair[0]][pair[1]] = Price(
            requests=int(requests.get(pair, ZERO)),
            tokens=int(used),
            cost=rounded(spent),
            cost_per_million_tokens=ratio(spent * MILLION, used),
        )
    return prices


def ranked(first: Mapping[K, Decimal], *others: Mapping[K, Decimal]) -> list[K]:
    """Every name of any table, the largest amount of the first table at the top, equals by name."""
    return sorted({*first}.union(*others), key=lambda name: (-first.get(name, ZERO), name))


def _by_type(tokens: Totals, key: Callable[[Series], str]) -> dict[tuple[str, str], Decimal]:
    return tokens.by(lambda series: (key(series), series.get(names.TOKEN_TYPE) or names.UNKNOWN))


def _added(tokens: Mapping[tuple[str, str], Decimal]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for (name, _), amount in tokens.items():
        sums[name] = sums.get(name, ZERO) + amount
    return sums
