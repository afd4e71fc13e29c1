"""Cost and budget: what per day, week and month, will the budget hold, and what drives it?"""

from __future__ import annotations

from openrouter_otel import names
from openrouter_otel.budget_rules import FORECAST, LIMIT, PACE, SPENT
from openrouter_otel.names import COST, REQUESTS, TOKENS_DETAIL, label

from .frame import Board, Panel, Row
from .panels import (
    COUNT,
    EVERY_ONE,
    MONEY,
    OVER_STEPS,
    SECONDS,
    SHARE,
    USD,
    USED_STEPS,
    Column,
    Series,
    bars,
    lines,
    number,
    ranking,
    scorecard,
)
from .promql import STEP, WEEK, counted, counted_or_zero, ratio, top
from .terms import (
    BOUGHT_NOTHING,
    BY_MODEL,
    BY_PROVIDER,
    MODEL,
    OTHERS_COLOR,
    OUTCOME_COLORS,
    PROVIDER,
    TOP,
    USER,
    cached_share,
    called,
    price_per_million,
    prices,
    split,
    usage,
)

OUTCOME = label(names.OUTCOME)
TOKEN_TYPE = label(names.TOKEN_TYPE)
DAY = "1d"
ZERO = "zero line"
SECONDS_LEFT_IN_MONTH = (
    "scalar(86400 * (days_in_month(vector(time())) - day_of_month(vector(time())) + 1) - vector(time() % 86400))"
)
PERIODS = {"today": "daily", "this week": "weekly", "this month": "monthly", "ever": "total"}  # as the gauge says
SAW = 360  # points: of a month's days each has its tooth
LOW_CREDIT = ((None, "red"), (10, "orange"), (50, "green"))


def cost() -> Board:
    """The board for those who pay."""
    return Board(
        "cost",
        "Cost and budget",
        "What do we spend per day, week and month, will the budgets hold, and what drives it?",
        [
            Row("Calendar", _calendar()),
            Row("Budgets", _budgets()),
            Row("Day by day", _days()),
            Row("What drives it", _drivers()),
            Row("OpenRouter's own figures (needs `openrouter-otel exporter --account`)", _account(), folded=True),
        ],
        since="now-30d",
        refresh="5m",
    )


def _calendar() -> list[Panel]:
    spent = "USD, counted exactly from each process' first call on, whatever range is selected above."
    periods = (
        ("Today", "today", "now/d"),
        ("This week", "since Monday", "now/w"),
        ("This month", "this month", "now/M"),
    )
    return [
        *(
            number(
                title,
                f"What did we spend {when}? {spent}",
                counted_or_zero(COST),
                USD,
                width=4,
                steps=((None, MONEY),),
                since=since,
            )
            for title, when, since in periods
        ),
        number(
            "Month forecast",
            "What will this month cost? Spend so far, plus the mean pace of the last seven days for what is left of "
            "the month (in UTC).",
            f"{counted_or_zero(COST)} + {counted_or_zero(COST, window=WEEK)} / 604800 * {SECONDS_LEFT_IN_MONTH}",
            USD,
            width=4,
            since="now/M",
        ),
        number(
            "Per 1M tokens",
            "What does a million tokens cost us? Spend of the range over its input and output tokens, as billed.",
            price_per_million(),
            USD,
            width=4,
        ),
        number(
            "Bought nothing",
            "What did we pay for answers nobody got? Spend of the range on calls that failed, were abandoned or were "
            "cancelled. Those without a known price are not in here.",
            f"({counted(COST, where=BOUGHT_NOTHING)} or 0 * {counted(REQUESTS)})",
            USD,
            width=4,
            steps=((None, "green"), (0.01, "orange")),
        ),
    ]


def _budgets() -> list[Panel]:
    return [
        scorecard(
            "Budgets",
            "Which budget is nearly spent, and will it hold? Each budget of grafana/budgets.yml in its running day, "
            "week or month (UTC), recorded by rules every minute; forecast and the time until it is gone take the "
            "pace of the last seven days (of the last day for a daily budget). A forecast below 100 % means that it "
            "holds: it begins anew before it is gone. The filters above do not apply.",
            "budget",
            [
                Column("Used", _each(f"{SPENT} / ({LIMIT} > 0)"), SHARE, USED_STEPS),
                Column("Spent", _each(SPENT), USD),
                Column("Limit", _each(LIMIT), USD),
                Column("Forecast", _each(FORECAST), USD),
                Column("Will use", _each(f"{FORECAST} / ({LIMIT} > 0)"), SHARE, OVER_STEPS),
                Column("Gone in", _each(f"clamp_min({LIMIT} - {SPENT}, 0) / ({PACE} > 0)"), SECONDS),
            ],
            height=8,
            beside=("period",),
        ),
        lines(
            "Budgets used",
            "How fast do budgets fill up? The share that is spent in the running day, week or month, recorded by "
            "rules; each begins again at zero, and of each step its highest is shown. The filters above do not apply.",
            [Series(f"max_over_time({SPENT}[$__interval]) / ({LIMIT} > 0)", "{{budget}}")],
            SHARE,
            width=24,
            height=7,
            points=SAW,
            steps=((None, "transparent"), (0.8, "orange"), (1, "red")),
        ),
    ]


