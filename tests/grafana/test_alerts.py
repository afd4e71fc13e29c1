"""Every alert, in ``promtool test rules``: it fires when it should, and is silent when it should be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grafana_queries import boards, panels
from openrouter_otel.stacking.links import RUNBOOK
from rule_worlds import ALERTS, THRESHOLDS, World, rules

ROOT = Path(__file__).resolve().parents[2]
BASE = 'process="p1",model="m",provider="OpenAI",user="u"'
PROD, DEV = 'deployment_environment_name="prod"', 'deployment_environment_name="dev"'
IN_PROD = {"deployment_environment_name": "prod"}
DAY = 1440  # minutes


def calls(outcome: str, where: str = PROD) -> str:
    return f'openrouter_requests_total{{outcome="{outcome}",{BASE},{where}}}'


def errors(where: str = PROD) -> str:
    return f'openrouter_errors_total{{error_type="http_502",{BASE},{where}}}'


def minute(name: str, labels: str = PROD) -> str:
    return f"openrouter:{name}:increase1m{{{labels}}}"


def recorded(series: dict[str, str], interval: str = "1m", every: str = "1m") -> World:
    """A world in which the recording rules have run already: weeks of it stay quick."""
    return World(series, THRESHOLDS, ALERTS, interval=interval, every=every)


@dataclass(frozen=True)
class Case:
    """One alert, a world in which it fires, and one that is nearly as bad."""

    alert: str
    bad: World
    at: str
    summary: str
    good: World
    labels: dict[str, str] = field(default_factory=lambda: dict(IN_PROD))


def budget(share: float) -> dict[str, str]:
    labels = 'budget="alice per week",period="week",scope="user"'
    return {
        f"openrouter:budget_usd{{{labels}}}": "25x200",
        f"openrouter:budget_spent_usd{{{labels}}}": f"{25 * share}x200",
        f"openrouter:budget_forecast_usd{{{labels}}}": f"{50 * share}x200",
    }


ALICE = {"budget": "alice per week", "period": "week", "scope": "user"}

CASES = [
    Case(
        "OpenRouterErrorBudgetFastBurn",
        World({calls("ok"): "0+10x180", calls("error"): "0x60 0+10x120", errors(): "0x60 0+10x120"}),
        "170m",
        "prod: 50% of OpenRouter calls failed in the last 1h",
        # One failure of three: bad luck, not a fire.
        World({calls("ok", DEV): "0x100 1 2 2x80", calls("error", DEV): "0x101 1x80", errors(DEV): "0x101 1x80"}),
    ),
    Case(
        "OpenRouterErrorBudgetSlowBurn",
        World({calls("ok"): "0+9x400", calls("error"): "0+1x400", errors(): "0+1x400"}),
        "395m",
        "prod: 10% of OpenRouter calls failed in the last 6h",
        World({calls("ok"): "0+19x400", calls("error"): "0+1x400", errors(): "0+1x400"}),
    ),
    Case(
        "OpenRouterProviderTrouble",
        World({calls("ok"): "0+1x40", calls("error"): "0+3x40", errors(): "0+3x40"}),
        "30m",
        "prod: 75% of calls served by OpenAI failed in the last 15 minutes",
        World({calls("ok"): "0+2x40", calls("error"): "0+1x40", errors(): "0+1x40"}),
        {**IN_PROD, "provider": "OpenAI"},
    ),
    Case(
        "OpenRouterSpendBurn",
        recorded({minute("cost_usd"): "0x100 6 0x80", f"openrouter:cost_usd:hourly_mean_7d{{{PROD}}}": "0.6x180"}),
        "150m",
        "prod: $6.00 was spent on OpenRouter in the last hour, far over the usual pace",
        # Ten times the usual pace, and still not a dollar.
        recorded({minute("cost_usd"): "0.01x180", f"openrouter:cost_usd:hourly_mean_7d{{{PROD}}}": "0.06x180"}),
    ),
    Case(
        "OpenRouterPricePerTokenMoved",
        recorded(
            {
                'openrouter:usd_per_million_tokens:1d{model="m",provider="p"}': "3x120",
                'openrouter:usd_per_million_tokens:7d_before{model="m",provider="p"}': "2x120",
            }
        ),
        "90m",
        "m at p costs 50% more or less per token than in the week before",
        recorded(
            {
                'openrouter:usd_per_million_tokens:1d{model="m",provider="p"}': "2.4x120",
                'openrouter:usd_per_million_tokens:7d_before{model="m",provider="p"}': "2x120",
            }
        ),
        {"model": "m", "provider": "p"},
    ),
    Case(
        "OpenRouterUnpricedRequests",
        recorded({minute("requests"): "1x200", minute("unpriced"): "0.1x200"}),
        "150m",
        "prod: 10% of a day's OpenRouter calls have no known price",
        # As many, but their prices were asked for afterwards.
        recorded({minute("requests"): "1x200", minute("unpriced"): "0.1x200", minute("resolved"): "0.095x200"}),
    ),
    Case(
        "OpenRouterBudgetHalfSpent",
        recorded(budget(0.6)),
        "10m",
        "60% of the budget alice per week is spent",
        recorded(budget(0.4)),
        ALICE,
    ),
    Case(
        "OpenRouterBudgetNearlySpent",
        recorded(budget(0.84)),
        "10m",
        "84% of the budget alice per week is spent",
        recorded(budget(0.76)),
        ALICE,
    ),
    Case(
        "OpenRouterBudgetSpent",
        recorded(budget(1)),
        "10m",
        "100% of the budget alice per week is spent",
        recorded(budget(0.96)),
        ALICE,
    ),
    Case(
        "OpenRouterBudgetForecast",
        recorded(budget(0.6)),
        "70m",
        "At this pace 120% of the budget alice per week will be spent when its period ends",
        recorded(budget(0.4)),
        ALICE,
    ),
    Case(
        "OpenRouterCreditsRunningOut",
        recorded({minute("charged_usd"): "0.05x500", "openrouter_credits_remaining_usd": "60x500"}),
        "400m",
        "OpenRouter credit lasts 20 more hours at the pace of the last six",
        recorded({minute("charged_usd"): "0.05x500", "openrouter_credits_remaining_usd": "600x500"}),
        {},
    ),
    Case(
        "OpenRouterKeyLimitNear",
        recorded({minute("charged_usd"): "0.05x500", "openrouter_key_limit_remaining_usd": "30x500"}),
        "400m",
        "The API key's limit lasts 10 more hours at the pace of the last six",
        # Nothing is spent: it lasts for ever.
        recorded({minute("charged_usd"): "0x500", "openrouter_key_limit_remaining_usd": "30x500"}),
        {},
    ),
    Case(
        "OpenRouterReconciliationDrift",
        recorded(
            {minute("charged_usd"): "0x1500 15 0x300", 'openrouter_key_usage_usd{period="total"}': "100x1500 130x300"}
        ),
        f"{DAY + 330}m",
        "Telemetry and OpenRouter's own books differ by 50% of a day's charge",
        recorded(
            {minute("charged_usd"): "0x1500 29 0x300", 'openrouter_key_usage_usd{period="total"}': "100x1500 130x300"}
        ),
        {},
    ),
    Case(
        "OpenRouterLatencyRegression",
        recorded(
            {
                f'openrouter:request_duration_seconds:p95_1h{{{PROD},model="m"}}': "4x2016 12x40",
                minute("requests", f'{PROD},model="m"'): "2x2060",
            },
            interval="5m",
            every="5m",
        ),
        "170h",
        "prod: p95 of m is 12s, far over a week ago",
        # Three times as slow as a week ago, and still quick.
        recorded(
            {
                f'openrouter:request_duration_seconds:p95_1h{{{PROD},model="m"}}': "1x2016 3x40",
                minute("requests", f'{PROD},model="m"'): "2x2060",
            },
            interval="5m",
            every="5m",
        ),
        {**IN_PROD, "model": "m"},
    ),
    Case(
        "OpenRouterTelemetryAbsent",
        recorded({minute("requests"): "0.5x700", calls("ok"): "0+0.5x700"}),
        f"{DAY + 650}m",
        "prod: no OpenRouter telemetry for an hour, though at this time yesterday there were 30 calls",
        # At this time yesterday there was nothing either.
        recorded({minute("requests"): "0x700 1", calls("ok"): "0x700"}),
    ),
    Case(
        "OpenRouterCounterReset",
        recorded({calls("ok"): "10 11 12 3 13 4 14x60"}),
        "30m",
        "prod: 2 resets of counters that never reset",
        # A process that ends and another that begins.
        recorded({calls("ok"): "10 11 12 stale", calls("ok").replace("p1", "p2"): "_x3 1 2x60"}),
    ),
    Case(
        "OpenRouterGapBeyondLookBack",
        recorded({f'openrouter_process_start_time_seconds{{process="p1",{PROD}}}': "0x12 _x456 0x12"}, "5m", "5m"),
        "2360m",
        "prod: 1 processes are scraped that were not for over 36h",
        # Back after a day and a half less ten minutes.
        recorded({f'openrouter_process_start_time_seconds{{process="p1",{PROD}}}': "0x12 _x428 0x40"}, "5m", "5m"),
    ),
]
each_case = pytest.mark.parametrize("case", CASES, ids=[case.alert for case in CASES])
each_alert = pytest.mark.parametrize("alert", rules(ALERTS), ids=[rule["alert"] for rule in rules(ALERTS)])


def test_every_alert_has_its_case() -> None:
    assert sorted(case.alert for case in CASES) == sorted(rule["alert"] for rule in rules(ALERTS))


@each_case
def test_it_fires_when_it_should(tmp_path: Path, case: Case) -> None:
    case.bad.fires(tmp_path, case.alert, case.at, [(case.labels, case.summary)])


@each_case
def test_it_is_silent_when_it_should_be(tmp_path: Path, case: Case) -> None:
    case.good.is_silent(tmp_path, case.alert, case.at)


@each_alert
def test_it_says_what_to_do(alert: dict[str, dict[str, str]]) -> None:
    """Its section of the runbook says what it means, what to look at and what to do; its link leads to a panel."""
    name, notes = str(alert["alert"]), alert["annotations"]
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert len(notes["description"]) > 60
    runbook = (ROOT / "grafana" / "RUNBOOK.md").read_text("utf-8")
    page = (ROOT / "grafana" / "prometheus" / "pages" / "runbook.html").read_text("utf-8")
    assert notes["runbook_url"] == f"{RUNBOOK}#{name.lower()}"
    assert f'<h2 id="{name.lower()}">{name}</h2>' in page
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", runbook, re.MULTILINE | re.DOTALL)
    assert section
    assert "**Means.**" in section[1]
    assert "**Do.**" in section[1]
    link = re.fullmatch(r"http://[\w.:]+/d/([\w-]+)\?viewPanel=panel-(\d+)", notes["dashboard_url"])
    assert link
    (board,) = [board for board in boards() if board["uid"] == link[1]]
    assert int(link[2]) in {panel["id"] for panel in panels(board)}


def test_the_runbook_knows_no_alert_that_is_none() -> None:
    runbook = (ROOT / "grafana" / "RUNBOOK.md").read_text("utf-8")
    assert re.findall(r"^## (OpenRouter\w+)$", runbook, re.MULTILINE) == [rule["alert"] for rule in rules(ALERTS)]
