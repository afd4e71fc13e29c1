"""Models: which model and which provider is fast, reliable and cheap?"""

from __future__ import annotations

from openrouter_otel import names
from openrouter_otel.names import (
    COST,
    DURATION,
    DURATION_MAX,
    DURATION_MIN,
    DURATION_SQUARED,
    FIRST_TOKEN,
    OUTPUT_RATE,
    REQUESTS,
    TOKENS,
    label,
)

from .frame import Board, Panel, Row
from .panels import COUNT, EVERY_ONE, SECONDS, TIMES, USD, Column, Series, bars, lines, scorecard
from .promql import STEP, counted, mean, quantile, ratio, selected
from .terms import (
    BY_MODEL,
    BY_PROVIDER,
    MODEL,
    OTHERS_COLOR,
    PROVIDER,
    TOKEN_COLORS,
    WENT_WELL,
    WITH_A_PROVIDER,
    followed,
    price_per_million,
    prices,
    service,
    split,
    usage,
)

FINISH_REASON = label(names.FINISH_REASON)


def models() -> Board:
    """The board for those who choose a model."""
    return Board(
        "models",
        "Models",
        "Which model and which provider is fast, reliable and cheap?",
        [
            Row("Compare", _compare()),
            Row("Speed", _speed()),
            Row("Price and use", _use()),
        ],
    )


def _compare() -> list[Panel]:
    return [
        scorecard(
            "Scorecard",
            "Which model is worth its price? One row a model over this range: price per request and per million "
            "tokens as billed, errors per call, latency of successful calls and time to a stream's first token (TTFT) "
            "pooled over the range. Click a name to see only that model.",
            MODEL,
            [
                *usage(BY_MODEL),
                *prices(BY_MODEL),
                *service(BY_MODEL),
                Column("p95 TTFT", quantile(0.95, FIRST_TOKEN, BY_MODEL), SECONDS),
                Column("Tokens/s", quantile(0.5, OUTPUT_RATE, BY_MODEL), TIMES),
            ],
            height=9,
        ),
        scorecard(
            "Latency",
            "How long do successful calls of a model take, and how much do they scatter? Mean and deviation are exact, "
            "percentiles come from histogram buckets. The extremes are kept a minute at a time and miss calls where "
            "scrapes are further apart. Only the deviation and the extremes do not follow the user filter.",
            MODEL,
            [
                Column("Calls", counted(DURATION, BY_MODEL, where=WENT_WELL, suffix="_count"), EVERY_ONE),
                Column("Mean", mean(DURATION, BY_MODEL, WENT_WELL), SECONDS),
                Column("Deviation", _deviation(), SECONDS),
                Column("Shortest", f"min by ({MODEL}) (min_over_time({selected(DURATION_MIN)}[$__range]))", SECONDS),
                Column("p50", quantile(0.5, DURATION, BY_MODEL, where=WENT_WELL), SECONDS),
                Column("p95", quantile(0.95, DURATION, BY_MODEL, where=WENT_WELL), SECONDS),
                Column("p99", quantile(0.99, DURATION, BY_MODEL, where=WENT_WELL), SECONDS),
                Column("Longest", f"max by ({MODEL}) (max_over_time({selected(DURATION_MAX)}[$__range]))", SECONDS),
            ],
            height=9,
        ),
    ]


def _deviation() -> str:
    calls = counted(DURATION, BY_MODEL, where=WENT_WELL, suffix="_count")
    squares = ratio(counted(DURATION_SQUARED, BY_MODEL), calls)
    return f"sqrt(clamp_min({squares} - ({mean(DURATION, BY_MODEL, WENT_WELL)}) ^ 2, 0))"


def _speed() -> list[Panel]:
    return [
        lines(
            "p95 latency by model",
            "Does a model get slower? 95th percentile of successful calls per step, of the five most called models.",
            followed(quantile(0.95, DURATION, BY_MODEL, STEP, WENT_WELL), REQUESTS, MODEL),
            SECONDS,
            width=12,
            narrow=MODEL,
        ),
        lines(
            "p95 first token by model",
            "How long do readers of a model's streams wait? 95th percentile per step, of the five most called models. "
            "Not kept by user, so the user filter does not apply.",
            followed(quantile(0.95, FIRST_TOKEN, BY_MODEL, STEP), REQUESTS, MODEL),
            SECONDS,
            width=12,
            narrow=MODEL,
        ),
        lines(
            "p95 latency by provider",
            "Is one upstream provider slow? 95th percentile of successful calls per step, of the five most called "
            "providers.",
            followed(quantile(0.95, DURATION, BY_PROVIDER, STEP, WENT_WELL | WITH_A_PROVIDER), REQUESTS, PROVIDER),
            SECONDS,
            width=12,
            narrow=PROVIDER,
        ),
        lines(
            "Output tokens per second",
            "How fast does text appear once it begins? Median over the streams of a step, of the five most called "
            "models. Not kept by user, so the user filter does not apply.",
            followed(quantile(0.5, OUTPUT_RATE, BY_MODEL, STEP), REQUESTS, MODEL),
            TIMES,
            width=12,
            narrow=MODEL,
        ),
    ]


def _use() -> list[Panel]:
    return [
        lines(
            "Price per million tokens",
            "Does a model get dearer? USD per million tokens as billed, per step, of the five dearest models of the "
            "range. It moves with the price, and with the mix of input, output and cached tokens.",
            followed(price_per_million(BY_MODEL, STEP), COST, MODEL),
            USD,
            width=12,
            narrow=MODEL,
        ),
        bars(
            "Tokens by model",
            "Which model handles how much text? Input and output tokens per bar, of the five largest models and all "
            "others.",
            split(TOKENS, MODEL),
            COUNT,
            width=12,
            narrow=MODEL,
            colors=OTHERS_COLOR,
        ),
        bars(
            "Input and output",
            "How much goes in and how much comes out? Tokens per bar; output is dearer.",
            [Series(counted(TOKENS, (names.TOKEN_TYPE,), STEP), "{{token_type}}")],
            COUNT,
            width=12,
            colors=TOKEN_COLORS,
        ),
        bars(
            "Why answers ended",
            "Are answers cut off? Calls per bar by finish reason; `length` means that a limit on tokens cut the "
            "answer. Calls without a reason failed, were abandoned, or are of a kind that has none.",
            [
                Series(f"{counted(REQUESTS, (FINISH_REASON,), STEP, {names.FINISH_REASON: '!'})}", "{{finish_reason}}"),
                Series(counted(REQUESTS, (), STEP, {names.FINISH_REASON: ""}), "no reason"),
            ],
            COUNT,
            width=12,
            colors={"no reason": "#7f8487"},
        ),
    ]
