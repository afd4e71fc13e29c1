"""Overview: what does it cost, who and what causes it, and is anything wrong?"""

from __future__ import annotations

from openrouter_otel.names import COST, DURATION, FIRST_TOKEN, REQUESTS, TOKENS

from .frame import Board, Panel, Row
from .panels import (
    COUNT,
    ERROR_STEPS,
    MONEY,
    NONE_IS_GOOD,
    SECONDS,
    SHARE,
    USD,
    Column,
    Series,
    bars,
    lines,
    number,
    ranking,
    scorecard,
)
from .promql import PREVIOUS, STEP, counted, counted_or_zero, error_ratio, quantile, ratio, top
from .terms import (
    BY_MODEL,
    BY_USER,
    MODEL,
    OTHERS_COLOR,
    PERCENTILE_COLORS,
    PERCENTILES,
    RANKED,
    UNPRICED,
    USER,
    WENT_WELL,
    errors_by_type,
    price_per_million,
    service,
    split,
    usage,
)


def overview() -> Board:
    """The board that opens first."""
    return Board(
        "overview",
        "Overview",
        "What do our OpenRouter calls cost, who makes them, and is anything wrong?",
        [
            Row("At a glance", _glance()),
            Row("Money", _money()),
            Row("Traffic, errors and speed", _health()),
            Row("By model and by user", _breakdown()),
        ],
    )


def _glance() -> list[Panel]:
    return [
        number(
            "Spend",
            "What did we spend in this range? USD as OpenRouter's answers reported it, plus providers' own bills under "
            "BYOK and, where an answer named no price, an estimate. Exact from each process' first call on. A call "
            "nobody priced is not in here: see Unpriced.",
            counted_or_zero(COST),
            USD,
            width=6,
            height=3,
            steps=((None, MONEY),),
        ),
        number(
            "Range before",
            "Is spend rising? USD in the range of equal length just before this one, counted like Spend.",
            f"({counted(COST, (), PREVIOUS)} or 0 * {counted(REQUESTS)})",
            USD,
            width=6,
            height=3,
        ),
        number(
            "Requests",
            "How many calls ended in this range, however they ended? Each counts once, retries inside it do not.",
            counted(REQUESTS),
            COUNT,
            width=6,
            height=3,
        ),
        number(
            "Tokens",
            "How many tokens were billed? Input plus output; cached and reasoning tokens are part of these, never "
            "added on top.",
            counted_or_zero(TOKENS),
            COUNT,
            width=6,
            height=3,
        ),
        number(
            "Errors",
            "What share of calls failed? Errors divided by requests; abandoned and cancelled calls are no errors.",
            error_ratio(),
            SHARE,
            width=6,
            height=3,
            steps=ERROR_STEPS,
        ),
        number(
            "p95 latency",
            "How long do all but the slowest 5 % of successful calls take? Pooled over the range from histogram "
            "buckets; retries and the reading of a stream are included.",
            quantile(0.95, DURATION, where=WENT_WELL),
            SECONDS,
            width=6,
            height=3,
        ),
        number(
            "p95 first token",
            "How long do all but the slowest 5 % of streams wait for their first token? Pooled over the range. Not "
            "kept by user, so the user filter does not apply.",
            quantile(0.95, FIRST_TOKEN),
            SECONDS,
            width=6,
            height=3,
        ),
        number(
            "Unpriced",
            "How many calls ended without anybody telling their price, though a charge may exist? Abandoned streams, "
            "timeouts, answers without usage. Spend is too low by whatever they cost.",
            counted_or_zero(REQUESTS, where=UNPRICED),
            COUNT,
            width=6,
            height=3,
            steps=NONE_IS_GOOD,
        ),
    ]


def _money() -> list[Panel]:
    return [
        bars(
            "Spend by model",
            "Which model costs how much, and when? USD per bar, by the model that served: the five dearest of the "
            "range, and all others. Together they are Spend, but for what the first and last bar stick out of the "
            "range.",
            split(COST, MODEL),
            USD,
            width=16,
            height=9,
            narrow="model",
            colors=OTHERS_COLOR,
        ),
        ranking(
            "Top users by spend",
            f"Who spends most? USD in this range, the {RANKED} largest. Click a bar for that user in detail.",
            top(RANKED, counted(COST, BY_USER)),
            "{{user}}",
            USD,
            width=8,
            height=9,
            narrow=USER,
            long_names=True,
        ),
    ]


def _health() -> list[Panel]:
    return [
        bars(
            "Requests by model",
            "Which model is called how often, and when? Calls per bar, of the five most called models and all "
            "others; together they are Requests.",
            split(REQUESTS, MODEL),
            COUNT,
            width=12,
            narrow="model",
            colors=OTHERS_COLOR,
        ),
        bars(
            "Errors by type",
            "What fails, and since when? Failed calls per bar, by OpenRouter's error type, else the HTTP status or the "
            "exception's name. Calls that succeeded on a retry are not in here.",
            errors_by_type(),
            COUNT,
            width=12,
            colors=OTHERS_COLOR,
        ),
        lines(
            "Latency",
            "How long do successful calls take? Percentiles over the calls of each step, pooled over everything chosen "
            "above; retries and the reading of a stream are included.",
            [Series(quantile(share, DURATION, (), STEP, WENT_WELL), name) for name, share in PERCENTILES.items()],
            SECONDS,
            width=12,
            colors=PERCENTILE_COLORS,
        ),
        lines(
            "Time to first token",
            "How long does a reader of a stream wait? Until the first chunk with content, reasoning or a tool call; "
            "percentiles over the streams of each step. Not kept by user, so the user filter does not apply.",
            [Series(quantile(share, FIRST_TOKEN, (), STEP), name) for name, share in PERCENTILES.items()],
            SECONDS,
            width=12,
            colors=PERCENTILE_COLORS,
        ),
    ]


def _breakdown() -> list[Panel]:
    return [
        scorecard(
            "Models",
            "Which model is worth its price? One row a model over this range: spend, spend per million tokens as "
            "billed, latency of successful calls, time to a stream's first token (TTFT). Click a name for that model "
            "in detail.",
            "model",
            [
                *usage(BY_MODEL),
                Column("Per million", price_per_million(BY_MODEL), USD),
                *service(BY_MODEL),
                Column("p95 TTFT", quantile(0.95, FIRST_TOKEN, BY_MODEL), SECONDS),
            ],
            height=8,
        ),
        scorecard(
            "Users",
            "Who uses how much, and is anybody served badly? One row a user over this range; calls without a user are "
            "anonymous, those beyond the cap on users are (other). Latency is kept for the first `max_histogram_users` "
            "of a process; the others have a dash. Click a name for that user in detail.",
            "user",
            [
                *usage(BY_USER),
                Column("Per request", ratio(counted(COST, BY_USER), counted(REQUESTS, BY_USER)), USD),
                *service(BY_USER),
            ],
            height=8,
        ),
    ]
