"""What several boards ask for in the same words: labels, conditions, columns."""

from __future__ import annotations

from openrouter_otel import names
from openrouter_otel.names import COST, DURATION, ERRORS, REQUESTS, TOKENS, TOKENS_DETAIL, Metric, label

from .panels import COUNT, EVERY_ONE, SECONDS, SHARE, USD, Column, Series
from .promql import RANGE, Window, among_largest, counted, counted_or_zero, error_ratio, largest, quantile, ratio

MODEL = label(names.MODEL)
PROVIDER = label(names.UPSTREAM)
USER = label(names.USER)
ERROR_TYPE = label(names.ERROR_TYPE)
BY_MODEL = (MODEL,)
BY_PROVIDER = (PROVIDER,)
BY_USER = (USER,)

WENT_WELL = {names.OUTCOME: names.OK}
BOUGHT_NOTHING = {names.OUTCOME: f"!{names.OK}"}
WITH_A_PROVIDER = {names.UPSTREAM: "!"}  # an answer need not tell, and where none came there was none
UNPRICED = {names.COST_SOURCE: names.UNPRICED}

OTHERS = "all others"
TOP = 10
RANKED = 7  # bars with their names above them beside a chart
FEW = 5  # as many names as fit below a chart of half the width

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
PERCENTILE_COLORS = {"p50": "light-blue", "p95": "blue", "p99": "orange"}
TOKEN_COLORS = {names.INPUT: "light-blue", names.OUTPUT: "dark-blue"}
OUTCOME_COLORS = {names.ERROR: "red", names.ABANDONED: "orange", names.CANCELLED: "yellow", names.OK: "green"}
OTHERS_COLOR = {OTHERS: "#7f8487", names.OTHER: "#5a5f63"}  # greys: nobody in particular


def split(metric: Metric, by: str, count: int = FEW) -> list[Series]:
    """A counter per bar, by the largest of a label and all others."""
    each, rest = largest(metric, by, count)
    return [Series(each, f"{{{{{by}}}}}"), Series(rest, OTHERS)]


def followed(expr: str, metric: Metric, by: str) -> list[Series]:
    """A level over time, for the values of a label that are used most."""
    return [Series(among_largest(expr, metric, by, FEW), f"{{{{{by}}}}}")]


def called(expr: str, by: str) -> str:
    """With the label ``name``: what `by` says, and a word where it says nothing."""
    unknown = f'label_replace({expr}, "name", "{names.UNKNOWN}", "{by}", "")'
    return f'label_replace({unknown}, "name", "$1", "{by}", "(.+)")'


def price_per_million(by: tuple[str, ...] = (), window: Window = RANGE) -> str:
    """USD per million tokens as billed: whatever was spent, over whatever was used."""
    return ratio(f"1e6 * {counted(COST, by, window)}", counted(TOKENS, by, window))


def cached_share(by: tuple[str, ...] = (), window: Window = RANGE) -> str:
    """The share of input tokens that were read from a provider's cache; 0 where none was."""
    given = counted(TOKENS, by, window, {names.TOKEN_TYPE: names.INPUT})
    read = counted(TOKENS_DETAIL, by, window, {names.TOKEN_TYPE: "cache_read"})
    return ratio(f"({read} or 0 * {given})", given)


def usage(by: tuple[str, ...]) -> list[Column]:
    """How much."""
    return [
        Column("Spend", counted_or_zero(COST, by), USD),
        Column("Requests", counted(REQUESTS, by), EVERY_ONE),
        Column("Tokens", counted_or_zero(TOKENS, by), COUNT),
    ]


def prices(by: tuple[str, ...]) -> list[Column]:
    """How dear."""
    return [
        Column("Per request", ratio(counted(COST, by), counted(REQUESTS, by)), USD),
        Column("Per million", price_per_million(by), USD),
    ]


def service(by: tuple[str, ...]) -> list[Column]:
    """How well."""
    return [
        Column("Error ratio", error_ratio(by), SHARE),
        Column("p95 latency", quantile(0.95, DURATION, by, where=WENT_WELL), SECONDS),
    ]


def errors_by_type() -> list[Series]:
    """Failed calls per bar."""
    each, rest = largest(ERRORS, ERROR_TYPE, FEW)
    return [Series(each, f"{{{{{ERROR_TYPE}}}}}"), Series(rest, OTHERS)]
