"""Users: who uses what, and what does it cost?"""

from __future__ import annotations

from openrouter_otel import names
from openrouter_otel.names import COST, REQUESTS, TOKENS

from .frame import Board, Panel, Row
from .panels import COUNT, EVERY_ONE, MONEY, SHARE, USD, Column, bars, number, scorecard
from .promql import counted, counted_or_zero, ratio, share, top
from .terms import BY_USER, MODEL, OTHERS_COLOR, TOP, USER, prices, service, split, usage

PAIR = (USER, MODEL)
PAIRS = 20


def users() -> Board:
    """The board for those who ask who."""
    return Board(
        "users",
        "Users",
        "Who uses what, what does it cost, and is anybody served badly?",
        [Row("Who", _who()), Row("When and with what", _when())],
        since="now-7d",
        refresh="5m",
    )


def _who() -> list[Panel]:
    spend = counted_or_zero(COST, BY_USER)
    somebody = {names.USER: f"!{names.ANONYMOUS}"}
    return [
        number(
            "Users",
            "How many different users called? Names seen in this range; anonymous calls are one, those beyond the cap "
            "on users, (other), are one.",
            f"count({counted(REQUESTS, BY_USER)} > 0)",
            EVERY_ONE,
            width=6,
        ),
        number(
            "Spend per user",
            "What does a user cost? Spend of this range over the number of users in it: a mean, see the table.",
            ratio(counted_or_zero(COST), f"count({counted(REQUESTS, BY_USER)} > 0)"),
            USD,
            width=6,
            steps=((None, MONEY),),
        ),
        number(
            "Largest share",
            "Does one user dominate? The share of this range's spend that the dearest user has.",
            f"max({share(spend, counted(COST))})",
            SHARE,
            width=6,
        ),
        number(
            "Calls with a user",
            "Can spend be attributed? The share of calls that name a user at all.",
            ratio(f"({counted(REQUESTS, where=somebody)} or 0 * {counted(REQUESTS)})", counted(REQUESTS)),
            SHARE,
            width=6,
        ),
        scorecard(
            "All users",
            "Who uses how much, and is anybody served badly? One row a user over this range; calls without a user are "
            "anonymous, those beyond the cap on users are (other). Latency is kept for the first `max_histogram_users` "
            "of a process; the others have a dash. Click a name to see only that user.",
            USER,
            [
                *usage(BY_USER),
                Column("Share", share(spend, counted(COST)), SHARE),
                *prices(BY_USER),
                *service(BY_USER),
            ],
            height=11,
        ),
    ]


def _when() -> list[Panel]:
    dearest = f"topk({PAIRS}, {counted(COST, PAIR)})"
    return [
        bars(
            "Spend by user",
            "Who spends when? USD per bar, of the ten dearest users of the range and all others.",
            split(COST, USER, TOP),
            USD,
            width=24,
            height=9,
            narrow=USER,
            colors=OTHERS_COLOR,
        ),
        bars(
            "Requests by user",
            "Who calls when? Calls per bar, of the five busiest users and all others.",
            split(REQUESTS, USER),
            COUNT,
            width=12,
            narrow=USER,
            colors=OTHERS_COLOR,
        ),
        bars(
            "Tokens by user",
            "Who sends and gets how much? Input and output tokens per bar, of the five largest users and all others.",
            split(TOKENS, USER),
            COUNT,
            width=12,
            narrow=USER,
            colors=OTHERS_COLOR,
        ),
        scorecard(
            "User and model",
            f"Who spends on what? The {PAIRS} dearest pairs of user and model in this range. Click a name for that "
            "user alone.",
            USER,
            [
                Column("Spend", top(PAIRS, counted(COST, PAIR)), USD),
                Column("Requests", f"{counted(REQUESTS, PAIR)} and on ({USER}, {MODEL}) {dearest}", EVERY_ONE),
                Column(
                    "Per request",
                    f"({ratio(counted(COST, PAIR), counted(REQUESTS, PAIR))}) and on ({USER}, {MODEL}) {dearest}",
                    USD,
                ),
            ],
            height=9,
            beside=(MODEL,),
        ),
    ]
