"""Recording rules: what a minute added, and the ratios and quantiles that alerts compare.

Boards count selected ranges from the counters themselves, exactly and without any rule. Rules are for windows that no
range selects: burn rates, the pace of a week, budgets. They keep the five labels that boards filter by, so a month of
them costs little to read however many processes came and went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openrouter_otel import names
from openrouter_otel.budget_rules import BEFORE_IT, LAST_MINUTE
from openrouter_otel.names import Metric, label
from openrouter_otel.promql import ARRIVAL, LOOK_BACK, increment

from .rulefile import FAST, SLOW, Group, Recording

ENVIRONMENT = label(names.ENVIRONMENT)
SERVICE = label(names.SERVICE_NAME)
MODEL = label(names.MODEL)
PROVIDER = label(names.UPSTREAM)
USER = label(names.USER)
KEPT = (ENVIRONMENT, SERVICE, PROVIDER, MODEL, USER)

# A process brings its own service and environment with it, wherever its samples came from.
COPIES = tuple(name for name in ARRIVAL if name not in (ENVIRONMENT, SERVICE))

COST = "openrouter:cost_usd:increase1m"
CHARGED = "openrouter:charged_usd:increase1m"
REQUESTS = "openrouter:requests:increase1m"
ERRORS = "openrouter:errors:increase1m"
TOKENS = "openrouter:tokens:increase1m"
UNPRICED = "openrouter:unpriced:increase1m"
RESOLVED = "openrouter:resolved:increase1m"
P95 = "openrouter:request_duration_seconds:p95_1h"
HOURLY_MEAN = "openrouter:cost_usd:hourly_mean_7d"
PRICE_TODAY = "openrouter:usd_per_million_tokens:1d"
PRICE_BEFORE = "openrouter:usd_per_million_tokens:7d_before"


def error_ratio(window: str) -> str:
    """The recorded share of calls that failed."""
    return f"openrouter:error_ratio:{window}"


ERROR_WINDOWS = ("5m", "30m", "1h", "6h")


def groups() -> list[Group]:
    """Every recording rule, those first that others read."""
    return [
        Group("openrouter-increments", FAST, [rule.as_data() for rule in _increments()]),
        Group("openrouter-levels", FAST, [rule.as_data() for rule in _error_ratios()]),
        Group("openrouter-comparisons", SLOW, [rule.as_data() for rule in (*_latency(), *_pace(), *_prices())]),
    ]


def _increments() -> Iterator[Recording]:
    yield Recording(COST, _added(names.COST))
    yield Recording(CHARGED, _added(names.COST, {names.PAYEE: names.OPENROUTER}, (ENVIRONMENT, SERVICE)))
    yield Recording(REQUESTS, _added(names.REQUESTS))
    yield Recording(ERRORS, _added(names.ERRORS))
    yield Recording(TOKENS, _added(names.TOKENS))
    yield Recording(UNPRICED, _added(names.REQUESTS, {names.COST_SOURCE: names.UNPRICED}, (ENVIRONMENT, SERVICE)))
    yield Recording(RESOLVED, _added(names.RESOLVED, by=(ENVIRONMENT, SERVICE)))


def _added(metric: Metric, where: Mapping[str, str] | None = None, by: tuple[str, ...] = KEPT) -> str:
    matchers = ",".join(f'{label(name)}="{value}"' for name, value in (where or {}).items())
    selector = f"{metric.prometheus}{{{matchers}}}" if matchers else metric.prometheus
    return f"sum by ({', '.join(by)}) {increment(selector, LAST_MINUTE, BEFORE_IT, COPIES)}"


def summed(series: str, window: str, *by: str) -> str:
    """What a recorded increment adds up to in a window that ends now."""
    return f"sum by ({', '.join(by)}) (sum_over_time({series}[{window}]))"


def _error_ratios() -> Iterator[Recording]:
    for window in ERROR_WINDOWS:
        failed, ended = (summed(series, window, ENVIRONMENT) for series in (ERRORS, REQUESTS))
        yield Recording(error_ratio(window), f"({failed} or 0 * {ended}) / ({ended} > 0)")


def _latency() -> Iterator[Recording]:
    buckets = f'{names.DURATION.prometheus}_bucket{{{names.OUTCOME}="{names.OK}"}}'
    counted = increment(buckets, "[1h]", f"[{LOOK_BACK}] offset 1h", COPIES)
    yield Recording(P95, f"histogram_quantile(0.95, sum by ({ENVIRONMENT}, {MODEL}, le) {counted}) >= 0")


def _pace() -> Iterator[Recording]:
    """A week's mean hour; of the time since these rules run once that is a day, so nobody is alarmed by a beginning."""
    minutes = 'max(count_over_time(openrouter:threshold{of="spend_burn_factor"}[7d]))'
    week = summed(COST, "7d", ENVIRONMENT)
    yield Recording(HOURLY_MEAN, f"60 * {week} / on () group_left () ({minutes} > 1440)")


def _prices() -> Iterator[Recording]:
    """Per provider as well: the same model has several prices. Where few tokens were used there is no price."""
    enough = 'scalar(openrouter:threshold{of="price_tokens"})'
    for name, days, offset in ((PRICE_TODAY, "1d", ""), (PRICE_BEFORE, "7d", " offset 1d")):
        spent, used = (
            f"sum by ({MODEL}, {PROVIDER}) (sum_over_time({series}[{days}]{offset}))" for series in (COST, TOKENS)
        )
        yield Recording(name, f"1e6 * {spent} / ({used} > {enough})")