def _each(expr: str) -> str:
    """Only the labels that make a row, so that columns meet in it."""
    return f"sum by (budget, period) ({expr})"


def _days() -> list[Panel]:
    return [
        bars(
            "Spend per day by model",
            "What does a day cost, and which model makes it so? USD per day (UTC), of the five dearest models of the "
            "range and all others; days that the range only touches are whole.",
            split(COST, MODEL),
            USD,
            width=16,
            height=9,
            narrow=MODEL,
            colors=OTHERS_COLOR,
            finest=DAY,
        ),
        ranking(
            "Providers by spend",
            f"Which upstream provider gets the money? USD in this range, the {TOP} largest; {names.UNKNOWN} where an "
            "answer named none. Click a bar for its models.",
            top(TOP, called(counted(COST, BY_PROVIDER), PROVIDER)),
            "{{name}}",
            USD,
            width=8,
            height=9,
            narrow=PROVIDER,
        ),
        bars(
            "Spend per day by user",
            "What does a day cost, and who makes it so? USD per day (UTC), of the five dearest users of the range and "
            "all others.",
            split(COST, USER),
            USD,
            width=12,
            narrow=USER,
            colors=OTHERS_COLOR,
            finest=DAY,
        ),
        bars(
            "Spend that bought nothing",
            "What do failures and abandoned streams cost? USD per day on calls that did not end well, by how they "
            "ended; nothing on a good day.",
            [
                Series(counted(COST, (OUTCOME,), STEP, BOUGHT_NOTHING), "{{outcome}}"),
                Series(f"0 * {counted(REQUESTS, (), STEP)}", ZERO, unnamed=True),
            ],
            USD,
            width=12,
            colors=OUTCOME_COLORS,
            finest=DAY,
        ),
    ]


def _drivers() -> list[Panel]:
    by_model = counted(COST, BY_MODEL)
    wasted = f"({counted(COST, BY_MODEL, where=BOUGHT_NOTHING)} or 0 * {by_model})"
    return [
        scorecard(
            "Models by spend",
            "What drives the bill? One row a model over this range: prices as billed, the share of input tokens read "
            "from a provider's cache, the share of spend that bought nothing. Click a name for that model in detail.",
            MODEL,
            [
                *usage(BY_MODEL),
                *prices(BY_MODEL),
                Column("Cached", cached_share(BY_MODEL), SHARE),
                Column("For nothing", ratio(wasted, by_model), SHARE),
            ],
            height=9,
        ),
        bars(
            "Who charged it",
            "Is it OpenRouter's charge, a provider's bill under BYOK, or an estimate? USD per day by payee and by "
            "where the price came from.",
            [Series(counted(COST, (names.PAYEE, label(names.COST_SOURCE)), STEP), "{{payee}}, {{cost_source}}")],
            USD,
            width=12,
            finest=DAY,
        ),
        bars(
            "Special tokens",
            "How much is read from or written to caches, and how much is thought aloud? Tokens per day that are part "
            "of input or output, by kind; cached ones are cheaper.",
            [Series(counted(TOKENS_DETAIL, (TOKEN_TYPE,), STEP), "{{token_type}}")],
            COUNT,
            width=12,
            finest=DAY,
        ),
    ]


def _account() -> list[Panel]:
    return [
        number(
            "Credit left",
            "How much credit has the organisation left? USD, as OpenRouter says; needs a management key.",
            f"min({names.CREDITS_REMAINING.prometheus})",
            USD,
            width=6,
            steps=LOW_CREDIT,
        ),
        number(
            "Key limit left",
            "How much may this API key still spend? USD, as OpenRouter says; a dash where the key has no limit.",
            f"min({names.KEY_LIMIT_REMAINING.prometheus})",
            USD,
            width=6,
            steps=LOW_CREDIT,
        ),
        number(
            "Key limit",
            "How much may this API key spend in all? USD, as OpenRouter says; a dash where the key has no limit.",
            f"min({names.KEY_LIMIT.prometheus})",
            USD,
            width=6,
        ),
        number(
            "Free calls left",
            "How many calls of free models are left today? As OpenRouter says; its days are UTC's.",
            f"min({names.KEY_FREE_REQUESTS.prometheus})",
            EVERY_ONE,
            width=6,
        ),
        *(
            number(
                f"Charged {when}",
                f"What did OpenRouter charge this key {when}? USD, as OpenRouter says; its days are UTC's. "
                "Compare with the calendar row: programs without our instrumentation are in here too.",
                f'max({names.KEY_USAGE.prometheus}{{period="{period}"}})',
                USD,
                width=6,
            )
            for when, period in PERIODS.items()
        ),
    ]
