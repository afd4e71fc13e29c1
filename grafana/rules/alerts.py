"""Alerts: each names its figure, what it means, where to look and what to do (``grafana/RUNBOOK.md``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openrouter_otel import names
from openrouter_otel.budget_rules import FORECAST, LIMIT, SPENT
from openrouter_otel.promql import LOOK_BACK
from openrouter_otel.stacking.links import GRAFANA, RUNBOOK

from . import counting
from .counting import (
    ENVIRONMENT,
    MODEL,
    PROVIDER,
    error_ratio,
    summed,
)
from .rulefile import FAST, Alert, Group

PREFIX = "OpenRouter"

CRITICAL = "critical"
WARNING = "warning"
INFO = "info"

REQUESTS_TOTAL = names.REQUESTS.prometheus


def limit(of: str) -> str:
    """A threshold, by its name in ``openrouter-thresholds.rules.yml``."""
    return f'scalar(openrouter:threshold{{of="{of}"}})'


def groups(panel_ids: Mapping[tuple[str, str], int]) -> list[Group]:
    """All alerts; `panel_ids` tells the id of each panel by board and title."""
    alerts = [*_errors(), *_money(), *_budgets(), *_account(), *_speed(), *_telemetry()]
    return [Group("openrouter-alerts", FAST, [_as_data(alert, panel_ids) for alert in alerts])]


def _as_data(alert: Alert, panel_ids: Mapping[tuple[str, str], int]) -> dict[str, object]:
    board, panel = alert.board
    name = PREFIX + alert.name
    return {
        "alert": name,
        "expr": alert.expr,
        **({"for": alert.lasting} if alert.lasting else {}),
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{RUNBOOK}#{name.lower()}",
            "dashboard_url": f"{GRAFANA}/d/openrouter-{board}?viewPanel=panel-{panel_ids[board, panel]}",
        },
    }


WHERE = f"{{{{ with $labels.{ENVIRONMENT} }}}}{{{{ . }}}}: {{{{ end }}}}"  # nothing where there is no environment


def _errors() -> Iterator[Alert]:
    enough = f"{summed(counting.REQUESTS, '1h', ENVIRONMENT)} >= {limit('error_requests')}"
    for name, of, long, short, lasting, severity in (
        ("ErrorBudgetFastBurn", "error_fast_burn", "1h", "5m", "2m", CRITICAL),
        ("ErrorBudgetSlowBurn", "error_slow_burn", "6h", "30m", "15m", WARNING),
    ):
        line = f"{limit(of)} * {limit('error_objective')}"
        yield Alert(
            name,
            f"{error_ratio(long)} > {line}\nand {error_ratio(short)} > {line}\nand on ({ENVIRONMENT}) {enough}\n",
            lasting,
            severity,
            f"{WHERE}{{{{ $value | humanizePercentage }}}} of OpenRouter calls failed in the last {long}",
            f"Calls fail so often, over {long} and still over the last {short}, that a month's error budget will be "
            f"gone {'within two days' if severity == CRITICAL else 'within five days'}. Abandoned and cancelled calls "
            "are not counted as errors.",
            ("reliability", "Burn rate"),
        )
    failed, ended = (summed(series, "15m", ENVIRONMENT, PROVIDER) for series in (counting.ERRORS, counting.REQUESTS))
    yield Alert(
        "ProviderTrouble",
        f"{failed} / ({ended} >= {limit('provider_requests')}) > {limit('provider_error_ratio')}\n",
        "5m",
        WARNING,
        f"{WHERE}{{{{ $value | humanizePercentage }}}} of calls served by "
        f'{{{{ or $labels.{PROVIDER} "(unknown)" }}}} failed in the last 15 minutes',
        "One upstream provider fails most of its calls. Models that only this provider serves are down for you; "
        "others may be slow while OpenRouter falls back. A provider is (unknown) where the call failed before one "
        "was chosen.",
        ("reliability", "Error ratio by provider"),
    )


def _money() -> Iterator[Alert]:
    hour = summed(counting.COST, "1h", ENVIRONMENT)
    yield Alert(
        "SpendBurn",
        f"{hour} > {limit('spend_burn_factor')} * {counting.HOURLY_MEAN}\nand {hour} > {limit('spend_burn_usd')}\n",
        "10m",
        WARNING,
        f'{WHERE}{{{{ $value | printf "$%.2f" }}}} was spent on OpenRouter in the last hour, far over the usual pace',
        "The last hour cost several times the mean hour of the last seven days (or of the time since these rules run, "
        "once that is a day). A loop, a new job, or a dearer model.",
        ("overview", "Spend by model"),
    )
    price = f"abs({counting.PRICE_TODAY} / ({counting.PRICE_BEFORE} > 0) - 1)"
    yield Alert(
        "PricePerTokenMoved",
        f"{price} > {limit('price_change')}\n",
        "1h",
        INFO,
        f'{{{{ $labels.{MODEL} }}}} at {{{{ or $labels.{PROVIDER} "(unknown)" }}}} costs '
        "{{ $value | humanizePercentage }} more or less per token than in the week before",
        "USD per million tokens of the last 24 hours, against the seven days before. Either the price changed, or the "
        "mix did: output and uncached input are dearer than cached input.",
        ("models", "Price per million tokens"),
    )
    unpriced = (
        f"({summed(counting.UNPRICED, '1d', ENVIRONMENT)} - ({summed(counting.RESOLVED, '1d', ENVIRONMENT)} "
        f"or 0 * {summed(counting.UNPRICED, '1d', ENVIRONMENT)}))"
    )
    yield Alert(
        "UnpricedRequests",
        f"{unpriced} / ({summed(counting.REQUESTS, '1d', ENVIRONMENT)} > 0) > {limit('unpriced_share')}\n"
        f"and on ({ENVIRONMENT}) {unpriced} >= 5\n",
        "1h",
        WARNING,
        f"{WHERE}{{{{ $value | humanizePercentage }}}} of a day's OpenRouter calls have no known price",
        "Spend is too low by whatever these calls cost: they ended without usage (abandoned streams, timeouts, "
        "speech), and nobody asked OpenRouter afterwards.",
        ("telemetry", "Unpriced"),
    )


def _budgets() -> Iterator[Alert]:
    budget = "the budget {{ $labels.budget }}"
    for name, of, severity, words in (
        ("BudgetHalfSpent", "budget_half", INFO, "Half of a budget is gone before its period is."),
        ("BudgetNearlySpent", "budget_most", WARNING, "Little of a budget is left."),
        ("BudgetSpent", "budget_all", CRITICAL, "More was spent than the budget allows; nothing stops further calls."),
    ):
        yield Alert(
            name,
            f"{SPENT} / {LIMIT} >= {limit(of)}\n",
            "",
            severity,
            f"{{{{ $value | humanizePercentage }}}} of {budget} is spent",
            f"{words} Budgets are grafana/budgets.yml; their days, weeks and months are UTC's.",
            ("cost", "Budgets"),
        )
    yield Alert(
        "BudgetForecast",
        f"{FORECAST} / {LIMIT} > {limit('budget_all')}\n",
        "1h",
        WARNING,
        f"At this pace {{{{ $value | humanizePercentage }}}} of {budget} will be spent when its period ends",
        "What is spent so far, and the pace of the last seven days (of the last day for a daily budget) for the rest "
        "of the period, are more than the budget.",
        ("cost", "Budgets"),
    )


def _account() -> Iterator[Alert]:
    pace = f"scalar(sum(sum_over_time({counting.CHARGED}[6h])) / 6)"
    for name, gauge, what in (
        ("CreditsRunningOut", names.CREDITS_REMAINING, "OpenRouter credit"),
        ("KeyLimitNear", names.KEY_LIMIT_REMAINING, "The API key's limit"),
    ):
        yield Alert(
            name,
            f"min({gauge.prometheus}) / {pace} < {limit('credit_hours')}\n",
            "15m",
            CRITICAL,
            f'{what} lasts {{{{ $value | printf "%.0f" }}}} more hours at the pace of the last six',
            "When it is gone, every call fails with 402. Only spend that OpenRouter charges is counted, not what a "
            "provider bills under BYOK.",
            ("cost", "Credit left"),
        )
    total = f'sum({names.KEY_USAGE.prometheus}{{period="total"}})'
    charged = f'({total} - sum({names.KEY_USAGE.prometheus}{{period="total"}} offset 1d))'
    counted = f"sum(sum_over_time({counting.CHARGED}[1d]))"
    yield Alert(
        "ReconciliationDrift",
        f"abs({counted} - {charged}) / ({charged} > {limit('drift_usd')}) > {limit('drift_share')}\n",
        "3h",
        WARNING,
        "Telemetry and OpenRouter's own books differ by {{ $value | humanizePercentage }} of a day's charge",
        "What our counters added in 24 hours, against what OpenRouter charged the key in the same time. Calls from "
        "programs without the instrumentation, a second key, or calls without a price are the usual reasons.",
        ("telemetry", "Counted against charged"),
    )


def _speed() -> Iterator[Alert]:
    yield Alert(
        "LatencyRegression",
        f"{counting.P95} > {limit('latency_factor')} * ({counting.P95} offset 1w)\n"
        f"and {counting.P95} > {limit('latency_seconds')}\n"
        f"and on ({ENVIRONMENT}, {MODEL}) {summed(counting.REQUESTS, '1h', ENVIRONMENT, MODEL)} >= "
        f"{limit('error_requests')}\n",
        "30m",
        WARNING,
        f"{WHERE}p95 of {{{{ $labels.{MODEL} }}}} is {{{{ $value | humanizeDuration }}}}, far over a week ago",
        "Successful calls of this model take at least twice as long as at the same hour a week ago. Another provider, "
        "longer answers, or retries inside the calls.",
        ("models", "p95 latency by model"),
    )


def _telemetry() -> Iterator[Alert]:
    yesterday = f"sum by ({ENVIRONMENT}) (sum_over_time({counting.REQUESTS}[1h] offset 1d))"
    yield Alert(
        "TelemetryAbsent",
        f"{yesterday} >= {limit('absent_requests')}\n"
        f"unless on ({ENVIRONMENT}) count by ({ENVIRONMENT}) (last_over_time({REQUESTS_TOTAL}[1h]))\n",
        "30m",
        WARNING,
        f"{WHERE}no OpenRouter telemetry for an hour, though at this time yesterday there were "
        '{{ $value | printf "%.0f" }} calls',
        "Either nobody calls OpenRouter any more, or nobody counts it: the programs are gone, their /metrics is not "
        "scraped, or the instrumentation is not loaded.",
        ("telemetry", "Processes"),
    )
    yield Alert(
        "CounterReset",
        f"sum by ({ENVIRONMENT}) (resets({REQUESTS_TOTAL}[1h])) > 0\n",
        "",
        CRITICAL,
        f'{WHERE}{{{{ $value | printf "%.0f" }}}} resets of counters that never reset',
        "Every process has series of its own, so a counter that falls means that two processes write one series "
        "(a rewritten `process` label, a proxy, a copied process image). Spend is then overstated, without bound.",
        ("telemetry", "Counter resets"),
    )
    started = names.PROCESS_START.prometheus
    old = f"max by ({names.PROCESS}, {ENVIRONMENT}) (last_over_time({started}[5m])) < time() - 37 * 3600"
    seen = f"max by ({names.PROCESS}, {ENVIRONMENT}) (last_over_time({started}[{LOOK_BACK}] offset 1h))"
    yield Alert(
        "GapBeyondLookBack",
        f"count by ({ENVIRONMENT}) (\n  {old}\n  unless {seen}\n)\n",
        "",
        WARNING,
        f'{WHERE}{{{{ $value | printf "%.0f" }}}} processes are scraped that were not for over {LOOK_BACK}',
        f"Boards and rules look back {LOOK_BACK}; a process that was silent for longer, or that this Prometheus meets "
        "late in its life, counts as new: what it had spent before counts now. `openrouter-otel report` looks back "
        "as far as there is data: believe it for this time.",
        ("telemetry", "Processes"),
    )
