"""Overview: what does it cost, who and what causes it, and is anything wrong?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from openrouter_otel import names
from openrouter_otel.names import COST, DURATION, ERRORS, FIRST_TOKEN, REQUESTS, TOKENS, label

from .frame import board
from .panels import (
    COUNT,
    ERROR_STEPS,
    EVERY_ONE,
    MONEY,
    NONE_IS_GOOD,
    SECONDS,
    SHARE,
    USD,
    Column,
    Panel,
    Series,
    bars,
    lines,
    number,
    ranking,
    scorecard,
)
from .promql import STEP, counted, counted_or_zero, error_ratio, quantile, ratio, top

BY_MODEL = (label(names.MODEL),)
BY_USER = (label(names.USER),)
BY_TOKEN_TYPE = (label(names.TOKEN_TYPE),)
BY_ERROR_TYPE = (label(names.ERROR_TYPE),)
WENT_WELL = {names.OUTCOME: names.OK}
UNPRICED = {names.COST_SOURCE: names.UNPRICED}

TOP_USERS = 10

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
PERCENTILE_COLORS = {"p50": "light-blue", "p95": "blue", "p99": "orange"}
TOKEN_COLORS = {names.INPUT: "light-blue", names.OUTPUT: "dark-blue"}


def overview() -> build.Dashboard:
    """The board that opens first."""
    frame = board("overview", "Overview", "What do our OpenRouter calls cost, who makes them, and is anything wrong?")
    for heading, panels in (
        ("At a glance", _glance()),
        ("Money and traffic", _money()),
        ("Speed and errors", _health()),
        ("By model and by user", _breakdown()),
    ):
        frame = frame.with_row(build.Row(heading))
        for panel in panels:
            frame = frame.with_panel(panel)
    return frame


def _glance() -> list[Panel]:
    return [
        number(
            "Spend",
            "What did we spend in this range? USD as OpenRouter's answers reported it, plus providers' own bills under "
            "BYOK and, where an answer named no price, an estimate. Exact from each process' first call on. A call "
            "nobody priced is not in here: see Unpriced.",
            counted_or_zero(COST),
            USD,
            width=4,
            steps=((None, MONEY),),
        ),
        number(
            "Requests",
            "How many calls ended in this range, however they ended? Each counts once, retries inside it do not.",
            counted(REQUESTS),
            COUNT,
            width=3,
        ),
        number(
            "Tokens",
            "How many tokens were billed? Input plus output; cached and reasoning tokens are part of these, never "
            "added on top.",
            counted_or_zero(TOKENS),
            COUNT,
            width=3,
        ),
        number(
            "Errors",
            "What share of calls failed? Errors divided by requests; abandoned and cancelled calls are no errors.",
            error_ratio(),
            SHARE,
            width=3,
            steps=ERROR_STEPS,
        ),
        number(
            "p95 latency",
            "How long do all but the slowest 5 % of successful calls take? Pooled over the range from histogram "
            "buckets; retries and the reading of a stream are included.",
            quantile(0.95, DURATION, where=WENT_WELL),
            SECONDS,
            width=4,
        ),
        number(
            "p95 first token",
            "How long do all but the slowest 5 % of streams wait for their first token? Pooled over the range. Not "
            "kept by user, so the user filter does not apply.",
            quantile(0.95, FIRST_TOKEN),
            SECONDS,
            width=4,
        ),
        number(
            "Unpriced",
            "How many calls ended without anybody telling their price, though a charge may exist? Abandoned streams, "
            "timeouts, answers without usage. Spend is too low by whatever they cost.",
            counted_or_zero(REQUESTS, where=UNPRICED),
            COUNT,
            width=3,
            steps=NONE_IS_GOOD,
        ),
    ]


def _money() -> list[Panel]:
    return [
        bars(
            "Spend by model",
            "Which model costs how much, and when? USD per bar, by the model that served; together they are Spend, but "
            "for what the first and the last bar stick out of the range.",
            [Series(counted(COST, BY_MODEL, STEP), "{{model}}")],
            USD,
            width=16,
            height=9,
            narrow="model",
        ),
        ranking(
            "Top users by spend",
            f"Who spends most? USD in this range, the {TOP_USERS} largest. Click a bar to see only that user.",
            top(TOP_USERS, counted(COST, BY_USER)),
            "user",
            USD,
            width=8,
            height=9,
        ),
        bars(
            "Requests by model",
            "Which model is called how often, and when? Calls per bar; together they are Requests.",
            [Series(counted(REQUESTS, BY_MODEL, STEP), "{{model}}")],
            COUNT,
            width=12,
            narrow="model",
        ),
        bars(
            "Tokens by type",
            "How many tokens go in and come out? Tokens per bar; together they are Tokens.",
            [Series(counted(TOKENS, BY_TOKEN_TYPE, STEP), "{{token_type}}")],
            COUNT,
            width=12,
            colors=TOKEN_COLORS,
        ),
    ]


def _health() -> list[Panel]:
    return [
        lines(
            "Latency",
            "How long do successful calls take? Percentiles over the calls of each step, pooled over everything chosen "
            "above; retries and the reading of a stream are included.",
            [Series(quantile(share, DURATION, (), STEP, WENT_WELL), name) for name, share in PERCENTILES.items()],
            SECONDS,
            width=8,
            colors=PERCENTILE_COLORS,
        ),
        lines(
            "Time to first token",
            "How long does a reader of a stream wait? Until the first chunk with content, reasoning or a tool call; "
            "percentiles over the streams of each step. Not kept by user, so the user filter does not apply.",
            [Series(quantile(share, FIRST_TOKEN, (), STEP), name) for name, share in PERCENTILES.items()],
            SECONDS,
            width=8,
            colors=PERCENTILE_COLORS,
        ),
        bars(
            "Errors by type",
            "What fails, and since when? Failed calls per bar, by OpenRouter's error type, else the HTTP status or the "
            "exception's name. Calls that succeeded on a retry are not in here.",
            [Series(counted(ERRORS, BY_ERROR_TYPE, STEP), "{{error_type}}")],
            COUNT,
            width=8,
        ),
    ]


def _breakdown() -> list[Panel]:
    return [
        scorecard(
            "Models",
            "Which model is worth its price? One row a model over this range: spend, spend per million tokens as "
            "billed, latency of successful calls. Click a name to see only that model.",
            "model",
            [
                *_usage(BY_MODEL),
                Column("Per 1M tokens", ratio(f"1e6 * {counted(COST, BY_MODEL)}", counted(TOKENS, BY_MODEL)), USD),
                *_service(BY_MODEL),
                Column("p95 first token", quantile(0.95, FIRST_TOKEN, BY_MODEL), SECONDS),
            ],
            height=8,
        ),
        scorecard(
            "Users",
            "Who uses how much, and is anybody served badly? One row a user over this range; calls without a user are "
            "anonymous, those beyond the cap on users are (other). Click a name to see only that user.",
            "user",
            [
                *_usage(BY_USER),
                Column("Per request", ratio(counted(COST, BY_USER), counted(REQUESTS, BY_USER)), USD),
                *_service(BY_USER),
            ],
            height=8,
        ),
    ]


def _usage(by: tuple[str, ...]) -> list[Column]:
    return [
        Column("Spend", counted_or_zero(COST, by), USD),
        Column("Requests", counted(REQUESTS, by), EVERY_ONE),
        Column("Tokens", counted_or_zero(TOKENS, by), COUNT),
    ]


def _service(by: tuple[str, ...]) -> list[Column]:
    return [
        Column("Error ratio", error_ratio(by), SHARE),
        Column("p95 latency", quantile(0.95, DURATION, by, where=WENT_WELL), SECONDS),
    ]
