"""/metrics after one of everything: the names and labels of names.py, and nothing that promtool minds."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from decimal import Decimal

import pytest

from endpoint.programs import Program, Scrape, scrape
from fake_openrouter import Amounts, FakeOpenRouter
from openrouter_otel import names
from real_prometheus import binary

EVERYTHING = r"""
import openai
OpenRouterInstrumentor().instrument(metric_tags=["team", "a.b"])
with usage_context(user="alice", session="s-1", tags={"team": "search", "a.b": "x", "private": "y"}):
    ask("details")
    ask("byok;fee=0.0001")
    list(ask("good;chunk_delay=0.01", stream=True))
    ask("fallback")
    ask("flaky;failures=1;retry_after=0.01")
ask(user='bob "the\\ builder"\n')
ask(user="(other)")
for scenario in ("error;status=402", "error-in-200"):
    try:
        ask(scenario)
    except openai.APIError:
        pass
next(ask("endless", stream=True))
ask("no-usage")
import gc; gc.collect()
say()
hear()
"""
Run = Callable[..., Program]


@pytest.fixture
def shown(run: Run) -> Scrape:
    """/metrics after one of everything."""
    program = run(EVERYTHING, OTEL_SERVICE_NAME="shop", OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test,x=y")
    program.hear()
    assert program.lines("WARNING") + program.lines("ERROR") == []
    [address] = program.addresses
    return scrape(address)


def allowed(metric: names.Metric) -> set[str]:
    """The labels that a metric of ours may have, as the contract lists them."""
    if metric in names.PROCESS_METRICS:
        attributes: set[str] = {names.PROCESS, *metric.attributes}
    else:
        user = {names.USER} if metric.user else set()
        attributes = {*names.BASE, *metric.attributes, *user, "tag.team", "tag.a.b"}
    bucket = {"le"} if metric.kind == "histogram" else set()
    return {names.label(name) for name in {*attributes, *names.RESOURCE_ATTRIBUTES}} | bucket


def sampled(metric: names.Metric) -> set[str]:
    """The names of a metric's samples."""
    suffixes = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
    return {metric.prometheus + suffix for suffix in suffixes}


# One program, one test: what it shows is looked at from all sides.
def test_the_exposition_is_what_names_py_says(shown: Scrape, openrouter: FakeOpenRouter) -> None:
    # --- names: all of ours, and none besides ---
    assert {s.name for s in shown.samples} == {name for metric in names.METRICS for name in sampled(metric)}

    # --- HELP and TYPE ---
    for metric in names.METRICS:
        assert f"# TYPE {metric.prometheus} {metric.kind}\n" in shown.text
        assert re.search(rf"^# HELP {metric.prometheus} {re.escape(metric.description)}$", shown.text, re.MULTILINE)

    # --- labels: no more than allowed, and what must be there is ---
    for metric in names.METRICS:
        samples = [s for s in shown.samples if s.name in sampled(metric)]
        told = {name for s in samples for name, value in s.labels.items() if value}
        assert told <= allowed(metric), metric.name
        assert {names.label(name) for name in metric.attributes} <= told, metric.name
        assert all(s.labels["process"] and s.labels["service_name"] == "shop" for s in samples)
        assert all(s.labels["deployment_environment_name"] == "test" for s in samples)
        if metric in names.USAGE_METRICS:
            assert all(s.labels["model"] and s.labels["operation"] == "chat" for s in samples)
        if metric.user and metric in names.USAGE_METRICS:
            assert all(s.labels["user"] for s in samples)
    assert "otel_scope" not in shown.text
    assert "session" not in shown.text
    assert "private" not in shown.text
    users = {s.labels["user"] for s in shown.samples if s.name == "openrouter_requests_total"}
    assert users == {"alice", "anonymous", 'bob "the\\ builder"', "(other)_"}

    # --- buckets are floats, as names.py has them ---
    for metric in names.METRICS:
        bounds = [*map(repr, metric.buckets), "+Inf"] if metric.buckets else []
        first = dict.fromkeys(s.labels["le"] for s in shown.samples if s.name == f"{metric.prometheus}_bucket")
        assert list(first) == bounds

    # --- values: to the digit what the stand-in told ---
    told_amounts: Amounts = openrouter.book.totals().told
    assert shown.total("openrouter_cost_usd_total", payee="openrouter") == told_amounts.charge
    assert shown.total("openrouter_cost_usd_total", payee="provider") == told_amounts.bill > 0
    assert shown.total("openrouter_tokens_total", token_type="input") == told_amounts.input
    assert shown.total("openrouter_tokens_total", token_type="output") == told_amounts.output
    assert shown.total("openrouter_requests_total") == 11
    assert shown.total("openrouter_requests_total", outcome="ok") == 8
    assert shown.total("openrouter_requests_total", outcome="abandoned", cost_source="unknown") == 1
    assert shown.total("openrouter_requests_total", outcome="error", cost_source="none") == 2
    assert shown.total("openrouter_errors_total") == 2
    assert shown.total("openrouter_errors_total", error_type="payment_required") == 1
    assert shown.total("openrouter_retries_total", user="alice") == 1
    assert shown.total("openrouter_tokens_detail_total", token_type="cache_read") == Decimal(1024)
    assert shown.total("openrouter_request_duration_seconds_count") == 11
    assert shown.total("openrouter_request_duration_seconds_bucket", le="+Inf") == 11
    assert shown.total("openrouter_time_to_first_token_seconds_count") == 1

    # --- and promtool has nothing to say ---
    checked = subprocess.run(
        [str(binary("promtool")), "check", "metrics"], input=shown.text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
