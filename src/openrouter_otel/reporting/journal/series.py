"""What the sums of a journal's series add to which metric. Pure.

Series carry every label that a call has, on every metric, also those that Prometheus keeps on some metrics only: tokens
by outcome, costs by finish reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from openrouter_otel import names
from openrouter_otel.reporting.identity import Series, key

_COLUMNS: Final = {
    names.MODEL: "model",
    names.REQUESTED_MODEL: "requested_model",
    names.UPSTREAM: "provider",
    names.OPERATION: "operation",
    names.USER: "user_id",
    names.OUTCOME: "outcome",
    names.COST_SOURCE: "cost_source",
    names.FINISH_REASON: "finish_reason",
    names.label(names.ERROR_TYPE): "error_type",
    names.label(names.SERVICE_NAME): "service_name",
    names.label(names.ENVIRONMENT): "environment",
}
# Money's columns, with where the price came from and who gets it.
_PAID: Final = {
    "charged": {names.COST_SOURCE: names.REPORTED, names.PAYEE: names.OPENROUTER},
    "estimated": {names.COST_SOURCE: names.ESTIMATED, names.PAYEE: names.OPENROUTER},
    "provider_cost": {names.COST_SOURCE: names.ESTIMATED, names.PAYEE: names.PROVIDER},
}
# What is observed, with the columns that hold how often, and the sum.
_OBSERVED: Final = (
    (names.DURATION, "timed", "seconds"),
    (names.FIRST_TOKEN, "first_tokens", "first_token_seconds"),
    (names.OUTPUT_RATE, "rates", "rate_sum"),
)
METRICS: Final = (
    *(metric.prometheus for metric in (names.REQUESTS, names.ERRORS, names.TOKENS, names.TOKENS_DETAIL, names.COST)),
    *(f"{metric.prometheus}{part}" for metric, _, _ in _OBSERVED for part in ("_count", "_sum")),
)


class Share(NamedTuple):
    """A column that goes to a metric.

    Attributes:
        metric: its Prometheus name.
        series: under which labels.
        column: of the sums.
        less: another one that is to be subtracted; "" for none.
    """

    metric: str
    series: Series
    column: str
    less: str = ""


def labels(identity: str, row: Mapping[str, str]) -> dict[str, str]:
    """The labels of a row of the table ``series``, as /metrics would have them."""
    found = {label: row[column] for label, column in _COLUMNS.items()}
    if row["requested_model"] == row["model"]:
        found[names.REQUESTED_MODEL] = ""
    found[names.USER] = row["user_id"] or names.ANONYMOUS
    tags = json.loads(row["metric_tags"] or "{}")
    found |= {names.label(f"{names.TAG_PREFIX}{tag}"): text for tag, text in tags.items()}
    return {names.PROCESS: identity, **{label: text for label, text in found.items() if text}}


def series_of(known: Mapping[str, str], **more: str) -> Series:
    """Calls with these labels, and a metric's own."""
    return Series(key({**known, **more}))


def shares(known: Mapping[str, str]) -> Iterator[Share]:
    """Where the sums of calls with these labels go."""

    def series(**more: str) -> Series:
        return series_of(known, **more)

    # A price that was found out later is no longer unknown.
    yield Share(names.REQUESTS.prometheus, series(), "requests", less="resolved")
    yield Share(names.REQUESTS.prometheus, series(cost_source=names.REPORTED), "resolved")
    if known[names.OUTCOME] == names.ERROR:
        yield Share(names.ERRORS.prometheus, series(), "requests")
    yield Share(names.TOKENS.prometheus, series(token_type=names.INPUT), "input_tokens")
    yield Share(names.TOKENS.prometheus, series(token_type=names.OUTPUT), "output_tokens")
    for kind in names.TOKEN_DETAILS:
        yield Share(names.TOKENS_DETAIL.prometheus, series(token_type=kind), kind)
    for column, more in _PAID.items():
        yield Share(names.COST.prometheus, series(**more), column)
    for metric, count, total in _OBSERVED:
        yield Share(f"{metric.prometheus}_count", series(), count)
        yield Share(f"{metric.prometheus}_sum", series(), total)
